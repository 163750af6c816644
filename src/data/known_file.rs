//! Files that are saved again and again, and that other programs may change in the meantime.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{DataError, fingerprint, write};

/// What is known of a file that is saved: the content that it had when it was last read or written here. Saving it never
/// replaces the work of somebody else unnoticed, and the first save keeps the version before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    path: PathBuf,
    /// The fingerprint of the known content; `None` if there was no file.
    content: Option<String>,
    /// Whether the version before the first save was kept.
    has_backup: bool,
}

impl KnownFile {
    /// The file at `path` as it is now, whether or not it exists. Use this for a target that the user has just chosen,
    /// and agreed to replace.
    ///
    /// # Errors
    /// Returns an error if the file exists and cannot be read.
    pub fn as_it_is(path: PathBuf) -> Result<Self, DataError> {
        Ok(Self { content: content(&path)?, path, has_backup: false })
    }

    /// The file at `path` that had the content with this fingerprint when it was read; `None` if there was no file.
    pub fn with_content(path: PathBuf, content: Option<String>) -> Self {
        Self { path, content, has_backup: false }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the fingerprint of the content that was last read or written here; `None` if there was no file.
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Returns whether the file has another content than the known one. A file that was deleted has not: saving it again
    /// replaces nothing.
    ///
    /// # Errors
    /// Returns an error if the file exists and cannot be read.
    pub fn is_changed(&self) -> Result<bool, DataError> {
        let now = content(&self.path)?;
        Ok(now.is_some() && now != self.content)
    }

    /// Saves `bytes`. The first save of an existing file keeps its content under [`backup_path`]. A file that has this
    /// content already is left as it is.
    ///
    /// # Errors
    /// Returns [`DataError::ChangedByOthers`] if another program has changed the file, and
    /// [`DataError::Unwritable`] if it or its backup cannot be written. The file is then unchanged.
    pub fn save(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let new = fingerprint::of_bytes(bytes);
        let now = content(&self.path)?;
        if now.is_some() && now != self.content {
            return Err(DataError::ChangedByOthers { path: self.path.clone() });
        }
        if now.as_ref() != Some(&new) {
            if now.is_some() && !self.has_backup {
                self.keep_version()?;
            }
            write::durably(&self.path, |out| out.write_all(bytes))?;
        }
        self.content = Some(new);
        Ok(())
    }

    /// Copies the file to [`backup_path`], in place of an older backup.
    fn keep_version(&mut self) -> Result<(), DataError> {
        let mut file = File::open(&self.path).map_err(|error| DataError::reading(&self.path, &error))?;
        write::durably(&backup_path(&self.path), |out| io::copy(&mut file, out).map(drop))?;
        self.has_backup = true;
        Ok(())
    }
}

/// Returns the path under which the version before the first save is kept: the name with `.bak` behind it.
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    PathBuf::from(name)
}

/// The fingerprint of the file; `None` if there is none.
fn content(path: &Path) -> Result<Option<String>, DataError> {
    // What is no regular file, such as a pipe, has no content that could be lost, and reading it may never end.
    if fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Ok(None);
    }
    match fingerprint::of_file(path, &|_| true) {
        Ok(content) => Ok(Some(content)),
        Err(DataError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    fn is_refused(outcome: &Result<(), DataError>) -> bool {
        matches!(outcome, Err(DataError::ChangedByOthers { .. }))
    }

    #[test]
    fn the_version_before_the_first_save_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.txt");
        let backup = folder.path().join("case.txt.bak");
        let mut file = KnownFile::as_it_is(path.clone()).expect("no file yet");
        file.save(b"one").expect("saved");
        assert!(!backup.exists(), "there was no version before");

        let mut file = KnownFile::as_it_is(path.clone()).expect("a file");
        file.save(b"one").expect("saved");
        assert!(!backup.exists(), "nothing was changed");
        for text in ["two", "three"] {
            file.save(text.as_bytes()).expect("saved");
            assert_eq!((read(&path), read(&backup)), (text.into(), "one".into()));
        }
        KnownFile::as_it_is(path.clone()).expect("a file").save(b"four").expect("saved");
        assert_eq!((read(&path), read(&backup)), ("four".into(), "three".into()));
    }

    #[test]
    fn what_others_changed_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.txt");
        let mut file = KnownFile::with_content(path.clone(), None);
        fs::write(&path, "theirs").expect("written");
        assert!(file.is_changed().expect("readable") && is_refused(&file.save(b"ours")));
        assert_eq!(read(&path), "theirs");

        let known = fingerprint::of_bytes(b"theirs");
        let mut file = KnownFile::with_content(path.clone(), Some(known));
        assert!(!file.is_changed().expect("readable"));
        file.save(b"ours").expect("saved");
        fs::write(&path, "theirs again").expect("written");
        assert!(is_refused(&file.save(b"ours again")), "changed after it was saved here");
        assert_eq!(read(&path), "theirs again");

        // The user decides to replace it.
        let mut file = KnownFile::as_it_is(path.clone()).expect("a file");
        file.save(b"ours again").expect("saved");
        assert_eq!(read(&backup_path(&path)), "theirs again");
        fs::remove_file(&path).expect("deleted");
        assert!(!file.is_changed().expect("readable"), "nothing is left that could be lost");
        file.save(b"ours once more").expect("saved");
        assert_eq!(read(&path), "ours once more");
    }

    #[test]
    fn what_cannot_be_written_stays_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("none/case.txt");
        let mut file = KnownFile::as_it_is(path).expect("no file yet");
        assert!(matches!(file.save(b"one"), Err(DataError::Unwritable { .. })));
        assert_eq!(file.content(), None);
        // A folder in the place of the backup: the version before could not be kept, so it is not replaced.
        let path = folder.path().join("case.txt");
        fs::write(&path, "before").expect("written");
        fs::create_dir_all(backup_path(&path).join("full")).expect("a folder");
        let mut file = KnownFile::as_it_is(path.clone()).expect("a file");
        assert!(matches!(file.save(b"after"), Err(DataError::Unwritable { .. })));
        assert_eq!(read(&path), "before");
    }
}
