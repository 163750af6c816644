//! Lists a folder, and finds names in it without regard to their spelling.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::names::{fold, readable};
use crate::data::cases_folder::CASES_FOLDER;

/// Extensions of supported image files.
const IMAGES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"];
/// Extensions of supported table files.
const TABLES: &[&str] = &["csv", "tsv", "xlsx", "json"];

/// The sorted names in a folder, in readable form. Each name stands for one file or folder; [`Listing::join`]
/// returns its path.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    folder: PathBuf,
    /// Readable names of the files, without hidden files.
    pub files: Vec<String>,
    /// Readable names of the folders, without hidden folders.
    pub folders: Vec<String>,
    /// Maps the folded names of files and folders to their readable names.
    spellings: HashMap<String, Vec<String>>,
    /// Maps readable names to the names in the file system, for those that are not valid Unicode.
    foreign: HashMap<String, OsString>,
}

impl Listing {
    /// Lists a folder.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut listing = Self { folder: folder.to_owned(), ..Self::default() };
        let mut foreign = Vec::new();
        for entry in fs::read_dir(folder)?.flatten() {
            // This follows links, which `file_type` of the entry does not.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir())
                || (!entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.path().is_dir());
            match entry.file_name().into_string() {
                // Hidden files such as .DS_Store and ._a.png are not images.
                Ok(name) if name.starts_with('.') => {}
                // The readers' masks are not images of the folder.
                Ok(name) if is_folder && name == CASES_FOLDER => {}
                Ok(name) => if is_folder { &mut listing.folders } else { &mut listing.files }.push(name),
                Err(name) => foreign.push((name, is_folder)),
            }
        }
        listing.add_foreign(foreign);
        listing.files.sort();
        listing.folders.sort();
        for name in listing.files.iter().chain(&listing.folders) {
            listing.spellings.entry(fold(name)).or_default().push(name.clone());
        }
        Ok(listing)
    }

    /// Adds names that are not valid Unicode, each under a readable name that no other file here has.
    fn add_foreign(&mut self, mut names: Vec<(OsString, bool)>) {
        if names.is_empty() {
            return;
        }
        names.sort();
        let mut taken: HashSet<String> = self.files.iter().chain(&self.folders).cloned().collect();
        for (name, is_folder) in names {
            let plain = readable(&name).into_owned();
            if plain.starts_with('.') {
                continue;
            }
            let Some(free) = [plain, escaped(&name)].into_iter().find(|text| !taken.contains(text)) else {
                continue;
            };
            taken.insert(free.clone());
            if is_folder { &mut self.folders } else { &mut self.files }.push(free.clone());
            self.foreign.insert(free, name);
        }
    }

    /// Lists a folder; the listing is empty if the folder cannot be read.
    pub fn or_empty(folder: &Path) -> Self {
        Self::of(folder).unwrap_or_else(|_| Self { folder: folder.to_owned(), ..Self::default() })
    }

    /// Returns the name as it is spelled in this folder, or `None` if no file or folder has this name in any
    /// spelling.
    pub fn find(&self, name: &str) -> Option<&str> {
        let names = self.spellings.get(&fold(name))?;
        names.iter().find(|spelled| *spelled == name).or_else(|| names.first()).map(String::as_str)
    }

    /// Returns the readable name of a file or folder, given its name in the file system.
    pub fn name_of(&self, name: &OsStr) -> Option<&str> {
        match name.to_str() {
            Some(name) => self.find(name),
            None => self.foreign.iter().find(|(_, real)| *real == name).map(|(text, _)| text.as_str()),
        }
    }

    /// Returns the path of a readable name of this listing.
    pub fn join(&self, name: &str) -> PathBuf {
        match self.foreign.get(name) {
            Some(real) => self.folder.join(real),
            None => self.folder.join(name),
        }
    }

    /// Returns the path of the folder that has one of these names, the first names being preferred.
    pub fn folder(&self, names: &[&str]) -> Option<PathBuf> {
        let is_folder = |name: &&str| self.folders.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        names.iter().find_map(|name| self.find(name).filter(is_folder)).map(|name| self.join(name))
    }

    /// Returns all folders with these names, in the order of `names`.
    pub fn all_folders(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().filter_map(|name| self.folder(&[name])).collect()
    }

    /// Iterates over the names of the image files.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|name| has_end(name, IMAGES))
    }

    /// Iterates over the names of the files that may be tables, with their paths.
    pub fn tables(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let names = self.files.iter().map(String::as_str).filter(|name| has_end(name, TABLES));
        names.map(|name| (name, self.join(name)))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

/// Returns the name with its parts that are not valid Unicode written as numbers.
fn escaped(name: &OsStr) -> String {
    format!("{name:?}").trim_matches('"').to_owned()
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ends.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Returns the name without the extension of an image or a table. Other extensions are kept.
pub fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if has_end(name, IMAGES) || has_end(name, TABLES) => stem,
        _ => name,
    }
}
