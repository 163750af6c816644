//! Keeps the session for the case that the program ends without being closed: a crash, a power failure, an end by the
//! system. It is written once it has stopped changing, and deleted when the window is closed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::SessionView;
use crate::engine::jobs::{ClaimRecovery, Claimed, Recovery, Remove, Write};
use crate::engine::session::Session;
use crate::engine::{Engine, Pending};

/// The session is written this long after its first change.
const SETTLED: Duration = Duration::from_secs(1);

/// The session file of this program.
#[derive(Default)]
pub struct RecoveryFile {
    /// The request for the file.
    claiming: Pending<(), Recovery>,
    /// The file; `None` if there is none, so that nothing is kept.
    file: Option<Claimed>,
    /// What the file has; `None` if it does not exist.
    kept: Option<Session<SessionView>>,
    /// The request to write or to delete the file.
    writing: Pending<(), ()>,
    /// When the change was made that the file does not have.
    changed: Option<Instant>,
}

impl RecoveryFile {
    /// Requests a file beside the settings file. Without settings, nothing is kept.
    pub fn new(engine: &Engine, settings: Option<&PathBuf>) -> Self {
        let mut file = Self::default();
        if let Some(folder) = settings.map(|path| path.with_file_name("recovery")) {
            // At the start, no thread is busy.
            let _ = engine.ask(&mut file.claiming, (), ClaimRecovery { folder });
        }
        file
    }

    /// Returns the sessions that were left behind, once they are known.
    pub fn take(&mut self) -> Option<Vec<(Claimed, String)>> {
        // What could not be written is tried again with the next change.
        let _ = self.writing.take();
        let Recovery { own, left } = self.claiming.take()?.ok()?;
        self.file = own;
        Some(left)
    }

    /// Returns whether a session is to be kept, so that it is worth finding out what is open.
    pub fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Returns whether the file has been written.
    pub fn is_written(&self) -> bool {
        self.kept.is_some() && self.writing.pending().is_none()
    }

    /// Writes `session` once it has stopped changing; `None` deletes the file. Returns the time until then; `None` if
    /// there is nothing to do.
    pub fn keep(&mut self, engine: &Engine, session: Option<Session<SessionView>>) -> Option<Duration> {
        if session == self.kept {
            self.changed = None;
            return None;
        }
        let since = *self.changed.get_or_insert_with(Instant::now);
        let rest = SETTLED.checked_sub(since.elapsed()).filter(|rest| !rest.is_zero());
        if rest.is_none() {
            self.write(engine, session);
        }
        rest
    }

    /// Deletes the file, because the window is closed.
    pub fn end(&mut self, engine: &Engine) {
        self.write(engine, None);
    }

    fn write(&mut self, engine: &Engine, session: Option<Session<SessionView>>) {
        let Some(path) = self.file.as_ref().map(|file| file.path.clone()) else { return };
        let sent = match session.as_ref().map(Session::to_json) {
            Some(Ok(bytes)) => engine.ask(&mut self.writing, (), Write { path, bytes }),
            // A path that cannot be written leaves nothing to restore.
            Some(Err(_)) | None => engine.ask(&mut self.writing, (), Remove { path }),
        };
        // If the thread is busy, the next frame tries again.
        if sent.is_ok() {
            self.kept = session;
            self.changed = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Worker, trainer};

    fn engine() -> Engine {
        Engine::start(Arc::new(|_, _| Err("there is no model".into())), trainer(), Arc::new(|| ()))
            .expect("threads start")
    }

    fn wait(engine: &Engine) {
        assert!(engine.wait_for(Worker::Storage, Duration::from_secs(10)));
    }

    fn started(engine: &Engine, settings: &PathBuf) -> (RecoveryFile, Vec<(Claimed, String)>) {
        let mut file = RecoveryFile::new(engine, Some(settings));
        wait(engine);
        let left = file.take().expect("an answer");
        (file, left)
    }

    fn session(prompt: &str) -> Option<Session<SessionView>> {
        Some(Session::new(SessionView { prompt: prompt.into(), ..SessionView::default() }))
    }

    #[test]
    fn a_session_is_left_behind_unless_the_window_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = folder.path().join("settings.json");
        let engine = engine();
        let (mut file, left) = started(&engine, &settings);
        assert!(left.is_empty() && file.is_kept());
        assert!(file.keep(&engine, session("left lung")).is_some(), "it waits until it is settled");
        file.write(&engine, session("left lung"));
        assert_eq!(file.keep(&engine, session("left lung")), None, "it is written once");
        wait(&engine);
        drop(file);
        let (mut file, left) = started(&engine, &settings);
        let path = left[0].0.path.clone();
        let read = Session::<SessionView>::read(&path).expect("a session");
        assert_eq!(Some(read), session("left lung"));
        file.write(&engine, session("right lung"));
        file.end(&engine);
        wait(&engine);
        drop((file, left));
        let (_, left) = started(&engine, &settings);
        assert_eq!(left.len(), 1, "that of the crash alone");
        assert_eq!(left[0].0.path, path);
    }

    #[test]
    fn without_settings_nothing_is_kept() {
        let mut file = RecoveryFile::new(&engine(), None);
        assert!(file.take().is_none() && !file.is_kept());
    }
}
