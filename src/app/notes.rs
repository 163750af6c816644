//! Messages to the user: notes about the open case, temporary toasts, and the log that keeps all messages.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::logging;

/// The maximum number of messages in the log.
const LOG: usize = 200;
/// The maximum number of toasts shown at a time.
const TOASTS: usize = 3;
/// How long toasts stay. The log keeps them, and the title of its panel shows the number of unread ones.
const INFO_STAYS: Duration = Duration::from_secs(5);
const WARNING_STAYS: Duration = Duration::from_secs(15);
const ERROR_STAYS: Duration = Duration::from_secs(40);

/// The severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An action was completed.
    Info,
    /// Something that is worth knowing.
    Warning,
    /// An action failed.
    Error,
}

/// The subject of a note about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The image.
    Image,
    /// The ground truth of the image.
    Truth,
}

impl Kind {
    /// Returns how long a toast of this kind stays.
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
    /// The number that identifies the message in commands.
    pub id: u64,
    /// The severity of the message.
    pub kind: Kind,
    /// What happened, which file it concerns, and what to do.
    pub text: String,
    at: Instant,
    is_toast: bool,
    /// Whether the toast is removed when the open case is closed.
    is_of_case: bool,
}

/// The notes about the open case, and all messages of this session, oldest first.
#[derive(Debug, Default)]
pub struct Notes {
    notes: VecDeque<Note>,
    next: u64,
    /// The number of the newest message when the log was last viewed.
    read: u64,
    case: Vec<(About, String)>,
}

impl Notes {
    /// Shows a message and adds it to the log. A message with the same text is replaced rather than repeated.
    #[track_caller]
    pub fn add(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), true, false);
    }

    /// Like [`Self::add`], for a message about the open case: its toast is removed with that case.
    #[track_caller]
    pub fn add_of_case(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), true, true);
    }

    /// Adds a message that is displayed elsewhere to the log.
    #[track_caller]
    pub fn keep(&mut self, kind: Kind, text: impl Into<String>) {
        self.put(kind, text.into(), false, false);
    }

    /// Adds a note about the open case, which stays until the case is closed.
    pub fn note(&mut self, about: About, text: impl Into<String>) {
        let text = text.into();
        if !self.case.iter().any(|(_, other)| *other == text) {
            self.case.push((about, text));
        }
    }

    /// Returns the notes about the open case, newest last.
    pub fn case(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.case.iter().map(|(_, text)| text.as_str())
    }

    /// Hides the notes about the case until another one is opened; they remain in the image information.
    pub fn hide_case(&mut self) {
        self.case.clear();
    }

    /// Removes the notes about the ground truth, which has been closed or replaced.
    pub fn leave_truth(&mut self) {
        self.case.retain(|(about, _)| *about != About::Truth);
    }

    /// Removes the notes and the toasts about the case.
    pub fn leave_case(&mut self) {
        self.case.clear();
        for note in self.notes.iter_mut().filter(|note| note.is_of_case) {
            note.is_toast = false;
        }
    }

    #[track_caller]
    fn put(&mut self, kind: Kind, text: String, is_toast: bool, is_of_case: bool) {
        if kind == Kind::Error {
            // The message may name a file, so only the code location that identifies it is logged.
            tracing::warn!(place = logging::place(std::panic::Location::caller()), "an error was shown");
        }
        self.notes.retain(|note| note.text != text);
        self.next += 1;
        self.notes.push_back(Note { id: self.next, kind, text, at: Instant::now(), is_toast, is_of_case });
        if self.notes.len() > LOG {
            self.notes.pop_front();
        }
    }

    /// Dismisses a toast; the log keeps the message.
    pub fn dismiss(&mut self, id: u64) {
        for note in self.notes.iter_mut().filter(|note| note.id == id) {
            note.is_toast = false;
        }
    }

    /// Dismisses all toasts.
    pub fn dismiss_all(&mut self) {
        self.notes.iter_mut().for_each(|note| note.is_toast = false);
    }

    /// Returns the number of warnings and errors since the log was last viewed.
    pub fn unread(&self) -> usize {
        self.notes.iter().filter(|note| note.id > self.read && note.kind != Kind::Info).count()
    }

    /// Marks all messages as read.
    pub fn mark_read(&mut self) {
        self.read = self.next;
    }

    /// Returns the toasts to show now, newest first.
    pub fn toasts(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().rev().filter(|note| note.is_toast && !note.has_gone()).take(TOASTS)
    }

    /// Returns all messages, newest first.
    pub fn log(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().rev()
    }

    /// Returns the time until the next toast disappears; `None` if no toast is shown.
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
