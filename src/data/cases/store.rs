//! Where the states and masks of a folder lie: reading those of all readers, and recording those of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::file::{CasesFile, FILE};
use super::reader::{folder_name, is_same_reader};
use super::{CaseChange, FOLDER, ReaderCases, masks, time};
use crate::data::{DataError, dataset, fingerprint, paths};

/// The most readers of a folder.
const MOST_READERS: usize = 1000;
/// The file whose lock a program holds while it changes the states of a reader.
const LOCK: &str = "cases.lock";

/// The states and masks of the cases of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseStore {
    /// The folder of the data, or of the whole data set of which it is a part.
    home: PathBuf,
    /// The folder that is used if `home` cannot be written to; `None` without a folder of settings.
    apart: Option<PathBuf>,
}

/// A reader's folder, which exists and can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderPlace {
    /// The folder.
    pub folder: PathBuf,
    reader: String,
}

impl CaseStore {
    /// Returns the store of a folder of cases. If it is a part of a data set, the store is that of the whole data set, so
    /// that a case has one state, wherever the list begins. `settings` is the folder of the settings.
    pub fn of(folder: &Path, settings: Option<&Path>) -> Self {
        let home = paths::canonical(&dataset::root(folder));
        let key = fingerprint::of_bytes(home.as_os_str().as_encoded_bytes());
        Self { apart: settings.map(|settings| settings.join(FOLDER).join(&key[..16])), home }
    }

    /// Returns the folder of the data, or of the whole data set of which it is a part.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the identifier of a case: the path of its image, or of the first file of its series, relative to the folder
    /// of the store, with `/` between its parts.
    pub fn id(&self, image: &Path) -> String {
        let below = image.strip_prefix(&self.home).map(Path::to_owned).ok();
        let below = below.or_else(|| paths::canonical(image).strip_prefix(&self.home).map(Path::to_owned).ok());
        let path = below.or_else(|| paths::way(&self.home, &paths::canonical(image)));
        let path = path.unwrap_or_else(|| image.to_owned());
        let parts = path.components().filter(|part| !matches!(part, Component::RootDir));
        parts.map(|part| dataset::readable(part.as_os_str()).into_owned()).collect::<Vec<_>>().join("/")
    }

    /// Reads what all readers did, each once and sorted by name, with notes about files that could not be read. The newer
    /// of two entries of a reader for one case counts. A damaged file is renamed.
    pub fn read(&self) -> (Vec<ReaderCases>, Vec<String>) {
        let (mut readers, mut notes): (Vec<ReaderCases>, _) = (Vec::new(), Vec::new());
        for folder in self.places().flat_map(|place| folders(&place)) {
            let found = match CasesFile::read_or_set_aside(&folder.join(FILE)) {
                Ok((file, note)) => {
                    notes.extend(note);
                    file.map(|file| file.content(&folder))
                }
                Err(error) => {
                    notes.push(error.to_string());
                    None
                }
            };
            let Some(found) = found else { continue };
            match readers.iter_mut().find(|known| is_same_reader(&known.reader, &found.reader)) {
                None => readers.push(found),
                Some(known) => {
                    for (id, entry) in found.cases {
                        if known.cases.get(&id).is_none_or(|known| known.at < entry.at) {
                            known.cases.insert(id, entry);
                        }
                    }
                }
            }
        }
        readers.sort_by(|a, b| dataset::natural(&dataset::fold(&a.reader), &dataset::fold(&b.reader)));
        (readers, notes)
    }

    /// Creates the folder of a reader, beside the data if possible, otherwise in the folder of the settings.
    ///
    /// # Errors
    /// Returns an error if neither can be written to, or if the disk is full.
    pub fn place(&self, reader: &str) -> Result<ReaderPlace, DataError> {
        let mut failure = None;
        for place in self.places() {
            let folder = place.join(folder_name(reader));
            match fs::create_dir_all(&folder).and_then(|()| lock_file(&folder)) {
                Ok(_) => return Ok(ReaderPlace { folder, reader: reader.trim().to_owned() }),
                // On a full disk the next attempt may succeed; another place would hide the problem.
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    return Err(DataError::writing(&folder, error));
                }
                Err(error) => failure = failure.or_else(|| Some(DataError::writing(&folder, error))),
            }
        }
        Err(failure
            .unwrap_or_else(|| DataError::writing(&self.home, io::Error::from(ErrorKind::PermissionDenied))))
    }

    /// Returns the places beside the data and in the folder of the settings.
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        [self.home.join(FOLDER)].into_iter().chain(self.apart.clone())
    }
}

impl ReaderPlace {
    /// Records changes now. They are merged with what other programs wrote meanwhile: only these cases change. Returns
    /// all cases of the reader in this place, and a note if a damaged file had to be set aside.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written, or if it was written by a newer version.
    pub fn record(&self, changes: &[CaseChange]) -> Result<(ReaderCases, Option<String>), DataError> {
        let _lock = self.lock()?;
        let path = self.folder.join(FILE);
        let (file, note) = CasesFile::read_or_set_aside(&path)?;
        let mut file = file.unwrap_or_else(|| CasesFile::new(&self.reader));
        file.apply(&self.reader, changes, &time::now());
        file.write(&path)?;
        Ok((file.content(&self.folder), note))
    }

    /// Returns the name of the mask of a case below the folder of the reader: the one that it has already, otherwise that of
    /// its image as `.png`, or as `.nii.gz` for a stack. No other case has the same. Folders on the way are created.
    ///
    /// # Errors
    /// Returns an error if a folder cannot be created or the file of the states cannot be read.
    pub fn mask_name(&self, id: &str, is_stack: bool) -> Result<String, DataError> {
        let file = match CasesFile::read(&self.folder.join(FILE)) {
            Ok(file) => file,
            Err(super::file::Refusal::Unusable(error)) => return Err(error),
            Err(super::file::Refusal::Damaged(_)) => None,
        };
        let has_end = |name: &&str| masks::is_stack(name) == is_stack;
        let name = match file.as_ref().and_then(|file| file.mask(id)).filter(has_end) {
            Some(known) => known.to_owned(),
            None => {
                let is_free = |name: &String| {
                    file.as_ref().is_none_or(|file| file.masks_of_others(id).all(|other| other != name))
                };
                masks::names(id, is_stack).find(is_free).unwrap_or_default()
            }
        };
        let path = self.folder.join(&name);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(|error| DataError::writing(folder, error))?;
        Ok(name)
    }

    /// Waits for the lock of this reader. On a file system without locks there is none.
    fn lock(&self) -> Result<File, DataError> {
        let lock = lock_file(&self.folder).map_err(|error| DataError::writing(&self.folder, error))?;
        let _ = lock.lock();
        Ok(lock)
    }
}

/// Opens the file to lock in the folder of a reader, and creates it if necessary.
fn lock_file(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))
}

/// Returns the folders of readers in a place.
fn folders(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join(FILE).exists()).take(MOST_READERS).collect();
    folders.sort();
    folders
}
