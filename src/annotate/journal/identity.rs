//! Which image a journal belongs to.

use std::path::{Path, PathBuf};

use super::format::{Header, SavedIn};
use crate::data::fingerprint;
use crate::data::paths::canonical;

/// The number of hexadecimal digits of each half of a journal's name.
const DIGITS: usize = 16;

/// An image as its journal knows it: where it is and what it contains. The same image in another place has a journal of
/// its own, and so has another image in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageIdentity {
    /// The path of its file, or of the first one of a series; the title of a sample case. For people.
    pub image: String,
    /// The fingerprint of the place.
    place: String,
    /// The fingerprint of the content.
    content: String,
    /// The numbers of columns, rows and slices.
    pub shape: [usize; 3],
}

impl ImageIdentity {
    /// The image in the file at `path`, or in the files of a series that begins there, with the fingerprint of its
    /// content.
    pub fn of_file(path: &Path, content: String, shape: [usize; 3]) -> Self {
        let path = canonical(path);
        let place = fingerprint::of_bytes(path.as_os_str().as_encoded_bytes());
        Self { image: path.to_string_lossy().into_owned(), place, content, shape }
    }

    /// The image of a sample case, which comes with the program.
    pub fn of_sample(title: &str, shape: [usize; 3]) -> Self {
        let content = fingerprint::of_bytes(title.as_bytes());
        Self { image: title.to_owned(), place: fingerprint::of_bytes(b"sample"), content, shape }
    }

    /// The file name of the journal, without an extension.
    pub fn stem(&self) -> String {
        format!("{}-{}", &self.place[..DIGITS], &self.content[..DIGITS])
    }

    /// Whether the journal with this file name, without an extension, is of the same content in another place.
    pub(super) fn is_moved(&self, stem: &str) -> bool {
        stem != self.stem() && stem.split_once('-').is_some_and(|(_, content)| content == &self.content[..DIGITS])
    }

    /// Whether the journal with this file name, without an extension, is of another content in the same place.
    pub(super) fn is_changed(&self, stem: &str) -> bool {
        let is_here = |(place, content): (&str, &str)| place == &self.place[..DIGITS] && content.len() == DIGITS;
        stem != self.stem() && stem.split_once('-').is_some_and(is_here)
    }

    /// The header of a journal or of a saved annotation of this image.
    pub fn header(&self, file: Option<SavedIn>) -> Header {
        let program = concat!("HiMix ", env!("CARGO_PKG_VERSION")).to_owned();
        Header { program, image: self.image.clone(), content: self.content.clone(), shape: self.shape, file }
    }

    /// The fingerprint of the content of several files from those of each, which is that of the file if there is only one.
    pub fn of_contents(contents: &[String]) -> String {
        match contents {
            [content] => content.clone(),
            contents => fingerprint::of_bytes(contents.concat().as_bytes()),
        }
    }
}

/// Returns the path of the journal in `folder`.
pub(super) fn journal_path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}.{}", super::EXTENSION))
}
