//! What the user is told: notes on the open case, toasts that come and go, and the log that keeps those.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::logging;

/// Messages kept in the log.
const LOG: usize = 200;
/// Toasts shown at a time.
const TOASTS: usize = 3;
/// How long toasts stay. The log keeps them, and the name of its panel counts those that were not read there.
const INFO_STAYS: Duration = Duration::from_secs(5);
const WARNING_STAYS: Duration = Duration::from_secs(15);
const ERROR_STAYS: Duration = Duration::from_secs(40);

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something was done.
    Info,
    /// Something is worth knowing.
    Warning,
    /// Something could not be done.
    Error,
}

/// What a note of a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The image.
    Image,
    /// The ground truth that it is compared with.
    Truth,
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
    /// How serious it is.
    pub kind: Kind,
    /// What happened, to which file, and what to do.
    pub text: String,
    at: Instant,
    is_toast: bool,
    /// Whether its toast leaves with the case that is open.
    is_of_case: bool,
}

/// The notes on the case that is open, and all messages of this session, oldest first.
#[derive(Debug, Default)]
pub struct Notes {
    notes: VecDeque<Note>,
    next: u64,
    /// The newest message when the log was last looked at.
    read: u64,
    case: Vec<(About, String)>,
}

impl Notes {
    /// Shows a message and keeps it in the log. One with the same text is replaced, not repeated.
    #[track_caller]
    pub fn add(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), true, false);
    }

    /// As [`Self::add`], of a message about the case that is open: its toast leaves with that case.
    #[track_caller]
    pub fn add_of_case(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), true, true);
    }

    /// Keeps a message in the log that is shown elsewhere.
    #[track_caller]
    pub fn keep(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), false, false);
    }

    /// Notes something about the case that is open, for as long as that is open.
    pub fn note(&mut self, about: About, text: impl Into<String>) {
        let text = text.into();
        if !self.case.iter().any(|(_, other)| *other == text) {
            self.case.push((about, text));
        }
    }

    /// The notes on the case that is open, the newest last.
    pub fn case(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.case.iter().map(|(_, text)| text.as_str())
    }

    /// Hides the notes on the case until another one is opened; the information on the image has them too.
    pub fn hide_case(&mut self) {
        self.case.clear();
    }

    /// Forgets what was noted about the truth, which is closed or replaced.
    pub fn leave_truth(&mut self) {
        self.case.retain(|(about, _)| *about != About::Truth);
    }

    /// Forgets the notes on the case, and takes away the toasts about it.
    pub fn leave_case(&mut self) {
        self.case.clear();
        for note in self.notes.iter_mut().filter(|note| note.is_of_case) {
            note.is_toast = false;
        }
    }

    #[track_caller]
    fn put(&mut self, kind: Kind, text: String, is_toast: bool, is_of_case: bool) {
        if kind == Kind::Error {
            // The message may name a file; the place in the code says which message it is.
            tracing::warn!(place = logging::place(std::panic::Location::caller()), "an error was shown");
        }
        self.notes.retain(|note| note.text != text);
        self.next += 1;
        self.notes.push_back(Note { id: self.next, kind, text, at: Instant::now(), is_toast, is_of_case });
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

    /// Time until the next toast disappears.
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
    fn notes_and_toasts_leave_with_their_case() {
        let mut notes = Notes::default();
        notes.note(About::Image, "one slice is missing");
        notes.note(About::Image, "one slice is missing");
        notes.note(About::Truth, "the mask was turned");
        notes.add_of_case(Kind::Error, "the mask is of another size");
        notes.add(Kind::Info, "Saved a file");
        assert_eq!(notes.case().collect::<Vec<_>>(), ["one slice is missing", "the mask was turned"]);
        notes.leave_truth();
        assert_eq!(notes.case().len(), 1);
        notes.leave_case();
        assert_eq!(notes.case().len(), 0);
        let toasts: Vec<_> = notes.toasts().map(|note| note.text.as_str()).collect();
        assert_eq!((toasts.as_slice(), notes.log().count()), (&["Saved a file"][..], 2), "the log keeps both");
    }
}
