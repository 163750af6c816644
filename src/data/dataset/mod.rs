//! Data sets of image, mask and prompt, recognised by the content of a folder; see [`Layout`] for the known layouts.

mod enclosing;
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
pub(super) use names::{fold, natural, readable};
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

/// The splits of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// Their names: those that the data set defines, or `all` alone if it defines none.
    pub names: Vec<String>,
    /// Whether the data set says which image belongs to which split. If it does not, [`Dataset::open`] divides it by a
    /// hash, which nobody who looks at it should take for its own division.
    pub are_said: bool,
}

/// Returns the splits of the data set that a folder is, or of the part of one that it is.
///
/// # Errors
/// Returns an error if the folder has nothing that could be images of a data set.
pub fn splits(folder: &Path) -> Result<Splits, DataError> {
    let arrangement = enclosing::find(folder)?.arrangement;
    if !arrangement.names_splits() {
        return Ok(Splits { names: vec!["all".into()], are_said: false });
    }
    let names = arrangement.sources.into_iter().map(|source| source.name).filter(|name| name != "all").collect();
    Ok(Splits { names, are_said: true })
}

/// Returns how the pairs of a folder are read: as the data set says that it is, or is a part of; by default if there is
/// none.
///
/// # Errors
/// Returns the errors of [`PairReading::of`].
pub fn reading(folder: &Path) -> Result<PairReading, DataError> {
    let root = enclosing::find(folder).map_or_else(|_| folder.to_owned(), |found| found.root);
    PairReading::of(&root)
}

/// An image, and what its data set says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The image's file name, readable.
    pub name: String,
    /// The image's file.
    pub image: PathBuf,
    /// The files of its masks; empty if it has none.
    pub masks: Vec<PathBuf>,
    /// Its prompt, unchanged; empty if there is none.
    pub prompt: String,
    /// The split that it belongs to; `None` if the data set names none.
    pub split: Option<String>,
    /// How image and masks are read: as the data set says, or by default.
    pub reading: PairReading,
}

/// Returns what the data set around a folder of images says of each, or around one of its files of that one. Empty if
/// there is no such data set: see [`partners`] for masks without one.
pub fn cases(path: &Path) -> Vec<Case> {
    let Some(found) = enclosing::around(path) else { return Vec::new() };
    let names_splits = found.arrangement.names_splits();
    let reading = PairReading::of(&found.root).unwrap_or_default();
    let of_file = path.file_name().filter(|_| !path.is_dir());
    let mut cases: Vec<Case> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    // If a pool has lists, its whole stands last and has what is in none of them.
    for source in
        found.arrangement.sources.iter().filter(|source| !matches!(source.share, layout::Share::Tenths(_)))
    {
        if !enclosing::is_within(&source.images, path) {
            continue;
        }
        let split = Some(&source.name).filter(|name| names_splits && *name != "all");
        // A table that cannot be read says nothing; opening the data set itself tells why.
        for pairing::Known { name, image, masks, prompt } in pairing::known(source).unwrap_or_default() {
            let is_wanted = of_file.is_none_or(|file| image.file_name() == Some(file));
            if is_wanted && seen.insert(image.clone()) {
                let (split, reading) = (split.cloned(), reading.clone());
                cases.push(Case { name, image, masks, prompt, split, reading });
            }
        }
    }
    cases
}

impl Dataset {
    /// Opens `split` of the data set in `folder`, or of the part of a data set that the folder is: reads its table and
    /// the names of the files, not their content. What cannot be used (a missing partner, a second row for an image) is
    /// left out and listed.
    ///
    /// # Errors
    /// Returns an error if there are no images, no such split, or no masks; if the table is unreadable, lacks a
    /// column, or has no rows; if no row has both files (the message names the first); or if its settings cannot be
    /// read.
    pub fn open(folder: &Path, split: &str) -> Result<Self, DataError> {
        let enclosing::Enclosing { root, arrangement } = enclosing::find(folder)?;
        let source = arrangement.source(folder, split)?;
        let (samples, findings) = pairing::pairs(source)?;
        let reading = PairReading::of(&root)?;
        let split = source.name.clone();
        Ok(Self { root, layout: arrangement.layout, split, reading, samples, findings })
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
