//! The result of reading a prompt: what it says, and where in the text it says it.

use std::ops::Range;

use serde::Serialize;

use super::lexicon::Token;
use super::value::{Grammar, Prompt};

/// What a part of a prompt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// "bilateral", "unilateral", "no", with "pulmonary infection".
    Laterality,
    /// The number of infected areas.
    Areas,
    /// The zones of one lung.
    Zones,
    /// The side of one lung.
    Side,
    /// The number of polyps.
    Number,
    /// The sizes of polyps.
    Size,
    /// A colour.
    Colour,
    /// A shape.
    Shape,
    /// "polyp".
    Polyp,
    /// "which is a projecting growth of tissue".
    Growth,
    /// A place in the image.
    Place,
}

/// A part of a prompt that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it tells.
    pub kind: PartKind,
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
}

/// A prompt as it was read from a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What the prompt says; `None` if the text is in none of the grammars.
    pub prompt: Option<Prompt>,
    /// Where each finding was read: one range for each of [`Lungs::findings`](super::Lungs::findings), and one for
    /// polyps, unless the prompt says that there is none.
    pub findings: Vec<Range<usize>>,
    /// The parts that were understood, in the order of the text.
    pub parts: Vec<Part>,
    /// The stretches of the text that were not understood, in bytes and in the order of the text.
    pub not_understood: Vec<Range<usize>>,
}

impl Parsed {
    /// Returns the grammar; `None` if the text is in none.
    pub fn grammar(&self) -> Option<Grammar> {
        self.prompt.as_ref().map(Prompt::grammar)
    }

    /// Says whether every word was understood.
    pub fn is_whole(&self) -> bool {
        self.prompt.is_some() && self.not_understood.is_empty()
    }

    /// Returns the first part of a kind.
    pub fn part(&self, kind: PartKind) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }
}

/// Collects what was not understood. Neighbouring words become one range, which ends at a punctuation mark.
#[derive(Debug, Default)]
pub struct Unread {
    /// The ranges, in bytes.
    pub ranges: Vec<Range<usize>>,
    is_open: bool,
}

impl Unread {
    /// Adds a token that was not understood. A mark is never listed by itself.
    pub fn add(&mut self, token: &Token) {
        if !token.is_word {
            self.is_open &= matches!(token.text.as_str(), "-" | "'" | "’" | "/");
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if self.is_open => last.end = token.bytes.end,
            _ => self.ranges.push(token.bytes.clone()),
        }
        self.is_open = true;
    }

    /// Says that a word was understood, so that the range ends.
    pub fn close(&mut self) {
        self.is_open = false;
    }
}
