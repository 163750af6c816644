//! The lock of a case, which only one window can have.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// How often a lock is tried to get whose file is being deleted.
const TRIES: usize = 8;
/// The longest content of a lock file that is read, in bytes.
const LONGEST: u64 = 32;

/// The lock of a case. The system gives it up when the program ends, however it ends, so that a crash leaves no lock behind.
#[derive(Debug)]
pub struct CaseLock {
    path: PathBuf,
    /// Keeps the lock.
    _file: File,
}

/// The program that has the lock: the number of its process, if that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl CaseLock {
    /// Takes the lock in the file at `path`, or says who has it.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created.
    pub fn take(path: &Path) -> io::Result<Result<Self, Holder>> {
        for _ in 0..TRIES {
            let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
            match file.try_lock() {
                Err(fs::TryLockError::WouldBlock) => return Ok(Err(holder(&mut file))),
                Err(fs::TryLockError::Error(error)) => return Err(error),
                // Its former owner may have deleted it in between, and somebody else may have created another one.
                Ok(()) if !is_at(&file, path) => {}
                Ok(()) => {
                    // Only people read it, so that a full disk is no reason to go without.
                    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    return Ok(Ok(Self { path: path.to_owned(), _file: file }));
                }
            }
        }
        Ok(Err(Holder(None)))
    }
}

impl Drop for CaseLock {
    fn drop(&mut self) {
        // The folder keeps no file of every image that was ever looked at.
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads who has the lock. Windows does not let others read a locked file.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST).read_to_string(&mut text));
    Holder(read.ok().and_then(|_| text.trim().parse().ok()))
}

/// Whether `path` still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        open.created().ok() == there.created().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_window_has_the_lock_until_it_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.lock");
        let take = || CaseLock::take(&path).expect("a folder that can be written to");
        let first = take().expect("nobody has it");
        assert_eq!(take().err(), Some(Holder(Some(std::process::id()))));
        drop(first);
        assert!(!path.exists());
        // A program that crashed leaves the file, but not the lock.
        fs::write(&path, "4294967295").expect("written");
        let second = take().expect("a file alone is no lock");
        assert_eq!(take().err(), Some(Holder(Some(std::process::id()))), "it is written anew");
        drop(second);
        assert!(CaseLock::take(&folder.path().join("none/case.lock")).is_err());
    }
}
