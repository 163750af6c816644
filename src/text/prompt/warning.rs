//! What a check finds.

use std::ops::Range;

use serde::Serialize;

/// A rule of the checks, by the identifier that scripts see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The text is empty.
    Empty,
    /// The text names no finding of a known grammar.
    NoFinding,
    /// Sides and laterality contradict each other.
    Contradiction,
    /// The number does not match the places.
    Count,
    /// No side is given.
    NoSide,
    /// No zone or place is given.
    NoPlace,
    /// The prompt says that a finding is absent.
    Absent,
    /// The text negates something that the grammars do not know.
    Negation,
    /// A word is misspelt but understood.
    Spelling,
    /// Words were not understood.
    NotUnderstood,
    /// The text has more tokens than the network reads.
    TooLong,
    /// Words are not in the vocabulary of the network.
    UnknownWords,
}

impl Rule {
    /// Returns the identifier, such as `no-side`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoFinding => "no-finding",
            Self::Contradiction => "contradiction",
            Self::Count => "count",
            Self::NoSide => "no-side",
            Self::NoPlace => "no-place",
            Self::Absent => "absent",
            Self::Negation => "negation",
            Self::Spelling => "spelling",
            Self::NotUnderstood => "not-understood",
            Self::TooLong => "too-long",
            Self::UnknownWords => "unknown-words",
        }
    }
}

/// What is wrong with a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that found it.
    pub rule: Rule,
    /// A sentence that says it.
    pub message: String,
    /// Where in the text it is, in bytes; `None` if it is about the text as a whole.
    pub bytes: Option<Range<usize>>,
    /// The text with this mended; `None` if the mend would be a guess.
    pub mended: Option<String>,
}

/// Makes a warning about the whole text without a mend.
pub(super) fn warning(rule: Rule, message: impl Into<String>) -> Warning {
    Warning { rule, message: message.into(), bytes: None, mended: None }
}
