//! Splits a report into sentences, and says in which section each stands.

use std::ops::Range;

use crate::text::prompt::lexicon::Token;

/// A section of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What is seen; also what stands before the first heading.
    Findings,
    /// The conclusion.
    Impression,
    /// History, indication, technique and comparison: nothing in them is a finding of this image.
    Background,
}

/// A sentence: a range of tokens, without its heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The indices of its tokens.
    pub tokens: Range<usize>,
    /// The section in which it stands.
    pub section: Section,
}

/// Returns the section that a heading begins.
fn section_of(word: &str) -> Option<Section> {
    match word {
        "findings" | "finding" | "report" | "description" => Some(Section::Findings),
        "impression" | "conclusion" | "summary" | "opinion" | "diagnosis" | "assessment" => {
            Some(Section::Impression)
        }
        "history" | "indication" | "technique" | "comparison" | "clinical" | "exam" | "examination"
        | "procedure" | "information" | "reason" => Some(Section::Background),
        _ => None,
    }
}

/// The most tokens of a sentence. Text without a full stop is cut, so that the time for it stays linear.
const LONGEST: usize = 200;

/// Returns the sentences of a report. A sentence ends at a mark, at a heading, at an empty line, and at the end of a
/// line if the next begins with a capital letter, a number or a bullet.
pub fn sentences(text: &str, tokens: &[Token]) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut section = Section::Findings;
    let mut start = 0;
    let mut at = 0;
    let end_at = |start: &mut usize, end: usize, next: usize, section: Section, found: &mut Vec<Sentence>| {
        if *start < end {
            found.push(Sentence { tokens: *start..end, section });
        }
        *start = next;
    };
    while at < tokens.len() {
        if at > start && (at - start == LONGEST || starts_line(text, tokens, at)) {
            end_at(&mut start, at, at, section, &mut found);
        }
        if let Some((next, words)) = heading(tokens, at) {
            end_at(&mut start, at, at + words, section, &mut found);
            section = next;
            at += words;
            continue;
        }
        if ends_sentence(tokens, at) {
            end_at(&mut start, at, at + 1, section, &mut found);
        }
        at += 1;
    }
    end_at(&mut start, tokens.len(), tokens.len(), section, &mut found);
    found
}

/// Returns the section of a heading at `at`, one or two words with a colon, and the number of its tokens.
fn heading(tokens: &[Token], at: usize) -> Option<(Section, usize)> {
    let section = section_of(&tokens[at].text)?;
    let is_colon = |offset: usize| tokens.get(at + offset).is_some_and(|token| token.is(":"));
    (1..=2).find(|offset| is_colon(*offset)).map(|offset| (section, offset + 1))
}

fn ends_sentence(tokens: &[Token], at: usize) -> bool {
    match tokens[at].text.as_str() {
        "!" | "?" | ";" => true,
        "." => {
            // The point of "3.5" is none.
            let is_digit = |token: &Token| token.text.bytes().all(|byte| byte.is_ascii_digit());
            let (before, after) = (at.checked_sub(1).map(|before| &tokens[before]), tokens.get(at + 1));
            let touches = after.is_some_and(|after| after.bytes.start == tokens[at].bytes.end && is_digit(after));
            !(touches && before.is_some_and(is_digit))
        }
        _ => false,
    }
}

/// Says whether the token begins a line that begins a sentence.
fn starts_line(text: &str, tokens: &[Token], at: usize) -> bool {
    let between = &text[tokens[at - 1].bytes.end..tokens[at].bytes.start];
    let lines = between.matches('\n').count();
    let first = text[tokens[at].bytes.start..].chars().next().unwrap_or_default();
    lines > 1 || lines == 1 && (first.is_uppercase() || first.is_numeric() || "-•*–".contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::lexicon::tokens;

    #[test]
    fn sentences_end_at_marks_headings_and_lines() {
        let text = "HISTORY: cough, fever.\nFINDINGS: A 3.5 cm mass. Lungs\nare clear\nNo effusion\n\nIMPRESSION:\n1. Normal";
        let tokens = tokens(text);
        let found: Vec<(String, Section)> = sentences(text, &tokens)
            .into_iter()
            .map(|sentence| {
                let words: Vec<&str> = tokens[sentence.tokens].iter().map(|token| token.text.as_str()).collect();
                (words.join(" "), sentence.section)
            })
            .collect();
        let expected = [
            ("cough , fever", Section::Background),
            ("a 3 . 5 cm mass", Section::Findings),
            ("lungs are clear", Section::Findings),
            ("no effusion", Section::Findings),
            ("1", Section::Impression),
            ("normal", Section::Impression),
        ];
        assert_eq!(found, expected.map(|(words, section)| (words.to_owned(), section)));
    }
}
