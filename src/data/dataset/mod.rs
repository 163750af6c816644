//! Image, mask and sentence triples, recognised by what lies in a folder: see [`Layout`] for the arrangements that are known.

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

/// One row of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file; existed when the split was opened.
    pub image: PathBuf,
    /// The files of its masks, at least one, in the order of their names; existed when the split was opened.
    pub masks: Vec<PathBuf>,
    /// The sentence, unchanged.
    pub prompt: String,
    /// The image's file name, readable.
    pub name: String,
}

/// One split of a data set, in the order of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Its folder.
    pub root: PathBuf,
    /// How the folder is arranged.
    pub layout: Layout,
    /// Name of the split, for example `train`.
    pub split: String,
    /// How its pairs are read: as the data set says, until [`Dataset::check`] is told otherwise.
    pub reading: PairReading,
    /// The pairs; at least one.
    pub samples: Vec<Sample>,
    /// What was found wrong; none of it concerns a pair in `samples` but for empty sentences.
    pub findings: Vec<Finding>,
}

/// What [`Dataset::check`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Pairs whose mask has foreground; 0 is for the caller to judge.
    pub with_foreground: usize,
}

/// The masks that lie beside an image, by the names that data sets have: in the same folder, in a folder of masks within it or beside it.
/// None for what is a mask itself.
pub fn partners(image: &Path) -> Vec<PathBuf> {
    match (image.file_name(), image.parent()) {
        (Some(name), Some(folder)) => pairing::masks_beside(folder, name),
        _ => Vec::new(),
    }
}

/// Names of the splits of a data set, but for the whole where it is divided.
///
/// # Errors
/// The folder has nothing that could be images of a data set.
pub fn split_names(root: &Path) -> Result<Vec<String>, DataError> {
    let sources = layout::recognise(root)?.sources;
    let is_divided = sources.len() > 1;
    Ok(sources.into_iter().map(|source| source.name).filter(|name| !is_divided || name != "all").collect())
}

impl Dataset {
    /// Opens `split` of the data set in `root`: reads its table and looks at the names of the files, not into them. What cannot be
    /// used (a missing partner, a second row for an image) is left out and listed.
    ///
    /// # Errors
    /// There are no images, no such split, no masks; the table is unreadable, lacks a column or has no rows; not one of its rows has
    /// both files (the message names the first); its settings cannot be read.
    pub fn open(root: &Path, split: &str) -> Result<Self, DataError> {
        let arrangement = layout::recognise(root)?;
        let source = arrangement.source(root, split)?;
        let (samples, findings) = pairing::pairs(source)?;
        let reading = PairReading::of(root)?;
        let split = source.name.clone();
        Ok(Self { root: root.to_owned(), layout: arrangement.layout, split, reading, samples, findings })
    }

    /// Opens every file once and leaves out what cannot be used: unreadable files, masks of another size than their image. Masks without
    /// foreground are listed. From then on the data set is read in this way.
    ///
    /// # Errors
    /// No pair is left. That no mask has foreground is no error here, because a set of normal cases is of use beside others; who has
    /// nothing else raises [`Dataset::all_empty_error`].
    pub fn check(&mut self, reading: &PairReading) -> Result<Checked, DataError> {
        self.reading = reading.clone();
        survey::check(self)
    }

    /// That not one mask has foreground, and what to do about it.
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
