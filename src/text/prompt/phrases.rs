//! Phrases of a prompt that can be left out, and words that can be exchanged, to find out what each contributes.

use std::ops::Range;

use super::lexicon::{Token, tokens};
use super::mirror::in_case_of;
use super::parse::parse;
use super::parsed::PartKind;
use super::words::{number_of, number_word};

/// The most phrases of a prompt. An exact Shapley value over them takes 2^8 = 256 predictions.
pub const MOST_PHRASES: usize = 8;

/// A phrase of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
    /// What it tells; `None` if it was not understood or joins several parts.
    pub kind: Option<PartKind>,
}

/// Returns the phrases of a prompt in the order of the text, at most [`MOST_PHRASES`]: its parts, and what was not
/// understood. If there are more ([`all_phrases`]), neighbours are joined, the shortest first.
pub fn phrases(text: &str) -> Vec<Phrase> {
    let mut found = all_phrases(text);
    if found.len() > 64 {
        // Of a long text, equal numbers of phrases are joined.
        let count = found.len().div_ceil(MOST_PHRASES);
        return found.chunks(count).map(joined).collect();
    }
    while found.len() > MOST_PHRASES {
        let length = |at: &usize| found[at + 1].bytes.end - found[*at].bytes.start;
        let Some(at) = (0..found.len() - 1).min_by_key(length) else { break };
        let pair = joined(&found[at..at + 2]);
        found.splice(at..at + 2, [pair]);
    }
    found
}

/// Returns the phrases of a prompt like [`phrases`], however many there are.
pub fn all_phrases(text: &str) -> Vec<Phrase> {
    let parsed = parse(text);
    let parts = parsed.parts.into_iter().map(|part| Phrase { bytes: part.bytes, kind: Some(part.kind) });
    let mut found: Vec<Phrase> = parts.collect();
    // A long stretch that was not understood falls into parts of a few words.
    let words: Vec<Token> = tokens(text).into_iter().filter(|token| token.is_word).collect();
    for stretch in parsed.not_understood {
        let first = words.partition_point(|word| word.bytes.start < stretch.start);
        let last = words.partition_point(|word| word.bytes.start < stretch.end);
        let within = &words[first..last];
        let count = within.len().div_ceil(MOST_PHRASES).max(1);
        let parts = within.chunks(count).map(|part| part[0].bytes.start..part[part.len() - 1].bytes.end);
        found.extend(parts.map(|bytes| Phrase { bytes, kind: None }));
    }
    found.sort_by_key(|phrase| phrase.bytes.start);
    // A part within another, such as the side between two zones, belongs to it.
    found.dedup_by(|next, phrase| {
        let overlaps = next.bytes.start < phrase.bytes.end;
        if overlaps {
            phrase.bytes.end = phrase.bytes.end.max(next.bytes.end);
            phrase.kind = None;
        }
        overlaps
    });
    found
}

fn joined(phrases: &[Phrase]) -> Phrase {
    Phrase { bytes: phrases[0].bytes.start..phrases[phrases.len() - 1].bytes.end, kind: None }
}

/// Returns the words of a text without the punctuation marks, by their bytes.
pub fn words(text: &str) -> Vec<Range<usize>> {
    tokens(text).into_iter().filter(|token| token.is_word).map(|token| token.bytes).collect()
}

/// Returns the text without the given ranges, which are in the order of the text and do not overlap. Punctuation and
/// connecting words that then join nothing are left out as well.
pub fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        kept += text.get(done..range.start).unwrap_or_default();
        done = range.end.max(done);
    }
    kept += text.get(done..).unwrap_or_default();
    tidied(&kept)
}

/// Leaves out commas and "and" that join nothing, and double spaces.
fn tidied(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let is_joint = |word: &str| matches!(word, "," | "and" | "or" | ";");
    for word in text.split_whitespace() {
        let first = words.last().is_none_or(|last| is_joint(last) || last.ends_with([',', ';']));
        if word == "." || word == "," {
            while words.last().is_some_and(|last| is_joint(last)) {
                words.pop();
            }
        }
        if first && is_joint(word) {
            continue;
        }
        words.push(word);
    }
    while words.last().is_some_and(|last| is_joint(last)) {
        words.pop();
    }
    let has_word = words.iter().any(|word| word.chars().any(char::is_alphanumeric));
    if !has_word {
        return String::new();
    }
    words.join(" ").replace(" ,", ",").replace(" .", ".").replace(",.", ".")
}

