//! Tells the images of a folder from the results of batches that lie among them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST, Manifest};
use crate::data::DataError;

/// Knows the results below a folder of images.
pub struct Results {
    folder: PathBuf,
    /// The folder of the results of this run, if it is below that of the images.
    out: Option<PathBuf>,
    /// For folders that were looked at, whether they have or are in a folder with a manifest.
    known: HashMap<PathBuf, bool>,
}

impl Results {
    /// Prepares for the images below `folder` and results in `out`, which exists.
    ///
    /// # Errors
    /// Both are the same folder, in which a folder of results would have the name of its image.
    pub fn of(folder: &Path, out: &Path) -> Result<Self, DataError> {
        let [folder, out] = [folder, out].map(real);
        if folder == out {
            let reason = "this is the folder of the images; choose another one for the results, such as one in it";
            return Err(DataError::Results { path: out, reason: reason.into() });
        }
        let out = out.starts_with(&folder).then_some(out);
        Ok(Self { folder, out, known: HashMap::new() })
    }

    /// Returns whether a file is the result of this batch or of another one: whether it lies in the folder of the results,
    /// or below the folder of the images in one with a manifest.
    pub fn has(&mut self, file: &Path) -> bool {
        let file = real(file);
        if self.out.as_ref().is_some_and(|out| file.starts_with(out)) {
            return true;
        }
        file.parent().is_some_and(|folder| self.is_of_batch(folder))
    }

    fn is_of_batch(&mut self, folder: &Path) -> bool {
        // The images may themselves be the masks of a batch, if that is what the user asks for.
        if folder == self.folder || !folder.starts_with(&self.folder) {
            return false;
        }
        if let Some(known) = self.known.get(folder) {
            return *known;
        }
        let has_manifest = || folder.join(MANIFEST).is_file() && Manifest::open(folder).is_ok();
        let is_so = folder.parent().is_some_and(|parent| self.is_of_batch(parent)) || has_manifest();
        self.known.insert(folder.to_owned(), is_so);
        is_so
    }
}

/// Returns the path without links; as it is if it cannot be found.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
