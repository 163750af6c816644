//! What of a prompt goes to the network while it is typed: complete words, at once; half a word only after a pause.

mod apply;

use std::time::{Duration, Instant};

use crate::text::prompt::complete_end;

/// A word counts as complete if nothing was typed for this long.
const PAUSE: Duration = Duration::from_millis(400);

/// A prompt with a word that is not complete yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Typing {
    /// The text that was sent to the network.
    sent: String,
    /// When the last letter was typed.
    since: Instant,
}

/// Returns what to send of `new`, which was `old` before an edit, if its words were sent as `sent` before; `None` if
/// all words are complete. A word that stands at the end is left out; while a word inside is edited, nothing changes.
fn sendable(old: &str, new: &str, sent: &str) -> Option<String> {
    let length = |(letter, _): (char, char)| letter.len_utf8();
    let begin: usize = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(length).sum();
    let ends = old[begin..].chars().rev().zip(new[begin..].chars().rev());
    let end: usize = ends.take_while(|(a, b)| a == b).map(length).sum();
    let (before, after) = new.split_at(new.len() - end);
    if !before.chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let is_last = !after.chars().any(char::is_alphanumeric);
    Some(if is_last { new[..complete_end(before)].trim_end().to_owned() } else { sent.to_owned() })
}

impl Typing {
    /// Returns what is sent of `new`, which was `old` before an edit; `sent` was sent before. `None` if all of it is.
    pub fn after(old: &str, new: &str, sent: &str) -> Option<Self> {
        Some(Self { sent: sendable(old, new, sent)?, since: Instant::now() })
    }

    /// Returns the text that is sent.
    pub fn sent(&self) -> &str {
        &self.sent
    }

    /// Returns how long it takes until the word counts as complete.
    pub fn rest(&self) -> Duration {
        PAUSE.saturating_sub(self.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `letters` at the end of a text and returns what was sent after each.
    fn typed(letters: &str) -> Vec<String> {
        let (mut text, mut sent, mut all) = (String::new(), String::new(), Vec::new());
        for letter in letters.chars() {
            let old = text.clone();
            text.push(letter);
            sent = sendable(&old, &text, &sent).unwrap_or_else(|| text.clone());
            all.push(sent.clone());
        }
        all
    }

    #[test]
    fn half_a_word_is_never_sent() {
        let expected = ["", "", "", "all ", "all", "all", "all", "all", "all", "all right "];
        assert_eq!(typed("all right "), expected);
        assert_eq!(typed("ll, l"), ["", "", "ll,", "ll, ", "ll,"]);
        assert_eq!(typed("左肺。"), ["", "", "左肺。"]);
    }

    #[test]
    fn a_word_inside_changes_nothing_until_it_is_complete() {
        let sent = "upper left lung";
        assert_eq!(sendable("upper left lung", "upper lef lung", sent).as_deref(), Some(sent));
        assert_eq!(sendable("upper lef lung", "upper l lung", sent).as_deref(), Some(sent));
        assert_eq!(sendable("upper r lung", "upper ri lung", sent).as_deref(), Some(sent));
        assert_eq!(sendable("upper right lung", "upper right  lung", sent), None, "a space completes it");
        assert_eq!(sendable("upper left lung", "upper  lung", sent), None, "a word was taken out");
        assert_eq!(sendable("left lung", " lung", sent), None);
    }

    #[test]
    fn what_is_deleted_at_the_end_leaves_half_a_word() {
        assert_eq!(sendable("left lung", "left lun", "left lung").as_deref(), Some("left"));
        assert_eq!(sendable("left lung.", "left lung", "left lung.").as_deref(), Some("left"));
        assert_eq!(sendable("left lung", "", "left lung"), None);
        assert_eq!(sendable("a", "aa", "").as_deref(), Some(""));
    }
}
