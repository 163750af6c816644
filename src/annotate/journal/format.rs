//! The records of a journal as bytes.
//!
//! After a line with the version come the records. Each has a length, a checksum and a content in JSON. The checksum also
//! covers the checksum of the record before, so that only a sequence of records as they were written is valid. A record
//! that was not written to its end is therefore recognised, as are remains of another file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::annotate::Edit;

/// The version of the format.
pub const VERSION: u32 = 1;
/// The start of the first line, which the version follows.
const MAGIC: &str = "HiMix annotation ";
/// The longest number of a version, in digits.
const LONGEST_VERSION: usize = 9;
/// The number of bytes of a checksum.
const CHECKSUM: usize = 8;
/// The number of bytes before the content of a record: its length and its checksum.
const FRAME: usize = 4 + CHECKSUM;

/// The image that an annotation belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The program that wrote the file, with its version.
    pub program: String,
    /// The path of the image, that of the first file of a series, or the title of a sample case; for people.
    pub image: String,
    /// The fingerprint of the content of the image.
    pub content: String,
    /// The numbers of columns, rows and slices.
    pub shape: [usize; 3],
    /// The file in which the annotation was saved, or from which it was opened; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SavedIn>,
}

/// A file in which an annotation was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedIn {
    /// The path.
    pub path: PathBuf,
    /// The fingerprint of its content.
    pub content: String,
}

impl SavedIn {
    /// Creates the record of a file; `None` if its path is not Unicode, so that the journal cannot name it.
    pub fn new(path: &Path, content: &str) -> Option<Self> {
        path.to_str()?;
        Some(Self { path: path.to_owned(), content: content.to_owned() })
    }
}

/// An entry of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The image; always the first record, and no other.
    Image(Header),
    /// Edits that were applied together.
    Edits(Vec<Edit>),
    /// The annotation was saved in a file.
    Saved {
        /// The file.
        file: SavedIn,
        /// Whether the file has all that the records before this one have.
        is_current: bool,
    },
    /// The case was closed properly: whatever comes after it was done later.
    Closed,
}

/// The checksum of the last record, from which that of the next one follows. It identifies a journal up to this record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seal([u8; CHECKSUM]);

impl Seal {
    fn next(self, content: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(&(content.len() as u64).to_le_bytes()).update(content);
        let mut checksum = [0; CHECKSUM];
        checksum.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM]);
        Self(checksum)
    }
}

/// Appends the line with the version to `out`.
pub fn encode_start(out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{MAGIC}{VERSION}\n").as_bytes());
}

/// Appends a record to `out`, which follows the record with the checksum `seal`, and returns its own checksum. `out` is
/// unchanged if this fails.
///
/// # Errors
/// Returns an error if the record cannot be expressed as JSON, or is longer than 4 GiB.
pub fn encode_to(out: &mut Vec<u8>, seal: Seal, record: &Record) -> Result<Seal, serde_json::Error> {
    encode_record(out, seal, &serde_json::to_vec(record)?)
}

/// Like [`encode_to`], for the content of a record, whether or not that means something.
///
/// # Errors
/// Returns an error if the content is longer than 4 GiB.
pub fn encode_record(out: &mut Vec<u8>, seal: Seal, content: &[u8]) -> Result<Seal, serde_json::Error> {
    let length = u32::try_from(content.len()).map_err(serde::ser::Error::custom)?;
    let seal = seal.next(content);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&seal.0);
    out.extend_from_slice(content);
    Ok(seal)
}

/// The reason why a file gives no annotation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The file is something else.
    #[error("this is not an annotation of HiMix; give a file that was saved with “Save annotation”")]
    NotAJournal,
    /// A later version of the program wrote the file.
    #[error(
        "the annotation is of a newer version of HiMix (format {0}, and this version reads {VERSION}); update HiMix"
    )]
    Newer(String),
    /// The file ends, or is damaged, before it says what it is about.
    #[error("the annotation is truncated or damaged before its first entry")]
    NoHeader,
    /// The annotation belongs to an image of another shape.
    #[error(
        "the annotation is of an image with {} pixels ({image}), and this image has {}; open the image that it was made on",
        sides(.annotated), sides(.shape)
    )]
    OtherShape {
        /// The image of the annotation, for people.
        image: String,
        /// The numbers of columns, rows and slices of that image.
        annotated: [usize; 3],
        /// The numbers of columns, rows and slices of the open image.
        shape: [usize; 3],
    },
    /// The masks would take more memory than one file may.
    #[error("the annotation needs more than {} MiB of memory; raise the limit in the settings", .0 >> 20)]
    TooLarge(u64),
}

/// Formats a shape as `columns×rows×slices`.
fn sides(shape: &[usize; 3]) -> String {
    shape.map(|side| side.to_string()).join("×")
}

/// What follows the last valid record of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// The start of a record that was not written to its end, which nobody was told of as kept.
    Torn,
    /// Something that was damaged later.
    Damaged,
}

/// Reads the records of a journal one after the other, until the first one that is not valid.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    end: usize,
    seal: Seal,
    tail: Tail,
}

impl<'a> Records<'a> {
    /// Starts to read.
    ///
    /// # Errors
    /// Returns [`JournalError::NotAJournal`] and [`JournalError::Newer`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, JournalError> {
        let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or(JournalError::NotAJournal)?;
        let digits = rest.iter().take(LONGEST_VERSION).take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).map_err(|_| JournalError::NotAJournal)?;
        let version: u32 = text.parse().map_err(|_| JournalError::NotAJournal)?;
        if version > VERSION {
            return Err(JournalError::Newer(text.to_owned()));
        }
        if version == 0 || rest.get(digits) != Some(&b'\n') {
            return Err(JournalError::NotAJournal);
        }
        Ok(Self { bytes, end: MAGIC.len() + digits + 1, seal: Seal::default(), tail: Tail::None })
    }

    /// Returns the number of bytes up to the end of the last record that was read.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Returns the checksum of the last record that was read.
    pub fn seal(&self) -> Seal {
        self.seal
    }

    /// Returns what follows the last valid record, once there are no more records.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Reads the content of the next record without knowing what it means. `None` at the end.
    fn content(&mut self) -> Option<(&'a [u8], Seal)> {
        let rest = &self.bytes[self.end..];
        if rest.is_empty() {
            return None;
        }
        // After a power failure, the place of a record may be there without its content.
        let is_blank = rest.iter().all(|byte| *byte == 0);
        let whole = rest.split_at_checked(FRAME).and_then(|(frame, rest)| {
            let length = u32::from_le_bytes(frame[..4].try_into().ok()?);
            let content = rest.get(..usize::try_from(length).ok()?)?;
            Some((&frame[4..], content))
        });
        let Some((checksum, content)) = whole.filter(|_| !is_blank) else {
            self.tail = Tail::Torn;
            return None;
        };
        let seal = self.seal.next(content);
        if seal.0 != checksum {
            let is_last = rest.len() == FRAME + content.len();
            self.tail = if is_last { Tail::Torn } else { Tail::Damaged };
            return None;
        }
        Some((content, seal))
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.tail != Tail::None {
            return None;
        }
        let (content, seal) = self.content()?;
        match serde_json::from_slice(content) {
            Ok(record) => {
                (self.end, self.seal) = (self.end + FRAME + content.len(), seal);
                Some(record)
            }
            // It is as it was written, but not by this version.
            Err(_) => {
                self.tail = Tail::Damaged;
                None
            }
        }
    }
}
