//! Data sets of images, masks and prompts, recognised by the content of a folder. [`Layout`] lists the known
//! layouts.

mod append;
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
mod prompt_list;
mod reading;
mod row;
mod survey;
mod table;
mod workbook;

use std::path::{Path, PathBuf};

use super::{DataError, MaskRule};
pub use append::{NewPair, SavedPair, append};
pub use finding::{Finding, Problem, summary};
pub use layout::Layout;
use layout::{Share, Source};
pub(super) use marks::key;
pub(super) use names::{fold, natural, readable};
pub use pair::Pair;
pub use prompt_list::{PromptFile, PromptList, prompt_list};
pub use reading::{FILE as SETTINGS_FILE, PairReading};
pub use survey::{SplitSurvey, Survey, survey};
pub(super) use table::Separated;

/// One case of a split: an image, its masks and its prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file, which existed when the split was opened.
    pub image: PathBuf,
    /// The files of the masks, at least one, which existed when the split was opened. Numbered masks follow the
    /// first.
    pub masks: Vec<PathBuf>,
    /// The prompt, unchanged: the first of the image's rows that is not blank.
    pub prompt: String,
    /// The other prompts that the table has for the image, unchanged and without repetitions; usually none.
    pub variants: Vec<String>,
    /// The image's file name in readable form.
    pub name: String,
}

impl Sample {
    /// Iterates over all prompts of the image, of which there is at least one: [`Self::prompt`], then
    /// [`Self::variants`].
    pub fn prompts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.prompt).chain(&self.variants).map(String::as_str)
    }
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
    /// How the pairs are read: as the settings of the data set say, until [`Dataset::check`] changes it.
    pub reading: PairReading,
    /// The pairs, at least one.
    pub samples: Vec<Sample>,
    /// The problems that were found, both of pairs in `samples` and of cases that were left out
    /// ([`Problem::is_left_out`]).
    pub findings: Vec<Finding>,
}

/// The result of [`Dataset::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of pairs whose mask has foreground; the caller decides what 0 means.
    pub with_foreground: usize,
}

/// Returns the masks of an image, found by the names that are usual in data sets. They are searched in the same
/// folder, and in a folder of masks within it or beside it. Empty if there are none or if the file is a mask
/// itself.
pub fn partners(image: &Path) -> Vec<PathBuf> {
    match (image.file_name(), image.parent()) {
        (Some(name), Some(folder)) => pairing::masks_beside(folder, name),
        _ => Vec::new(),
    }
}

/// The splits of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// The names of the splits that the data set defines, or `all` alone if it defines none.
    pub names: Vec<String>,
    /// Whether the data set itself states which image belongs to which split. If it does not, [`Dataset::open`]
    /// divides it by a hash, and this division must not be shown as that of the data set.
    pub are_said: bool,
}

/// Returns the splits of the data set in a folder, or of the part of a data set that the folder is.
///
/// # Errors
/// Returns an error if the folder cannot be read or has no images of a data set.
pub fn splits(folder: &Path) -> Result<Splits, DataError> {
    let arrangement = enclosing::find(folder)?.arrangement;
    if !arrangement.names_splits() {
        return Ok(Splits { names: vec!["all".into()], are_said: false });
    }
    let names = arrangement.sources.into_iter().map(|source| source.name).filter(|name| name != "all").collect();
    Ok(Splits { names, are_said: true })
}

/// Returns the folder of the data set that a folder is or is a part of; the folder itself if there is no data set.
pub fn root(folder: &Path) -> PathBuf {
    enclosing::find(folder).map_or_else(|_| folder.to_owned(), |found| found.root)
}

/// Returns how the pairs of a folder are read, from the settings of the data set that it is or is a part of.
///
/// # Errors
/// Returns the errors of [`PairReading::of`].
pub fn reading(folder: &Path) -> Result<PairReading, DataError> {
    PairReading::of(&root(folder))
}

