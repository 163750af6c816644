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
    /// The time of the last writing.
    written: Instant,
    /// Whether entries were added since.
    has_new: bool,
}

impl<'a> Record<'a> {
    /// Begins with the manifest in the folder of the results.
    pub fn new(manifest: Manifest, out: &'a Path) -> Self {
        Self { out, kept: Mutex::new(Kept { manifest, written: Instant::now(), has_new: false }) }
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
        kept.has_new = true;
        kept.write_if_due(self.out)
    }

    /// Writes the manifest if it lacks entries and the last writing is some time ago, so that a mask does not wait for the
    /// end of a long stack.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn write_if_due(&self) -> Result<(), DataError> {
        self.kept().write_if_due(self.out)
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
        self.manifest.write(out)?;
        self.has_new = false;
        Ok(())
    }

    fn write_if_due(&mut self, out: &Path) -> Result<(), DataError> {
        if self.has_new && self.written.elapsed() >= PAUSE { self.write(out) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::batch::MANIFEST;

    #[test]
    fn what_was_put_is_written_later_without_another_mask() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(MANIFEST);
        let record = Record::new(Manifest::open(folder.path()).expect("none yet"), folder.path());
        // The last writing lies in the future, so that the pause has not passed however slow this is.
        record.kept().written = Instant::now() + Duration::from_secs(3600);
        record.put(Entry { image: "a.png".into(), ..Entry::default() }).expect("kept");
        assert!(!path.exists());
        let pass = || record.kept().written = Instant::now().checked_sub(PAUSE).expect("the clock is older");
        pass();
        record.write_if_due().expect("written");
        assert_eq!(Manifest::open(folder.path()).expect("a manifest").cases.len(), 1);
        std::fs::remove_file(&path).expect("it was there");
        pass();
        record.write_if_due().expect("nothing to do");
        assert!(!path.exists(), "there is nothing new to write");
    }
}
