//! Finds the data set that a folder or a file belongs to: the folder itself, or a folder above it. A user who
//! opens `set/test`, `set/test/Images` or a file in it means a part of `set`, whose tables lie beside that part
//! and not in it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::layout::{self, Arrangement, IMAGES, Layout, Share, Source};
use super::listing::Listing;
use super::names::{fold, readable};
use crate::data::DataError;

/// The number of folders above a path that are examined: the folder of the images, of the split and of the data
/// set.
const HEIGHT: usize = 3;

/// A data set, or the part of one that lies at a path.
pub struct Enclosing {
    /// The folder of the data set.
    pub root: PathBuf,
    /// The arrangement of the data set. For a part of a data set, it has only the splits with images in that
    /// part.
    pub arrangement: Arrangement,
}

/// Returns the data set that a folder is, or belongs to. A folder that names its splits is a data set of its
/// own. Otherwise the folder is taken for a part of the data set above it, or, if there is none, for a data set
/// whose splits are made by a hash.
///
/// # Errors
/// Returns an error if the folder is not part of a data set and cannot be read or has no images of a data set.
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

/// Returns the data set above a folder or a file, if it states its split or its prompts. The search covers
/// [`HEIGHT`] folders, and does not leave the home folder or the file system. `None` if there is no such data
/// set.
pub fn around(path: &Path) -> Option<Enclosing> {
    // Both the path as written and the path with links resolved are tried: a data set may be reached through a
    // link, or consist of links.
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

/// Returns whether `folder` is the root of another file system than its parent. A link is not: it lies in the
/// file system of its parent.
#[cfg(unix)]
fn is_mounted(folder: &Path, parent: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::symlink_metadata(folder), fs::metadata(parent)) {
        (Ok(folder), Ok(parent)) => folder.dev() != parent.dev(),
        _ => true,
    }
}

/// Returns whether the folder cannot be found. On other systems the ancestors of a path end with its drive, so
/// that the search does not leave it.
#[cfg(not(unix))]
fn is_mounted(folder: &Path, _: &Path) -> bool {
    fs::symlink_metadata(folder).is_err()
}

/// Returns the arrangement of `root` with only the splits that have images at `path`, which lies below it.
/// `None` if `root` is not a data set that states their split or their prompts.
fn part(root: &Path, path: &Path) -> Option<Arrangement> {
    let mut rest = path.strip_prefix(root).ok()?.components();
    let (first, is_last) = (rest.next()?, rest.next().is_none());
    let below = root.join(first);
    let name = fold(&readable(first.as_os_str()));
    // Examining every folder in `root` takes long if there are many, so the one that leads to `path` is checked
    // first.
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

/// Returns whether the table of a split lies outside of the split's folder. Without such a table, a folder that
/// merely has images is not taken for a split.
fn is_told_from_outside(source: &Source) -> bool {
    let folder = source.images.parent();
    source.table.as_ref().is_some_and(|table| folder.is_some_and(|folder| !table.starts_with(folder)))
}

/// Returns whether one of the two paths lies within the other, as written or with links resolved.
fn is_at(images: &Path, path: &Path) -> bool {
    let meet = |images: &Path, path: &Path| images.starts_with(path) || path.starts_with(images);
    let real = || Some(meet(&images.canonicalize().ok()?, &path.canonicalize().ok()?));
    meet(images, path) || real().unwrap_or(false)
}

/// Returns whether a path is the folder `images` or lies in it, as written or with links resolved.
pub fn is_within(images: &Path, path: &Path) -> bool {
    let real = || Some(path.canonicalize().ok()?.starts_with(images.canonicalize().ok()?));
    path.starts_with(images) || real().unwrap_or(false)
}

impl Arrangement {
    /// Returns whether the arrangement states, by folders, tables or lists, which images belong to which split.
    pub fn names_splits(&self) -> bool {
        let is_divided = |source: &Source| matches!(source.share, Share::ByTable | Share::Listed(_));
        matches!(self.layout, Layout::Splits | Layout::Lvit) || self.sources.iter().any(is_divided)
    }
}
