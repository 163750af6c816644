//! Writes the settings once they have stopped changing, and tracks whether the storage thread has written them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::settings::Settings;
use crate::engine::jobs::Write;
use crate::engine::{Engine, Failure, Pending};

/// Settings are written after they have not changed for this long.
const SETTLED: Duration = Duration::from_millis(800);

/// The settings file and its state.
pub struct SettingsFile {
    /// The path of the file; without a path, nothing is saved.
    path: Option<PathBuf>,
    /// The settings that the file contains.
    saved: Settings,
    /// The settings that are being written.
    writing: Pending<Settings, ()>,
    /// Settings that could not be written; writing is tried again after the next change.
    refused: Option<Settings>,
    /// Whether the user has been told about a failure since the last success.
    is_told: bool,
    /// When the unsaved change was made.
    changed: Option<Instant>,
}

impl SettingsFile {
    /// Creates a settings file that contains `saved`.
    pub fn new(path: Option<PathBuf>, saved: Settings) -> Self {
        Self { path, saved, writing: Pending::default(), refused: None, is_told: false, changed: None }
    }

    /// Writes `settings` once they have stopped changing. Returns the time until then; `None` if there is nothing
    /// to write.
    pub fn keep(&mut self, engine: &Engine, settings: &Settings) -> Option<Duration> {
        if !self.is_due(settings) {
            self.changed = None;
            return None;
        }
        let since = *self.changed.get_or_insert_with(Instant::now);
        let rest = SETTLED.checked_sub(since.elapsed()).filter(|rest| !rest.is_zero());
        if rest.is_none() {
            self.write(engine, settings);
        }
        rest
    }

    /// Writes `settings` now, unless the file contains them or they are already being written.
    pub fn write(&mut self, engine: &Engine, settings: &Settings) {
        self.changed = None;
        let is_on_its_way = self.writing.pending().is_some_and(|writing| writing.what == *settings);
        if is_on_its_way || (self.writing.pending().is_none() && *settings == self.saved) {
            return;
        }
        let Some(path) = self.path.clone() else {
            self.saved = settings.clone();
            return;
        };
        let job = Write { path, bytes: settings.to_json() };
        // If the thread is busy, the next frame tries again.
        let _ = engine.ask(&mut self.writing, settings.clone(), job);
    }

    /// Handles the result of writing. Returns a message for the user on the first failure after a success.
    pub fn take(&mut self) -> Option<String> {
        let outcome = self.writing.take()?;
        let settings = self.writing.asked()?.clone();
        match outcome {
            Ok(()) => {
                self.saved = settings;
                self.refused = None;
                self.is_told = false;
                None
            }
            Err(Failure::Cancelled) => None,
            Err(Failure::Failed(message)) => {
                self.refused = Some(settings);
                let is_news = !std::mem::replace(&mut self.is_told, true);
                is_news.then(|| format!("The settings could not be saved: {message}"))
            }
        }
    }

    /// Returns whether the settings differ from those that are saved, being written or were refused.
    fn is_due(&self, settings: &Settings) -> bool {
        let newest = self.writing.pending().map_or(&self.saved, |writing| &writing.what);
        settings != newest && self.refused.as_ref() != Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Worker, trainer};

    fn engine() -> Engine {
        Engine::start(Arc::new(|_, _| Err("there is no model".into())), trainer(), Arc::new(|| ()))
            .expect("threads start")
    }

    fn settings(threshold: f32) -> Settings {
        Settings { threshold, ..Settings::default() }
    }

    /// Writes the settings, waits, and returns the message for the user.
    fn written(file: &mut SettingsFile, engine: &Engine, threshold: f32) -> Option<String> {
        file.write(engine, &settings(threshold));
        assert!(engine.wait_for(Worker::Storage, Duration::from_secs(10)));
        file.take()
    }

    fn threshold(path: &Path) -> f32 {
        Settings::load(path).0.threshold
    }

    #[test]
    fn settings_count_as_saved_when_the_thread_says_so() -> std::io::Result<()> {
        let (engine, folder) = (engine(), tempfile::tempdir()?);
        let path = folder.path().join("new/settings.json");
        let mut file = SettingsFile::new(Some(path.clone()), Settings::default());
        file.write(&engine, &settings(0.25));
        assert!(file.saved == Settings::default(), "sending is not saving");
        assert!(file.keep(&engine, &settings(0.25)).is_none() && file.changed.is_none(), "it is on its way");
        assert!(engine.wait_for(Worker::Storage, Duration::from_secs(10)));
        assert_eq!((file.take(), file.saved == settings(0.25), threshold(&path)), (None, true, 0.25));
        // A change that is reverted while it is being written is written again.
        file.write(&engine, &settings(0.75));
        file.write(&engine, &settings(0.25));
        assert!(engine.wait_for(Worker::Storage, Duration::from_secs(10)));
        assert_eq!((file.take(), threshold(&path)), (None, 0.25));
        Ok(())
    }

    #[test]
    fn a_failure_is_told_once_and_the_next_change_tries_again() -> std::io::Result<()> {
        let (engine, folder) = (engine(), tempfile::tempdir()?);
        let place = folder.path().join("place");
        let path = place.join("settings.json");
        let mut file = SettingsFile::new(Some(path.clone()), Settings::default());
        // A file blocks the path of the folder.
        std::fs::write(&place, "")?;
        let message = written(&mut file, &engine, 0.25).unwrap_or_default();
        assert!(message.contains("could not be saved") && message.contains("settings.json"), "{message}");
        assert!(file.saved == Settings::default() && !file.is_due(&settings(0.25)), "not again and again");
        assert!(file.is_due(&settings(0.375)));
        assert_eq!(written(&mut file, &engine, 0.375), None, "it was told already");
        std::fs::remove_file(&place)?;
        assert_eq!((written(&mut file, &engine, 0.75), threshold(&path)), (None, 0.75));
        std::fs::remove_dir_all(&place)?;
        std::fs::write(&place, "")?;
        assert!(written(&mut file, &engine, 0.25).is_some(), "after a success it is news again");
        Ok(())
    }
}