/// An image with its masks, prompt and split in a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The image's file name, readable.
    pub name: String,
    /// The image's file.
    pub image: PathBuf,
    /// The files of the masks; empty if there are none.
    pub masks: Vec<PathBuf>,
    /// The prompt, unchanged; empty if there is none.
    pub prompt: String,
    /// The other prompts of the image; usually none.
    pub variants: Vec<String>,
    /// The split that the image belongs to; `None` if the data set does not state it.
    pub split: Option<String>,
    /// How image and masks are read: as the settings of the data set say, or by default.
    pub reading: PairReading,
}

/// Returns the cases of the images in a folder, or of the one image if `path` is a file, in the data set above
/// them. Empty if there is no such data set; [`partners`] finds masks without one.
pub fn cases(path: &Path) -> Vec<Case> {
    let Some(found) = enclosing::around(path) else { return Vec::new() };
    let names_splits = found.arrangement.names_splits();
    let reading = PairReading::of(&found.root).unwrap_or_default();
    let of_file = path.file_name().filter(|_| !path.is_dir());
    let mut cases: Vec<Case> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    // If lists divide a pool of images, the split of all images comes last and adds those that are in no list.
    for source in
        found.arrangement.sources.iter().filter(|source| !matches!(source.share, layout::Share::Tenths(_)))
    {
        if !enclosing::is_within(&source.images, path) {
            continue;
        }
        let split = Some(&source.name).filter(|name| names_splits && *name != "all");
        // A table that cannot be read is ignored here; the error is reported when the data set itself is opened.
        for pairing::Known { name, image, masks, prompt, variants } in pairing::known(source).unwrap_or_default() {
            let is_wanted = of_file.is_none_or(|file| image.file_name() == Some(file));
            if is_wanted && seen.insert(image.clone()) {
                let (split, reading) = (split.cloned(), reading.clone());
                cases.push(Case { name, image, masks, prompt, variants, split, reading });
            }
        }
    }
    cases
}

impl Dataset {
    /// Opens `split` of the data set in `folder`, or of the part of a data set that the folder is. It reads the
    /// table and the names of the files, but not their content. Cases that cannot be used (a missing file, a row
    /// that repeats another) are left out and listed in `findings`. Rows with other prompts for the same image
    /// become its variants.
    ///
    /// # Errors
    /// Returns an error if there are no images, no masks or no such split; if the table is unreadable, lacks a
    /// column or has no rows; if no row has both an image and a mask (the message names the first missing file);
    /// or if the settings of the data set cannot be read.
    pub fn open(folder: &Path, split: &str) -> Result<Self, DataError> {
        let enclosing::Enclosing { root, arrangement } = enclosing::find(folder)?;
        let source = arrangement.source(folder, split)?;
        let (samples, findings) = pairing::pairs(source)?;
        let reading = PairReading::of(&root)?;
        let split = source.name.clone();
        Ok(Self { root, layout: arrangement.layout, split, reading, samples, findings })
    }

    /// Like [`Self::open`], for a network that reads no prompt: every image with a mask is a pair, whether a table has a
    /// prompt for it or not. A table that divides the images into splits is read all the same.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_without_prompts(folder: &Path, split: &str) -> Result<Self, DataError> {
        let enclosing::Enclosing { root, arrangement } = enclosing::find(folder)?;
        let source = arrangement.source(folder, split)?;
        let table = source.table.clone().filter(|_| source.share == Share::ByTable);
        let (samples, mut findings) = pairing::pairs(&Source { table, ..source.clone() })?;
        findings.retain(|finding| finding.problem != Problem::EmptyPrompt);
        let reading = PairReading::of(&root)?;
        let split = source.name.clone();
        Ok(Self { root, layout: arrangement.layout, split, reading, samples, findings })
    }

    /// Opens every file once, and leaves out unreadable files and masks of another size than their image. Masks
    /// without foreground, and masks that are foreground everywhere, are listed in `findings`. `reading` becomes
    /// the reading of the data set.
    ///
    /// # Errors
    /// Returns an error if no pair is left. It is not an error if no mask has foreground, because a set of
    /// normal cases is useful together with others; callers without other data return
    /// [`Dataset::all_empty_error`].
    pub fn check(&mut self, reading: &PairReading) -> Result<Checked, DataError> {
        self.reading = reading.clone();
        survey::check(self)
    }

    /// Returns the error that no mask has foreground, with advice that depends on the reading.
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
