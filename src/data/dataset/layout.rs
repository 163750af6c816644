//! Recognises the layout of a folder and the parts of its splits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::listing::{Listing, stem};
use super::marks::key;
use super::names::{fold, natural, readable};
use super::table;
use crate::data::{DataError, subject};

/// Names of folders of images, compared without case.
pub const IMAGES: &[&str] = &["images", "image", "imgs", "img"];
/// Names of folders of masks, compared without case.
pub const MASKS: &[&str] = &[
    "gts",
    "gt",
    "masks",
    "mask",
    "labelcol",
    "labels",
    "label",
    "ground_truth",
    "groundtruth",
    "segmentations",
    "gts_binary",
];
/// Names of folders of tables, compared without case.
const TABLES: &[&str] = &["prompt", "prompts", "anns", "annotations", "text", "texts"];
/// The number of equal parts into which a hash divides the images of a folder that names no splits.
const PARTS: u64 = 10;

/// The known layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// The layout of the HiMix authors: `prompt/<split>.csv`, `<split>/Images`, `<split>/GTs`.
    Splits,
    /// The layout of LViT: `Train_Folder/img`, `Train_Folder/labelcol`, `Train_Folder/Train_text.xlsx`.
    Lvit,
    /// The layout of Kvasir-SEG as downloaded: `images` and `masks`, with tables or lists beside them.
    Folders,
    /// The images lie in the folder itself, with masks beside them or in a subfolder.
    Flat,
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Splits => "a folder for each split (as the authors of HiMix have it)",
            Self::Lvit => "Train_Folder, Val_Folder, Test_Folder (as LViT has it)",
            Self::Folders => "images and masks in two folders (as Kvasir-SEG is downloaded)",
            Self::Flat => "images in the folder itself",
        })
    }
}

/// The rule by which images belong to a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All images in the folder belong to the split.
    All,
    /// The images that the split's table names belong to it; the folder also has the images of other splits.
    ByTable,
    /// The images in this list belong to the split.
    Listed(PathBuf),
    /// The images in these tenths belong to the split. A hash of the subject, or of the name if it has no
    /// subject, assigns the tenth, so that all images of a subject are in one split.
    Tenths(std::ops::Range<u64>),
}

impl Share {
    /// Returns whether the image of this name belongs to these tenths.
    pub fn of_tenth(range: &std::ops::Range<u64>, name: &str) -> bool {
        let name = subject(name).map_or_else(|| key(name), fold);
        let hash = blake3::hash(name.as_bytes());
        let number = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
        range.contains(&(number % PARTS))
    }
}

/// The location of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the split.
    pub name: String,
    /// Table of the prompts; `None` if there is none.
    pub table: Option<PathBuf>,
    /// Folder of the images.
    pub images: PathBuf,
    /// Folders of the masks, the preferred first; the folder of the images if the masks lie among them.
    pub masks: Vec<PathBuf>,
    /// The rule by which images belong to the split.
    pub share: Share,
}

/// A folder whose layout was recognised.
pub struct Arrangement {
    /// The layout.
    pub layout: Layout,
    /// The splits: train, validation and test first, then by name.
    pub sources: Vec<Source>,
}

impl Arrangement {
    /// Returns the split of this name. Other spellings of the usual names, such as `valid` and `validation` for
    /// `val`, are accepted.
    ///
    /// # Errors
    /// Returns [`DataError::NoSplit`] if there is none.
    pub fn source(&self, root: &Path, split: &str) -> Result<&Source, DataError> {
        let exact = self.sources.iter().find(|source| source.name == split);
        let alike = || self.sources.iter().find(|source| canonical(&source.name) == canonical(split));
        // If there is one split only, `all` means that split.
        let only = || self.sources.first().filter(|_| split == "all" && self.sources.len() == 1);
        exact.or_else(alike).or_else(only).ok_or_else(|| {
            let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
            DataError::NoSplit { path: root.to_owned(), split: split.to_owned(), available: names.join(", ") }
        })
    }
}

/// Returns the canonical spelling of a split's name.
fn canonical(split: &str) -> String {
    match fold(split).as_str() {
        "val" | "valid" | "validation" | "dev" => "val".into(),
        "train" | "training" => "train".into(),
        "test" | "testing" => "test".into(),
        other => other.into(),
    }
}

/// Returns whether this is a usual name of a split for training, validation or testing. A folder of another name
/// may merely have images.
pub fn is_split_name(name: &str) -> bool {
    ["train", "val", "test"].contains(&canonical(name).as_str())
}

/// Returns whether a folder has tables of prompts, or lists of the images of its splits.
pub fn has_tables(listing: &Listing) -> bool {
    ["train.txt", "val.txt", "test.txt"].iter().any(|name| listing.find(name).is_some())
        || !tables(listing).is_empty()
}

