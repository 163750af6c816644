//! What condensing a report takes and gives.

use std::ops::Range;

use serde::Serialize;

use super::Left;
use super::context::Status;
use crate::text::prompt::check::TokenCounter;
use crate::text::prompt::lungs::place;
use crate::text::prompt::value::Prompt;
use crate::text::prompt::words::{Laterality, number_word};

/// How a report is read.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whose left the report means. The prompt always means the image's.
    pub left: Left,
    /// Whether what the report calls possible is taken into the prompt.
    pub with_possible: bool,
    /// The longest prompt; `None` if there is no limit.
    pub limit: Option<Limit<'a>>,
}

/// The longest prompt that a network reads.
#[derive(Clone, Copy)]
pub struct Limit<'a> {
    /// Counts the tokens of a text, with the special ones.
    pub count: TokenCounter<'a>,
    /// The most tokens.
    pub most: usize,
}

/// What a phrase of a report told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// The laterality.
    Laterality,
    /// The number of infected areas or polyps.
    Number,
    /// An infected place, by its index in [`Lungs::findings`](crate::text::prompt::Lungs::findings).
    Finding(usize),
    /// A size of polyps.
    Size,
    /// The colour of polyps.
    Colour,
    /// The shape of polyps.
    Shape,
    /// A place of polyps.
    Place,
}

/// A phrase of a report from which the prompt was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it told.
    pub told: Told,
    /// Where it stands in the report, in bytes.
    pub bytes: Range<usize>,
    /// How the report speaks of it: certain or possible.
    pub status: Status,
}

/// Why a phrase was understood but left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The report says that it is absent.
    Negated,
    /// The report says that it was there before.
    Past,
    /// The report is not sure of it.
    Uncertain,
    /// It stands in the history, the indication or the like.
    Background,
    /// It is the place of another finding.
    OtherFinding,
    /// It contradicts another phrase.
    Conflict,
    /// The prompt would have more tokens than the network reads.
    TooLong,
}

impl Reason {
    /// Returns the reason in a few words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Negated => "negated",
            Self::Past => "past",
            Self::Uncertain => "uncertain",
            Self::Background => "history or indication",
            Self::OtherFinding => "place of another finding",
            Self::Conflict => "contradicts another phrase",
            Self::TooLong => "beyond the token limit",
        }
    }
}

/// What was understood but left out of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands in the report, in bytes.
    pub bytes: Range<usize>,
    /// Why it was left out.
    pub reason: Reason,
}

/// A report, condensed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distilled {
    /// What the report asserts, in the image's left and right; `None` if it asserts nothing that the grammars have.
    pub prompt: Option<Prompt>,
    /// The phrases that it was made from.
    pub sources: Vec<Source>,
    /// The phrases that were understood but left out.
    pub left_out: Vec<LeftOut>,
    /// The stretches that were not understood, in bytes.
    pub not_understood: Vec<Range<usize>>,
    /// Says that hardly any word is known, so that the report is probably in another language.
    pub is_foreign: bool,
}

impl Distilled {
    /// Returns the text of the prompt; empty if there is none.
    pub fn text(&self) -> String {
        self.prompt.as_ref().map(Prompt::to_string).unwrap_or_default()
    }

    /// Returns what a phrase told, in the words of the prompt: "lower left lung", "two infected areas". Empty if the
    /// prompt does not have it.
    pub fn told_in_words(&self, told: Told) -> String {
        let listed = |words: Vec<&'static str>| words.join(", ");
        match (&self.prompt, told) {
            (Some(Prompt::Lungs(lungs)), Told::Finding(index)) => {
                lungs.findings.get(index).map(place).unwrap_or_default()
            }
            (Some(Prompt::Lungs(lungs)), Told::Laterality) => match lungs.laterality {
                Some(Laterality::None) => "no pulmonary infection".to_owned(),
                laterality => laterality.map(Laterality::word).unwrap_or_default().to_owned(),
            },
            (Some(Prompt::Lungs(lungs)), Told::Number) => counted(lungs.areas, "infected area"),
            (Some(Prompt::Polyps(polyps)), Told::Number) => counted(polyps.number, "polyp"),
            (Some(Prompt::Polyps(polyps)), Told::Size) => {
                listed(polyps.sizes.iter().map(|size| size.word()).collect())
            }
            (Some(Prompt::Polyps(polyps)), Told::Colour) => {
                listed(polyps.colour.iter().map(|colour| colour.word()).collect())
            }
            (Some(Prompt::Polyps(polyps)), Told::Shape) => {
                listed(polyps.shape.iter().map(|shape| shape.word()).collect())
            }
            (Some(Prompt::Polyps(polyps)), Told::Place) => {
                listed(polyps.places.iter().map(|place| place.word()).collect())
            }
            _ => String::new(),
        }
    }
}

/// Returns "two polyps".
fn counted(number: Option<u32>, noun: &str) -> String {
    match number {
        None => String::new(),
        Some(0) => format!("no {noun}"),
        Some(1) => format!("one {noun}"),
        Some(number) => format!("{} {noun}s", number_word(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Left, Options, distil};

    fn told(report: &str) -> Vec<String> {
        let distilled = distil(report, &Options { left: Left::Image, with_possible: true, limit: None });
        distilled.sources.iter().map(|source| distilled.told_in_words(source.told)).collect()
    }

    #[test]
    fn what_a_phrase_told_is_said_in_the_words_of_the_prompt() {
        assert_eq!(
            told("Two infected areas in the left lower zone and the right lung. Bilateral pulmonary infection."),
            ["two infected areas", "lower left lung", "right lung", "bilateral"]
        );
        let polyp = told("A small pink polyp in the upper left of the image.");
        assert!(polyp.contains(&"small".to_owned()) && polyp.contains(&"top left".to_owned()), "{polyp:?}");
    }
}
