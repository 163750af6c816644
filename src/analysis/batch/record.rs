//! The manifest while a batch is running.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::manifest::{Entry, Manifest};
use crate::data::DataError;

/// The least time between two writings of the manifest after a mask, so that many quick images do not wait for it.
const PAUSE: Duration = Duration::from_secs(1);
/// The number of folders that are forgotten together before the first of them is replaced, so that the manifest of many
/// images is not written for each of them.
const TOGETHER: usize = 64;

/// The manifest, for all threads of a batch.
pub struct Record<'a> {
    out: &'a Path,
    kept: Mutex<Kept>,
}

struct Kept {
    manifest: Manifest,
    written: Instant,
}

impl<'a> Record<'a> {
    /// Begins with the manifest in the folder of the results.
    pub fn new(manifest: Manifest, out: &'a Path) -> Self {
        Self { out, kept: Mutex::new(Kept { manifest, written: Instant::now() }) }
    }

    /// Is called before files are written into the first of `folders`; the others follow later. If files of an earlier run
    /// lie in it, the manifest is written without them first: whenever the program ends, it never says of files that
    /// they are what they no longer are.
    ///
    /// # Errors
    /// The manifest cannot be written. Then nothing must be replaced.
    pub fn replace<'f>(&self, folders: impl Iterator<Item = &'f str>) -> Result<(), DataError> {
        let mut kept = self.kept();
        let mut folders = folders.peekable();
        if !folders.peek().is_some_and(|folder| kept.manifest.has_files_in(folder)) {
            return Ok(());
        }
        kept.manifest.forget(&folders.take(TOGETHER).collect::<HashSet<_>>());
        kept.write(self.out)
    }

    /// Adds what became of a mask, and writes the manifest if that is some time ago.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn put(&self, entry: Entry) -> Result<(), DataError> {
        let mut kept = self.kept();
        kept.manifest.put(entry);
        if kept.written.elapsed() >= PAUSE { kept.write(self.out) } else { Ok(()) }
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<(), DataError> {
        self.kept().write(self.out)
    }

    /// An entry is added or removed in one step, so that a poisoned lock holds no partial manifest.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn write(&mut self, out: &Path) -> Result<(), DataError> {
        self.written = Instant::now();
        self.manifest.write(out)
    }
}
