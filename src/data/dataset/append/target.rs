//! Where a new pair goes: the split, its folders and its table.

use std::path::{Path, PathBuf};

use crate::data::dataset::enclosing;
use crate::data::dataset::layout::{Arrangement, Layout, Share, Source};
use crate::data::dataset::listing::Listing;
use crate::data::dataset::names::fold;
use crate::data::dataset::{Dataset, readable};
use crate::data::{DataError, subject};

/// Of so many pairs, one goes to validation.
const VALIDATION_SHARE: usize = 5;

/// A split that pairs can be added to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The folder of the data set.
    pub root: PathBuf,
    /// The name of the split.
    pub split: String,
    /// The folder of the images, which need not exist.
    pub images: PathBuf,
    /// The folder of the masks, which need not exist.
    pub masks: PathBuf,
    /// The CSV table of the prompts, which need not exist.
    pub table: PathBuf,
}

/// The data set that pairs are added to.
pub struct Place {
    root: PathBuf,
    layout: Layout,
    sources: Vec<Source>,
}

impl Place {
    /// Recognises the data set in a folder. A folder without images becomes one in the layout of the authors.
    pub fn of(folder: &Path) -> Result<Self, DataError> {
        match enclosing::find(folder) {
            Ok(enclosing::Enclosing { root, arrangement: Arrangement { layout, sources } }) => {
                Ok(Self { root, layout, sources })
            }
            Err(DataError::NoImages { .. }) => {
                Ok(Self { root: folder.to_owned(), layout: Layout::Splits, sources: Vec::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the folder of the data set.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Iterates over the splits that exist. If lists or a hash divide one pool of images, it is the pool.
    pub fn targets(&self) -> impl Iterator<Item = Result<Target, DataError>> {
        let is_pool = self.sources.iter().any(|source| source.name == "all");
        let counts = move |source: &&Source| !is_pool || source.name == "all";
        self.sources.iter().filter(counts).map(|source| self.target(source))
    }

    /// Returns the split for a new pair of this name: the wanted one, which is created if it does not exist, or by default
    /// the split of the same subject, otherwise one in five goes to validation.
    pub fn choose(&self, wanted: Option<&str>, name: &str) -> Result<Target, DataError> {
        if let Some(pool) = self.sources.iter().find(|source| source.name == "all") {
            return self.target(pool);
        }
        let wanted = match wanted {
            Some(wanted) => wanted.to_owned(),
            None => match subject(name).and_then(|subject| self.split_of(subject)) {
                Some(split) => split,
                None => {
                    let count = |split| Dataset::open(&self.root, split).map_or(0, |known| known.samples.len());
                    let (training, validation) = (count("train"), count("val"));
                    let is_due = training > 0 && validation * VALIDATION_SHARE < training + validation + 1;
                    if is_due { "val".to_owned() } else { "train".to_owned() }
                }
            },
        };
        let arrangement = Arrangement { layout: self.layout, sources: self.sources.clone() };
        match arrangement.source(&self.root, &wanted) {
            Ok(source) => self.target(source),
            Err(_) => self.new_split(&wanted),
        }
    }

    /// Returns the split in which this subject is.
    fn split_of(&self, of: &str) -> Option<String> {
        let has = |source: &&Source| {
            let images = Listing::or_empty(&source.images);
            images.images().any(|name| subject(name).is_some_and(|known| fold(known) == fold(of)))
        };
        self.sources.iter().find(has).map(|source| source.name.clone())
    }

    /// Returns the places of a split that does not exist yet.
    fn new_split(&self, split: &str) -> Result<Target, DataError> {
        let is_plain =
            !split.is_empty() && split.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
        if !is_plain {
            return Err(self.refuse(&self.root, format!("'{split}' cannot be the name of a split")));
        }
        let (images, masks, table) = match self.layout {
            Layout::Splits => {
                let folder = self.root.join(split);
                let table = self.root.join("prompt").join(format!("{split}.csv"));
                (folder.join("Images"), folder.join("GTs"), table)
            }
            Layout::Lvit => {
                let mut title = split.to_owned();
                title.get_mut(..1).iter_mut().for_each(|first| first.make_ascii_uppercase());
                let folder = self.root.join(format!("{title}_Folder"));
                (folder.join("img"), folder.join("labelcol"), folder.join(format!("{title}_text.csv")))
            }
            Layout::Folders | Layout::Flat => {
                return Err(self.refuse(&self.root, format!("its images are not divided into a split '{split}'")));
            }
        };
        Ok(Target { root: self.root.clone(), split: split.to_owned(), images, masks, table })
    }

    /// Returns the places of a split that exists.
    fn target(&self, source: &Source) -> Result<Target, DataError> {
        let table = match &source.table {
            Some(table) => table.clone(),
            None if self.layout == Layout::Splits => self.root.join("prompt").join(format!("{}.csv", source.name)),
            None => return Err(self.refuse(&self.root, "it has no table of prompts".into())),
        };
        let end = table.extension().map(|end| readable(end).to_lowercase()).unwrap_or_default();
        if end == "xlsx" || end == "json" {
            let kind = if end == "xlsx" { "a workbook" } else { "a JSON file" };
            let reason =
                format!("its table is {kind}, to which rows cannot be added safely; save it as CSV in its place");
            return Err(self.refuse(&table, reason));
        }
        if source.table.is_none() && Listing::or_empty(&source.images).images().next().is_some() {
            // With a table, images that it does not name would no longer be used.
            return Err(self.refuse(&self.root, format!("its split {} has no table of prompts", source.name)));
        }
        if let Share::Listed(list) = &source.share {
            return Err(self.refuse(list, "this list says which images belong to a split".into()));
        }
        let masks = source.masks.first().cloned();
        let masks = masks.unwrap_or_else(|| source.images.with_file_name("GTs"));
        let (root, split, images) = (self.root.clone(), source.name.clone(), source.images.clone());
        Ok(Target { root, split, images, masks, table })
    }

    fn refuse(&self, path: &Path, reason: String) -> DataError {
        DataError::Append { path: path.to_owned(), reason }
    }
}
