//! Data sets of image, mask and prompt, recognised by the content of a folder; see [`Layout`] for the known layouts.

mod entries;
mod finding;
mod header;
mod layout;
mod listing;
mod marks;
pub(super) mod names;
pub mod pair;
mod pairing;
mod reading;
mod row;
mod survey;
mod table;
mod workbook;

use std::path::{Path, PathBuf};

use super::{DataError, MaskRule};
pub use finding::{Finding, Problem, summary};
pub use layout::Layout;
pub(super) use names::readable;
pub use pair::Pair;
pub use reading::{FILE as SETTINGS_FILE, PairReading};
pub use survey::{SplitSurvey, Survey, survey};

/// One case of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file, which existed when the split was opened.
    pub image: PathBuf,
    /// The files of its masks, at least one, in the order of their names; they existed when the split was opened.
    pub masks: Vec<PathBuf>,
    /// The prompt, unchanged.
    pub prompt: String,
    /// The image's file name in readable form.
    pub name: String,
}

/// One split of a data set, in the order of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The folder of the data set.
    pub root: PathBuf,
    /// The layout of the folder.
    pub layout: Layout,
    /// Name of the split, for example `train`.
    pub split: String,
    /// How its pairs are read: as the data set says, until [`Dataset::check`] changes it.
    pub reading: PairReading,
    /// The pairs, at least one.
    pub samples: Vec<Sample>,
    /// The problems that were found. Except for empty prompts, none concerns a pair in `samples`.
    pub findings: Vec<Finding>,
}

/// The result of [`Dataset::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of pairs whose mask has foreground; the caller decides what 0 means.
    pub with_foreground: usize,
}

/// Returns the masks beside an image by the names that are usual in data sets: in the same folder, or in a folder of
/// masks within it or beside it. Empty if the file is a mask itself.
pub fn partners(image: &Path) -> Vec<PathBuf> {
    match (image.file_name(), image.parent()) {
        (Some(name), Some(folder)) => pairing::masks_beside(folder, name),
        _ => Vec::new(),
    }
}

/// Returns the names of a data set's splits, without the whole if it is divided.
///
/// # Errors
/// Returns an error if the folder has nothing that could be images of a data set.
pub fn split_names(root: &Path) -> Result<Vec<String>, DataError> {
    let sources = layout::recognise(root)?.sources;
    let is_divided = sources.len() > 1;
    Ok(sources.into_iter().map(|source| source.name).filter(|name| !is_divided || name != "all").collect())
}

impl Dataset {
    /// Opens `split` of the data set in `root`: reads its table and the names of the files, not their content. What
    /// cannot be used (a missing partner, a second row for an image) is left out and listed.
    ///
    /// # Errors
    /// Returns an error if there are no images, no such split, or no masks; if the table is unreadable, lacks a
    /// column, or has no rows; if no row has both files (the message names the first); or if its settings cannot be
    /// read.
    pub fn open(root: &Path, split: &str) -> Result<Self, DataError> {
        let arrangement = layout::recognise(root)?;
        let source = arrangement.source(root, split)?;
        let (samples, findings) = pairing::pairs(source)?;
        let reading = PairReading::of(root)?;
        let split = source.name.clone();
        Ok(Self { root: root.to_owned(), layout: arrangement.layout, split, reading, samples, findings })
    }

    /// Opens every file once and leaves out what cannot be used: unreadable files, and masks of another size than
    /// their image. Masks without foreground are listed. From then on the data set is read in this way.
    ///
    /// # Errors
    /// Returns an error if no pair is left. It is not an error that no mask has foreground, because a set of normal
    /// cases is useful together with others; callers that have nothing else raise [`Dataset::all_empty_error`].
    pub fn check(&mut self, reading: &PairReading) -> Result<Checked, DataError> {
        self.reading = reading.clone();
        survey::check(self)
    }

    /// Returns the error that no mask has foreground, with what to do about it.
    pub fn all_empty_error(&self) -> DataError {
        let hint = match self.reading.rule {
            _ if !self.reading.labels.is_empty() => " with these labels; check which labels the masks have",
            MaskRule::Found | MaskRule::Half => "; check that these are the masks of these images",
            MaskRule::Exactly255 => {
                " under the rule exactly_255; the rule half reads masks that went through JPEG, and 0/1 masks"
            }
        };
        let (path, split) = (self.root.clone(), self.split.clone());
        DataError::EmptyMasks { path, split, count: self.samples.len(), hint }
    }
}
