//! What the user is told: toasts that come and go, and the log that keeps them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::logging;

/// Messages kept in the log.
const LOG: usize = 200;
/// Toasts shown at a time.
const TOASTS: usize = 3;
/// How long toasts stay; the log keeps them, and the name of its panel counts those that were not seen there.
const INFO_STAYS: Duration = Duration::from_secs(5);
const WARNING_STAYS: Duration = Duration::from_secs(15);
const ERROR_STAYS: Duration = Duration::from_secs(40);

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Done; goes by itself.
    Info,
    /// Worth knowing.
    Warning,
    /// Something did not happen.
    Error,
}

impl Kind {
    /// How long its toast stays.
    fn stays(self) -> Duration {
        match self {
            Self::Info => INFO_STAYS,
            Self::Warning => WARNING_STAYS,
            Self::Error => ERROR_STAYS,
        }
    }
}

/// One message.
#[derive(Clone, Debug)]
pub struct Note {
    /// Names it in commands.
    pub id: u64,
    /// How grave it is.
    pub kind: Kind,
    /// What happened, to which file, what to do.
    pub text: String,
    at: Instant,
    is_toast: bool,
}

/// All messages of this run, oldest first.
#[derive(Debug, Default)]
pub struct Notes {
    notes: VecDeque<Note>,
    next: u64,
    /// The newest message when the log was last looked at.
    read: u64,
}

impl Notes {
    /// Shows and keeps a message. One with the same text is replaced, not repeated.
    #[track_caller]
    pub fn add(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), true);
    }

    /// Shows and keeps a message that is said once: not again when the same file is opened again.
    #[track_caller]
    pub fn once(&mut self, kind: Kind, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.iter().any(|note| note.text == text) {
            self.put(kind, text, true);
        }
    }

    /// Keeps a message that is shown elsewhere.
    #[track_caller]
    pub fn keep(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), false);
    }

    #[track_caller]
    fn put(&mut self, kind: Kind, text: String, is_toast: bool) {
        if kind == Kind::Error {
            // The message may name a file; the place in the code says which message it is.
            tracing::warn!(place = logging::place(std::panic::Location::caller()), "an error was shown");
        }
        self.notes.retain(|note| note.text != text);
        self.next += 1;
        self.notes.push_back(Note { id: self.next, kind, text, at: Instant::now(), is_toast });
        if self.notes.len() > LOG {
            self.notes.pop_front();
        }
    }

    /// Takes a toast away; the log keeps it.
    pub fn dismiss(&mut self, id: u64) {
        for note in self.notes.iter_mut().filter(|note| note.id == id) {
            note.is_toast = false;
        }
    }

    /// Takes all toasts away.
    pub fn dismiss_all(&mut self) {
        self.notes.iter_mut().for_each(|note| note.is_toast = false);
    }

    /// How many warnings and errors have come since the log was looked at.
    pub fn unread(&self) -> usize {
        self.notes.iter().filter(|note| note.id > self.read && note.kind != Kind::Info).count()
    }

    /// The log is looked at.
    pub fn mark_read(&mut self) {
        self.read = self.next;
    }

    /// The toasts to show now, newest first.
    pub fn toasts(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().rev().filter(|note| note.is_toast && !note.has_gone()).take(TOASTS)
    }

    /// Every message, newest first.
    pub fn log(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().rev()
    }

    /// When the next toast goes by itself.
    pub fn next_change(&self) -> Option<Duration> {
        self.toasts().map(|note| note.kind.stays().saturating_sub(note.at.elapsed())).min()
    }
}

impl Note {
    fn has_gone(&self) -> bool {
        self.at.elapsed() >= self.kind.stays()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dismissed_message_stays_in_the_log() {
        let mut notes = Notes::default();
        notes.add(Kind::Error, "a");
        notes.add(Kind::Error, "a");
        notes.add(Kind::Warning, "b");
        let shown: Vec<_> = notes.toasts().map(|note| (note.id, note.text.clone())).collect();
        assert_eq!(shown, [(3, "b".to_owned()), (2, "a".to_owned())]);
        notes.dismiss(3);
        assert_eq!(notes.toasts().count(), 1);
        assert_eq!(notes.log().count(), 2, "the same text stands there once");
    }

    #[test]
    fn what_is_said_once_is_not_said_again() {
        let mut notes = Notes::default();
        notes.once(Kind::Warning, "a");
        notes.once(Kind::Warning, "a");
        notes.dismiss_all();
        notes.once(Kind::Warning, "a");
        assert_eq!((notes.toasts().count(), notes.log().count()), (0, 1));
        notes.add(Kind::Warning, "a");
        assert_eq!((notes.toasts().count(), notes.log().count()), (1, 1), "an error that happens again is shown");
    }
}
