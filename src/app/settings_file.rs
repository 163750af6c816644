//! Writing the settings: when they have settled, until the storage thread says that they are written.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::settings::Settings;
use crate::engine::jobs::Write;
use crate::engine::{Engine, Failure, Pending};

/// Settings are written when they have not changed for this long.
const SETTLED: Duration = Duration::from_millis(800);

/// The file that the settings are kept in, and what is known of it.
pub struct SettingsFile {
    /// Without a path nothing is kept.
    path: Option<PathBuf>,
    /// What the file holds.
    saved: Settings,
    /// What is being written.
    writing: Pending<Settings, ()>,
    /// What could not be written: it is tried again with the next change.
    refused: Option<Settings>,
    /// Whether the user was told since the last success.
    is_told: bool,
    /// Since when there is something to write.
    changed: Option<Instant>,
}

impl SettingsFile {
    /// A file that holds `saved`.
    pub fn new(path: Option<PathBuf>, saved: Settings) -> Self {
        Self { path, saved, writing: Pending::default(), refused: None, is_told: false, changed: None }
    }

    /// Has `settings` written if they have settled. Otherwise the time until then; `None` if there is nothing to write.
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

    /// Has `settings` written now, unless the file holds them or will do so in a moment.
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

    /// Takes in what became of the writing. What to tell the user, once until it succeeds again.
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

    /// Whether there is something to write that is neither on its way nor was refused just as it is.
    fn is_due(&self, settings: &Settings) -> bool {
        let newest = self.writing.pending().map_or(&self.saved, |writing| &writing.what);
        settings != newest && self.refused.as_ref() != Some(settings)
    }
}