/// Recognises the layout of a folder by its content alone, without regard to the folders above it.
///
/// # Errors
/// Returns an error if the folder cannot be read, or [`DataError::NoImages`] if it has no images of a data set.
pub fn recognise(root: &Path) -> Result<Arrangement, DataError> {
    let listing = Listing::of(root).map_err(|error| DataError::reading(root, &error))?;
    let (layout, mut sources) = split_folders(root, &listing)
        .or_else(|| one_pool(root, &listing))
        .ok_or_else(|| DataError::NoImages { path: root.to_owned() })?;
    let rank =
        |name: &str| ["train", "val", "test"].iter().position(|known| *known == canonical(name)).unwrap_or(3);
    sources.sort_by(|a, b| rank(&a.name).cmp(&rank(&b.name)).then_with(|| natural(&a.name, &b.name)));
    Ok(Arrangement { layout, sources })
}

/// Recognises the layouts with a folder for each split: those of the HiMix authors and of LViT. `None` if there
/// is no such folder.
fn split_folders(root: &Path, listing: &Listing) -> Option<(Layout, Vec<Source>)> {
    let tables = tables(listing);
    let mut layout = Layout::Splits;
    let mut sources = Vec::new();
    for folder in &listing.folders {
        let inner = Listing::or_empty(&listing.join(folder));
        let lower = fold(folder);
        let is_part = IMAGES.iter().chain(MASKS).chain(TABLES).any(|name| *name == lower);
        let Some(images) = inner.folder(IMAGES).filter(|_| !is_part) else { continue };
        let name = match lower.strip_suffix("_folder") {
            Some(short) => {
                layout = Layout::Lvit;
                short.to_owned()
            }
            None => folder.clone(),
        };
        let own = inner.tables().map(|(_, path)| path).find(|path| table::read(path).is_ok());
        let own = own.or_else(|| inner.tables().next().map(|(_, path)| path));
        let table = tables.get(&canonical(&name)).cloned().or(own);
        sources.push(Source { name, table, images, masks: inner.all_folders(MASKS), share: Share::All });
    }
    // A table without the folder of its split is reported when that split is opened.
    if let (Some(folder), None) = (listing.folder(&["prompt"]), listing.folder(IMAGES)) {
        for (name, path) in tables.iter().filter(|(_, path)| path.starts_with(&folder)) {
            if !sources.iter().any(|source| canonical(&source.name) == *name) {
                let folder = root.join(name);
                sources.push(Source {
                    name: path.file_stem().map(|stem| readable(stem).into_owned()).unwrap_or_default(),
                    table: Some(path.clone()),
                    images: folder.join("Images"),
                    masks: vec![folder.join("GTs")],
                    share: Share::All,
                });
            }
        }
    }
    (!sources.is_empty()).then_some((layout, sources))
}

/// Recognises the layouts with all images in one folder. Tables or lists named after splits divide them, or else
/// a hash. `None` if there are no images.
fn one_pool(root: &Path, listing: &Listing) -> Option<(Layout, Vec<Source>)> {
    let (layout, images) = match listing.folder(IMAGES) {
        Some(images) => (Layout::Folders, images),
        None if listing.images().next().is_some() => (Layout::Flat, root.to_owned()),
        None => return None,
    };
    let mut masks = listing.all_folders(MASKS);
    if masks.is_empty() {
        masks.push(images.clone());
    }
    let source = |name: &str, table: Option<PathBuf>, share| Source {
        name: name.to_owned(),
        table,
        images: images.clone(),
        masks: masks.clone(),
        share,
    };
    let by_name = tables(listing);
    if by_name.keys().any(|name| is_split_name(name)) {
        let named = by_name.iter().filter(|(name, _)| is_split_name(name));
        return Some((
            layout,
            named.map(|(name, path)| source(name, Some(path.clone()), Share::ByTable)).collect(),
        ));
    }
    // The first table with both columns is used, or else the first table, so that its error is reported.
    let table = by_name.values().find(|path| table::read(path).is_ok());
    let only_csv = || by_name.values().find(|path| path.extension().is_none_or(|end| end != "json"));
    let table = table.or_else(only_csv).cloned();
    let mut lists: Vec<Source> = Vec::new();
    for name in ["train", "val", "test"] {
        if let Some(list) = listing.find(&format!("{name}.txt")) {
            lists.push(source(name, table.clone(), Share::Listed(listing.join(list))));
        }
    }
    if lists.is_empty() {
        for (name, tenths) in [("train", 0..8), ("val", 8..9), ("test", 9..10)] {
            lists.push(source(name, table.clone(), Share::Tenths(tenths)));
        }
    }
    lists.push(source("all", table, Share::All));
    Some((layout, lists))
}

/// Returns the tables in the folder and in its folders of tables, by the name of the split in their file names.
fn tables(listing: &Listing) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let folders = listing.all_folders(TABLES);
    let listings = folders.iter().map(|folder| Listing::or_empty(folder)).chain([listing.clone()]);
    for listing in listings {
        for (name, path) in listing.tables() {
            let lower = fold(stem(name));
            let bare = lower.strip_suffix("_text").unwrap_or(&lower);
            found.entry(canonical(bare)).or_insert(path);
        }
    }
    found
}
