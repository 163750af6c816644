//! What lies in a folder, found under any spelling of its name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Endings of the image files that are read.
const IMAGES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"];
/// Endings of the tables that are read.
const TABLES: &[&str] = &["csv", "tsv", "xlsx", "json"];
/// What a mask's name has and its image's has not, before or after it.
const BEFORE: &[&str] = &["mask_", "mask-", "gt_", "label_"];
const AFTER: &[&str] =
    &["_mask", "-mask", ".mask", "_segmentation", "_seg", "_gt", "-gt", "_label", "_groundtruth", "_lesion"];

/// Names in a folder, sorted.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    folder: PathBuf,
    /// Names of files.
    pub files: Vec<String>,
    /// Names of folders.
    pub folders: Vec<String>,
    /// Lower case to names, files and folders alike.
    spellings: HashMap<String, Vec<String>>,
}

impl Listing {
    /// Of a folder.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut listing = Self { folder: folder.to_owned(), ..Self::default() };
        for entry in fs::read_dir(folder)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // What systems leave behind is nobody's image: .DS_Store, ._a.png.
            if name.starts_with('.') {
                continue;
            }
            // Follows links, which `file_type` of the entry does not.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir())
                || (!entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.path().is_dir());
            if is_folder { &mut listing.folders } else { &mut listing.files }.push(name);
        }
        listing.files.sort();
        listing.folders.sort();
        for name in listing.files.iter().chain(&listing.folders) {
            listing.spellings.entry(name.to_lowercase()).or_default().push(name.clone());
        }
        Ok(listing)
    }

    /// Of a folder that may not exist.
    pub fn or_empty(folder: &Path) -> Self {
        Self::of(folder).unwrap_or_else(|_| Self { folder: folder.to_owned(), ..Self::default() })
    }

    /// The name as it is spelled here, if it is here.
    pub fn find(&self, name: &str) -> Option<&str> {
        let names = self.spellings.get(&name.to_lowercase())?;
        names.iter().find(|spelled| *spelled == name).or_else(|| names.first()).map(String::as_str)
    }

    /// The first of the folders of these names, as a path.
    pub fn folder(&self, names: &[&str]) -> Option<PathBuf> {
        let is_folder = |name: &&str| self.folders.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        names.iter().find_map(|name| self.find(name).filter(is_folder)).map(|name| self.folder.join(name))
    }

    /// All folders of these names, in the order of `names`.
    pub fn all_folders(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().filter_map(|name| self.folder(&[name])).collect()
    }

    /// The image files.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|name| has_end(name, IMAGES))
    }

    /// The files that may be tables, with their paths.
    pub fn tables(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let names = self.files.iter().map(String::as_str).filter(|name| has_end(name, TABLES));
        names.map(|name| (name, self.folder.join(name)))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ends.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// The name without its ending.
pub fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if has_end(name, IMAGES) || has_end(name, TABLES) => stem,
        _ => name,
    }
}

/// What image and mask have in common: the name without ending, case, and what marks a mask.
pub fn key(name: &str) -> String {
    let lower = stem(name).to_lowercase();
    let bare = BEFORE.iter().find_map(|mark| lower.strip_prefix(mark)).unwrap_or(&lower);
    let bare = AFTER.iter().find_map(|mark| bare.strip_suffix(mark)).unwrap_or(bare);
    if bare.is_empty() { lower } else { bare.to_owned() }
}

/// Whether the name is that of a mask.
pub fn is_mask(name: &str) -> bool {
    key(name) != stem(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_and_its_mask_have_one_key() {
        for mask in ["mask_A.png", "a_mask.JPG", "a.png", "A_Segmentation.png", "a-GT.tif", "MASK_a"] {
            assert_eq!(key(mask), "a", "{mask}");
        }
        assert_eq!(key("mask_.png"), "mask_");
        assert_eq!(key("v1.2"), "v1.2", "no ending that is known");
        assert!(is_mask("Mask_x.png") && is_mask("x_mask.png") && !is_mask("x.png") && !is_mask("masked.png"));
    }
}
