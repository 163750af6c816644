//! Which phrase of a report gave what: as a list, and as marks in the text.

use std::ops::Range;

use crate::app::builder::shortened;
use crate::text::prompt::report::{Distilled, Reason, Status};

/// How a phrase was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is in the prompt.
    Taken,
    /// It is in the prompt, but the report is not sure of it.
    Possible,
    /// It was understood and left out.
    LeftOut,
    /// It was not understood.
    NotUnderstood,
}

/// A stretch of the report, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where it stands.
    pub bytes: Range<usize>,
    /// How it was understood.
    pub kind: Kind,
}

/// A phrase of the report and what it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The phrase, shortened.
    pub phrase: String,
    /// What it gave, or why it gave nothing.
    pub meaning: String,
    /// How it was understood.
    pub kind: Kind,
}

/// Returns all phrases with what they gave: first those of the prompt, then those that were left out, then those that
/// were not understood, each in the order of the report.
pub fn rows(text: &str, distilled: &Distilled) -> Vec<Row> {
    let phrase = |bytes: &Range<usize>| shortened(text.get(bytes.clone()).unwrap_or_default());
    let taken = distilled.sources.iter().map(|source| {
        let told = distilled.told_in_words(source.told);
        let (meaning, kind) = match source.status {
            Status::Possible => (format!("{told} (possible)"), Kind::Possible),
            _ => (told, Kind::Taken),
        };
        Row { phrase: phrase(&source.bytes), meaning, kind }
    });
    let left_out = distilled.left_out.iter().map(|left_out| {
        let meaning = left_out.reason.in_words().to_owned();
        Row { phrase: phrase(&left_out.bytes), meaning, kind: Kind::LeftOut }
    });
    let unread = distilled.not_understood.iter().map(|bytes| {
        let meaning = "not understood".to_owned();
        Row { phrase: phrase(bytes), meaning, kind: Kind::NotUnderstood }
    });
    taken.chain(left_out).chain(unread).collect()
}

/// Returns the stretches to mark, in the order of the report and apart from each other: where two overlap, the one
/// that begins first is marked.
pub fn marks(distilled: &Distilled) -> Vec<Mark> {
    let taken = distilled.sources.iter().map(|source| {
        let kind = if source.status == Status::Possible { Kind::Possible } else { Kind::Taken };
        Mark { bytes: source.bytes.clone(), kind }
    });
    let struck =
        |reason| matches!(reason, Reason::Negated | Reason::Past | Reason::Uncertain | Reason::Background);
    let left_out = distilled.left_out.iter().filter(|left_out| struck(left_out.reason));
    let left_out = left_out.map(|left_out| Mark { bytes: left_out.bytes.clone(), kind: Kind::LeftOut });
    let unread = distilled.not_understood.iter();
    let unread = unread.map(|bytes| Mark { bytes: bytes.clone(), kind: Kind::NotUnderstood });
    let mut marks: Vec<Mark> = taken.chain(left_out).chain(unread).collect();
    marks.sort_by_key(|mark| (mark.bytes.start, mark.bytes.end));
    let mut end = 0;
    marks.retain(|mark| {
        let is_apart = mark.bytes.start >= end && !mark.bytes.is_empty();
        if is_apart {
            end = mark.bytes.end;
        }
        is_apart
    });
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::report::{Left, Options, distil};

    #[test]
    fn every_phrase_is_listed_with_what_it_gave() {
        let text = "Possible opacity in the left lower zone. No consolidation in the right lung. Xyzzy.";
        let distilled = distil(text, &Options { left: Left::Image, with_possible: true, limit: None });
        let rows = rows(text, &distilled);
        let row = |at: usize| (rows[at].phrase.as_str(), rows[at].meaning.as_str(), rows[at].kind);
        assert_eq!(row(0), ("left lower zone", "lower left lung (possible)", Kind::Possible));
        assert!(rows.iter().any(|row| row.meaning == "negated" && row.kind == Kind::LeftOut), "{rows:?}");
        assert_eq!(row(rows.len() - 1), ("Xyzzy", "not understood", Kind::NotUnderstood));
        let marks = marks(&distilled);
        assert!(marks.windows(2).all(|pair| pair[0].bytes.end <= pair[1].bytes.start), "{marks:?}");
        assert_eq!(&text[marks[0].bytes.clone()], "left lower zone");
    }
}
