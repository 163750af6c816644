//! Image, mask and sentence triples, recognised by what lies in a folder: see [`Layout`] for the arrangements that are known.

mod entries;
mod finding;
mod header;
mod layout;
mod listing;
mod pairing;
mod survey;
mod table;
mod workbook;

use std::path::{Path, PathBuf};

use super::{DataError, MaskRule};
pub use finding::{Finding, Problem, summary};
pub use layout::Layout;
pub use survey::{SplitSurvey, Survey, survey};

/// One row of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file; existed when the split was opened.
    pub image: PathBuf,
    /// The mask's file; existed when the split was opened.
    pub mask: PathBuf,
    /// The sentence, unchanged.
    pub prompt: String,
    /// The image's file name.
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
    /// The pairs; at least one.
    pub samples: Vec<Sample>,
    /// What was found wrong; none of it concerns a pair in `samples` but for empty sentences.
    pub findings: Vec<Finding>,
}

/// The mask that lies beside an image, by the names that data sets have: in the same folder, in a folder of masks within it or beside it.
/// None for what is a mask itself.
pub fn partner(image: &Path) -> Option<PathBuf> {
    let name = image.file_name()?.to_string_lossy().into_owned();
    let folder = image.parent()?;
    pairing::mask_beside(folder, &name)
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
    /// both files (the message names the first).
    pub fn open(root: &Path, split: &str) -> Result<Self, DataError> {
        let arrangement = layout::recognise(root)?;
        let source = arrangement.source(root, split)?;
        let (samples, findings) = pairing::pairs(source)?;
        let name = source.name.clone();
        Ok(Self { root: root.to_owned(), layout: arrangement.layout, split: name, samples, findings })
    }

    /// Opens every file once and leaves out what cannot be used: unreadable files, masks of another size than their image.
    ///
    /// # Errors
    /// No pair is left, or not one mask has foreground under `rule`.
    pub fn check(&mut self, rule: &MaskRule) -> Result<(), DataError> {
        survey::check(self, rule)
    }
}