/// A prompt in which one word is exchanged for its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What is exchanged: "right for left".
    pub label: String,
    /// Where the word stands in the old text, in bytes.
    pub bytes: Range<usize>,
    /// The new text.
    pub text: String,
}

/// The counterparts.
const PAIRS: [(&str, &str); 12] = [
    ("left", "right"),
    ("upper", "lower"),
    ("top", "bottom"),
    ("bilateral", "unilateral"),
    ("small", "large"),
    ("middle", "upper"),
    ("all", "lower"),
    ("medium", "small"),
    ("center", "left"),
    ("white", "red"),
    ("pink", "white"),
    ("round", "oval"),
];

/// Returns the counterpart of a word in lower case: the opposite side or zone, or the next number; `None` if it has
/// none.
pub fn counterpart(word: &str) -> Option<String> {
    for (first, second) in PAIRS {
        if word == first {
            return Some(second.to_owned());
        }
        // Only the first pairs go both ways: the counterpart of "upper" is "lower" and not "middle".
        if word == second {
            return Some(first.to_owned());
        }
    }
    let number = number_of(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    Some(number_word(if number == 2 { 1 } else { number + 1 }))
}

/// Returns every prompt in which one word is exchanged, in the order of the words; of long texts those of the first
/// 64 words.
pub fn exchanges(text: &str) -> Vec<Exchange> {
    let words = tokens(text).into_iter().filter(|token| token.is_word).take(64);
    let exchange = |token: Token| {
        let other = counterpart(&token.text)?;
        let word = &text[token.bytes.clone()];
        let other = in_case_of(word, &other);
        let new = format!("{}{other}{}", &text[..token.bytes.start], &text[token.bytes.end..]);
        Some(Exchange { label: format!("{other} for {word}"), bytes: token.bytes, text: new })
    };
    words.filter_map(exchange).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung.";

    fn texts(text: &str) -> Vec<&str> {
        phrases(text).into_iter().map(|phrase| &text[phrase.bytes]).collect()
    }

    #[test]
    fn phrases_are_the_parts_of_the_prompt() {
        let expected =
            ["Bilateral pulmonary infection", "two infected areas", "upper", "left lung", "all", "right lung"];
        assert_eq!(texts(PROMPT), expected);
        let polyp = "two small pink round polyp which is a projecting growth of tissue located in top, left, center of \
            the image";
        assert_eq!(texts(polyp).len(), MOST_PHRASES);
        assert!(all_phrases(polyp).len() > MOST_PHRASES && all_phrases(PROMPT).len() == texts(PROMPT).len());
        assert_eq!(texts("asdf qwerty"), ["asdf", "qwerty"]);
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(texts(&"word ".repeat(20_000)).len(), MOST_PHRASES);
    }

    #[test]
    fn what_is_left_out_leaves_no_marks_behind() {
        let left_out = |indices: &[usize]| {
            let all = phrases(PROMPT);
            without(PROMPT, &indices.iter().map(|index| all[*index].bytes.clone()).collect::<Vec<_>>())
        };
        assert_eq!(left_out(&[]), PROMPT);
        assert_eq!(left_out(&[0]), "two infected areas, upper left lung and all right lung.");
        assert_eq!(left_out(&[1]), "Bilateral pulmonary infection, upper left lung and all right lung.");
        assert_eq!(left_out(&[4, 5]), "Bilateral pulmonary infection, two infected areas, upper left lung.");
        assert_eq!(left_out(&[2, 3]), "Bilateral pulmonary infection, two infected areas, all right lung.");
        assert_eq!(left_out(&[0, 1, 2, 3, 4, 5]), "");
    }

    #[test]
    fn words_are_exchanged_one_by_one() {
        let labels: Vec<String> = exchanges(PROMPT).into_iter().map(|exchange| exchange.label).collect();
        let expected = [
            "Unilateral for Bilateral",
            "one for two",
            "lower for upper",
            "right for left",
            "lower for all",
            "left for right",
        ];
        assert_eq!(labels, expected);
        let first = &exchanges("LEFT lung")[0];
        assert_eq!((first.text.as_str(), first.bytes.clone()), ("RIGHT lung", 0..4));
    }
}
