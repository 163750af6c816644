//! The data set that a folder or a file belongs to: the folder itself, or one that is found by looking upwards. Whoever opens
//! `set/test`, `set/test/Images` or one of its files means a part of `set`, whose tables stand beside that part and not within it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::layout::{self, Arrangement, IMAGES, Layout, Share, Source};
use super::listing::Listing;
use super::names::{fold, readable};
use crate::data::DataError;

/// Folders above a path that are looked into: those of the images, of the split and of the data set.
const HEIGHT: usize = 3;

/// A data set, or the part of one that lies at a path.
pub struct Enclosing {
    /// The folder of the data set.
    pub root: PathBuf,
    /// Its arrangement; of a part, with the splits that have images there.
    pub arrangement: Arrangement,
}

/// The folder as a data set: its own arrangement where that says what the splits are, else the part that the folder is of the data set
/// around it, else its own arrangement, divided by a hash.
///
/// # Errors
/// The folder cannot be read, or has nothing that could be images of a data set and is no part of one.
pub fn find(folder: &Path) -> Result<Enclosing, DataError> {
    let own = layout::recognise(folder);
    let has_splits = own.as_ref().is_ok_and(Arrangement::names_splits);
    if !has_splits
        && folder.is_dir()
        && let Some(found) = around(folder)
    {
        return Ok(found);
    }
    own.map(|arrangement| Enclosing { root: folder.to_owned(), arrangement })
}

/// The data set above a folder or a file that says something of it: its split or its prompts. `None` where there is none within
/// [`HEIGHT`] folders, below the home folder and on the same file system.
pub fn around(path: &Path) -> Option<Enclosing> {
    // As it is spelled, and where links lead: a data set may be reached through a link, or be made of links.
    let spelled =
        std::path::absolute(path).ok().filter(|path| path.components().all(|part| part != Component::ParentDir));
    let real = path.canonicalize().ok().filter(|real| Some(real) != spelled.as_ref());
    spelled.into_iter().chain(real).find_map(|path| climb(&path))
}

fn climb(path: &Path) -> Option<Enclosing> {
    let home = std::env::home_dir();
    let mut below = path;
    for root in path.ancestors().skip(1).take(HEIGHT) {
        if is_mounted(below, root) || home.as_deref() == Some(below) {
            return None;
        }
        if let Some(arrangement) = part(root, path) {
            return Some(Enclosing { root: root.to_owned(), arrangement });
        }
        below = root;
    }
    None
}

/// Whether `folder` is the root of another file system than its parent. A link is none: it lies where its parent does.
#[cfg(unix)]
fn is_mounted(folder: &Path, parent: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::symlink_metadata(folder), fs::metadata(parent)) {
        (Ok(folder), Ok(parent)) => folder.dev() != parent.dev(),
        _ => true,
    }
}

/// Elsewhere the ancestors of a path end with its drive.
#[cfg(not(unix))]
fn is_mounted(folder: &Path, _: &Path) -> bool {
    fs::symlink_metadata(folder).is_err()
}

/// The arrangement of `root` with the splits that have images at `path` below it. `None` where it says nothing of them.
fn part(root: &Path, path: &Path) -> Option<Arrangement> {
    let mut rest = path.strip_prefix(root).ok()?.components();
    let (first, is_last) = (rest.next()?, rest.next().is_none());
    let below = root.join(first);
    let name = fold(&readable(first.as_os_str()));
    // Looking at every folder beside it would take long in a folder of many, so that this one is looked at first.
    let is_pool = IMAGES.contains(&name.as_str()) || (is_last && !below.is_dir());
    let is_candidate = match is_pool {
        true => layout::has_tables(&Listing::of(root).ok()?),
        false => Listing::of(&below).ok()?.folder(IMAGES).is_some(),
    };
    let mut arrangement = layout::recognise(root).ok().filter(|_| is_candidate)?;
    let is_split_folder = matches!(arrangement.layout, Layout::Splits | Layout::Lvit);
    arrangement.sources.retain(|source| {
        let is_told = !is_split_folder || layout::is_split_name(&source.name) || is_told_from_outside(source);
        is_told && is_at(&source.images, path)
    });
    let says = arrangement.names_splits() || arrangement.sources.iter().any(|source| source.table.is_some());
    (says && !arrangement.sources.is_empty()).then_some(arrangement)
}

/// Whether the table of a split lies outside of the folder of that split: a folder that merely has images is no split.
fn is_told_from_outside(source: &Source) -> bool {
    let folder = source.images.parent();
    source.table.as_ref().is_some_and(|table| folder.is_some_and(|folder| !table.starts_with(folder)))
}

/// Whether one of the two lies within the other, as they are spelled or where links lead.
fn is_at(images: &Path, path: &Path) -> bool {
    let meet = |images: &Path, path: &Path| images.starts_with(path) || path.starts_with(images);
    let real = || Some(meet(&images.canonicalize().ok()?, &path.canonicalize().ok()?));
    meet(images, path) || real().unwrap_or(false)
}

/// Whether a path lies in the folder of the images of a split, or is that folder.
pub fn is_within(images: &Path, path: &Path) -> bool {
    let real = || Some(path.canonicalize().ok()?.starts_with(images.canonicalize().ok()?));
    path.starts_with(images) || real().unwrap_or(false)
}

impl Arrangement {
    /// Whether it says which images belong to which split, by folders, tables or lists.
    pub fn names_splits(&self) -> bool {
        let is_divided = |source: &Source| matches!(source.share, Share::ByTable | Share::Listed(_));
        matches!(self.layout, Layout::Splits | Layout::Lvit) || self.sources.iter().any(is_divided)
    }
}
