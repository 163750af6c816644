//! Jobs about the session that is kept for the case that the program ends without being closed.
//!
//! Every running program has a file of its own, `session-N.himix`, in one folder, and holds the lock of
//! `session-N.lock` while it runs; the system gives up the lock when the program ends, however it ends. A file whose
//! lock can be had was therefore left behind.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::session::Session;

/// The maximum number of programs that run at the same time and of sessions that were left behind.
const MOST: usize = 32;

/// Finds a file for the session of this program, and those that were left behind.
#[derive(Debug)]
pub struct ClaimRecovery {
    /// The folder of the files.
    pub folder: PathBuf,
}

/// A session file that belongs to this program as long as this value exists.
#[derive(Debug)]
pub struct Claimed {
    /// The path of the file, which need not exist.
    pub path: PathBuf,
    /// Keeps the lock.
    _lock: File,
}

/// The files of sessions.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The file of this program; `None` if the folder cannot be written to or no lock is to be had.
    pub own: Option<Claimed>,
    /// The files that were left behind, the newest first, each with the name of its image.
    pub left: Vec<(Claimed, String)>,
}

impl Job for ClaimRecovery {
    type Answer = Recovery;
    const WORKER: Worker = Worker::Storage;

    fn run(self, _: &mut Task<'_>) -> Result<Recovery, Failure> {
        // Without the folder there is no lock, and with it no file to restore from.
        let _ = std::fs::create_dir_all(&self.folder);
        let (mut own, mut left) = (None, Vec::new());
        for number in 1..=MOST {
            let path = self.folder.join(format!("session-{number}.himix"));
            let Some(claimed) = claim(path) else { continue };
            let about = about(&claimed.path);
            match (about, claimed.path.metadata()) {
                (Some(about), Ok(data)) => left.push((data.modified().ok(), claimed, about)),
                // What is not a session restores nothing, and is written over.
                _ if own.is_none() => own = Some(claimed),
                _ => {}
            }
            // A place that was never used ends the list.
            if own.is_some() && !self.folder.join(format!("session-{}.lock", number + 1)).exists() {
                break;
            }
        }
        left.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
        Ok(Recovery { own, left: left.into_iter().map(|(_, claimed, about)| (claimed, about)).collect() })
    }
}

/// Takes the lock of a session file; `None` if another program has it.
fn claim(path: PathBuf) -> Option<Claimed> {
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.with_extension("lock"))
        .ok()
        .filter(|lock| lock.try_lock().is_ok())?;
    Some(Claimed { path, _lock: lock })
}

/// Says what a session file is about: the name of its image, or its prompt. `None` if it cannot be read.
fn about(path: &Path) -> Option<String> {
    let mut session = Session::<Value>::read(path).ok()?;
    let image = session.image.take();
    let file = image.as_ref().and_then(|image| image.files.first()?.path.file_name());
    let name = file.map(|name| name.to_string_lossy().into_owned());
    let title = name.or(image.and_then(|image| image.sample));
    Some(title.unwrap_or_else(|| "no image".to_owned()))
}

/// Deletes a file; one that does not exist counts as deleted.
#[derive(Debug)]
pub struct Remove {
    /// The path of the file.
    pub path: PathBuf,
}

impl Job for Remove {
    type Answer = ();
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("The file could not be deleted ({error}). Delete it by hand.").into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::job::Opened;

    fn claimed(folder: &Path) -> Recovery {
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        ClaimRecovery { folder: folder.join("recovery") }.run(&mut task).expect("an answer")
    }

    fn own(recovery: &Recovery) -> PathBuf {
        recovery.own.as_ref().expect("a file").path.clone()
    }

    #[test]
    fn running_programs_have_files_of_their_own_and_find_what_others_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = claimed(folder.path());
        let second = claimed(folder.path());
        assert_ne!(own(&first), own(&second));
        let text = br#"{"himix_session": 1, "image": {"files": [{"path": "/data/chest.png"}]}}"#;
        std::fs::write(own(&first), text).expect("written");
        assert!(claimed(folder.path()).left.is_empty(), "its program is running");
        let path = own(&first);
        drop(first);
        let third = claimed(folder.path());
        let left: Vec<_> =
            third.left.iter().map(|(claimed, about)| (claimed.path.clone(), about.as_str())).collect();
        assert_eq!(left, [(path.clone(), "chest.png")]);
        assert!(![&path, &own(&second)].contains(&&own(&third)));
        assert!(claimed(folder.path()).left.is_empty(), "one program offers it");
        std::fs::write(&path, "{").expect("written");
        drop(third);
        let fourth = claimed(folder.path());
        assert_eq!((own(&fourth), fourth.left.len()), (path, 0), "a damaged file is no session");
    }

    #[test]
    fn without_a_folder_there_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("recovery"), "").expect("written");
        let recovery = claimed(folder.path());
        assert!(recovery.own.is_none() && recovery.left.is_empty());
    }
}
