//! A key with its modifiers.

use std::fmt;
use std::str::FromStr;

use eframe::egui::{Key, Modifiers};
use serde::{Deserialize, Serialize};

/// A key with its modifiers. On a Mac, Ctrl stands for the command key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Chord {
    /// Whether Ctrl is held.
    pub ctrl: bool,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether Alt is held.
    pub alt: bool,
    /// The key.
    pub key: Key,
}

impl Chord {
    /// Creates a chord without modifiers.
    pub const fn key(key: Key) -> Self {
        Self { ctrl: false, shift: false, alt: false, key }
    }

    /// Creates a chord with Ctrl.
    pub const fn ctrl(key: Key) -> Self {
        Self { ctrl: true, ..Self::key(key) }
    }

    /// Creates a chord with Ctrl and Shift.
    pub const fn ctrl_shift(key: Key) -> Self {
        Self { shift: true, ..Self::ctrl(key) }
    }

    /// Returns the chord for a pressed key.
    pub fn pressed(key: Key, modifiers: Modifiers) -> Self {
        // Whether a symbol needs Shift depends on the keyboard layout, so only the symbol counts.
        let shift = modifiers.shift && !is_sign(key);
        // Some systems report the physical key instead of the symbol.
        let key = if key == Key::Slash && modifiers.shift { Key::Questionmark } else { key };
        Self { ctrl: modifiers.command || modifiers.ctrl, shift, alt: modifiers.alt, key }
    }

    /// Returns whether the chord can trigger a command while a text field has the focus.
    pub fn works_in_text(self) -> bool {
        self.ctrl || is_function(self.key)
    }

    /// Returns whether a key is a modifier key.
    pub fn is_modifier(key: Key) -> bool {
        ["Shift", "Control", "Alt", "Super"].iter().any(|name| key.name().starts_with(name))
    }

    /// Returns whether the chord is reserved: for moving between widgets, for closing what is open, or for text
    /// fields.
    pub fn is_reserved(self) -> bool {
        let editing = [Key::A, Key::C, Key::V, Key::X];
        let is_alone = !(self.ctrl || self.shift || self.alt);
        matches!(self.key, Key::Escape | Key::Tab)
            || is_alone && matches!(self.key, Key::Enter | Key::Backspace)
            || self.ctrl && !self.shift && !self.alt && editing.contains(&self.key)
    }
}

/// Returns whether a key is a symbol whose need for Shift depends on the keyboard layout.
fn is_sign(key: Key) -> bool {
    matches!(
        key,
        Key::Questionmark
            | Key::Plus
            | Key::Minus
            | Key::Equals
            | Key::Slash
            | Key::Backslash
            | Key::Pipe
            | Key::OpenBracket
            | Key::CloseBracket
            | Key::OpenCurlyBracket
            | Key::CloseCurlyBracket
            | Key::Exclamationmark
            | Key::Colon
            | Key::Semicolon
            | Key::Comma
            | Key::Period
            | Key::Quote
            | Key::Backtick
    )
}

fn is_function(key: Key) -> bool {
    let name = key.name();
    name.len() > 1 && name.starts_with('F') && name[1..].bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_held, name) in [(self.ctrl, "Ctrl "), (self.alt, "Alt "), (self.shift, "Shift ")] {
            if is_held {
                f.write_str(name)?;
            }
        }
        f.write_str(match self.key {
            Key::OpenBracket => "[",
            Key::CloseBracket => "]",
            Key::Slash => "/",
            Key::Questionmark => "?",
            Key::Plus => "+",
            Key::Minus => "−",
            Key::Equals => "=",
            Key::Comma => ",",
            Key::Period => ".",
            Key::PageUp => "Page Up",
            Key::PageDown => "Page Down",
            Key::ArrowLeft => "Left",
            Key::ArrowRight => "Right",
            Key::ArrowUp => "Up",
            Key::ArrowDown => "Down",
            key => key.name(),
        })
    }
}

impl From<Chord> for String {
    /// Returns the form in the settings file, for example `Ctrl+Shift+O`.
    fn from(chord: Chord) -> Self {
        let mut text = String::new();
        for (is_held, name) in [(chord.ctrl, "Ctrl+"), (chord.alt, "Alt+"), (chord.shift, "Shift+")] {
            if is_held {
                text += name;
            }
        }
        text + chord.key.name()
    }
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut chord = Self::key(Key::Escape);
        let mut rest = text.trim();
        loop {
            let modifiers = [("Ctrl+", &mut chord.ctrl), ("Alt+", &mut chord.alt), ("Shift+", &mut chord.shift)];
            let found = modifiers.into_iter().find_map(|(name, is_held)| {
                let after = rest.strip_prefix(name).filter(|after| !after.is_empty())?;
                *is_held = true;
                Some(after)
            });
            match found {
                Some(after) => rest = after,
                None => break,
            }
        }
        chord.key = Key::from_name(rest).ok_or_else(|| format!("there is no key “{rest}”"))?;
        Ok(chord)
    }
}

impl TryFrom<String> for Chord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for chord in [
            Chord::key(Key::A),
            Chord::ctrl(Key::Plus),
            Chord::ctrl_shift(Key::Z),
            Chord { alt: true, ..Chord::key(Key::F5) },
            Chord::key(Key::Minus),
            Chord::key(Key::PageUp),
        ] {
            assert_eq!(String::from(chord).parse(), Ok(chord));
        }
        assert!("Ctrl+".parse::<Chord>().is_err() && "Hyper+A".parse::<Chord>().is_err());
    }

    #[test]
    fn a_sign_is_the_same_with_shift_and_without() {
        assert_eq!(Chord::pressed(Key::Questionmark, Modifiers::SHIFT), Chord::key(Key::Questionmark));
        assert_eq!(Chord::pressed(Key::Slash, Modifiers::SHIFT), Chord::key(Key::Questionmark));
        assert_ne!(Chord::pressed(Key::Z, Modifiers::SHIFT), Chord::key(Key::Z));
    }
}
