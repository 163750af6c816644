//! Splits a text into words and marks, and tells the words of the lungs' grammar, with the slips of the pen that
//! the real prompts have.

use std::ops::Range;

use super::words::{Laterality, Side, Zone, number_of};

/// A word, or a punctuation mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
    /// The word in lower case, or the mark.
    pub text: String,
    /// Says whether it is a word: letters and digits.
    pub is_word: bool,
}

impl Token {
    /// Says whether this is the mark or word `text`.
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

/// Returns the words and marks of a text; white space and control characters separate words and are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut start = None;
    let end_word = |start: &mut Option<usize>, end: usize, found: &mut Vec<Token>| {
        if let Some(from) = start.take() {
            found.push(Token { bytes: from..end, text: text[from..end].to_lowercase(), is_word: true });
        }
    };
    for (at, letter) in text.char_indices() {
        if letter.is_alphanumeric() {
            start.get_or_insert(at);
            continue;
        }
        end_word(&mut start, at, &mut found);
        if !letter.is_whitespace() && !letter.is_control() {
            let bytes = at..at + letter.len_utf8();
            found.push(Token { bytes, text: letter.to_string(), is_word: false });
        }
    }
    end_word(&mut start, text.len(), &mut found);
    found
}

/// A word of the lungs' grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LungTerm {
    /// A zone.
    Zone(Zone),
    /// "all": every zone.
    All,
    /// A side of the image.
    Side(Side),
    /// "lung".
    Lung,
    /// "and".
    And,
    /// A number.
    Number(u32),
    /// "infected".
    Infected,
    /// "area", "areas".
    Area,
    /// "pulmonary", "infection".
    Infection,
    /// "bilateral", "unilateral".
    Laterality(Laterality),
    /// A word that negates what follows.
    No,
    /// A word that adds nothing.
    Filler,
}

/// The words of the lungs' grammar. "Higher" stands for "upper" in a few prompts of QaTa-COV19.
const LUNG_TERMS: &[(&str, LungTerm)] = &[
    ("upper", LungTerm::Zone(Zone::Upper)),
    ("higher", LungTerm::Zone(Zone::Upper)),
    ("middle", LungTerm::Zone(Zone::Middle)),
    ("mid", LungTerm::Zone(Zone::Middle)),
    ("lower", LungTerm::Zone(Zone::Lower)),
    ("all", LungTerm::All),
    ("whole", LungTerm::All),
    ("left", LungTerm::Side(Side::Left)),
    ("right", LungTerm::Side(Side::Right)),
    ("lung", LungTerm::Lung),
    ("lungs", LungTerm::Lung),
    ("and", LungTerm::And),
    ("infected", LungTerm::Infected),
    ("area", LungTerm::Area),
    ("areas", LungTerm::Area),
    ("pulmonary", LungTerm::Infection),
    ("infection", LungTerm::Infection),
    ("bilateral", LungTerm::Laterality(Laterality::Bilateral)),
    ("unilateral", LungTerm::Laterality(Laterality::Unilateral)),
    ("in", LungTerm::Filler),
    ("of", LungTerm::Filler),
    ("the", LungTerm::Filler),
    ("with", LungTerm::Filler),
    ("zone", LungTerm::Filler),
    ("zones", LungTerm::Filler),
];

/// Words that negate what follows.
const NEGATIONS: &[&str] = &["no", "not", "without", "never", "neither", "nor", "absent"];

/// Says whether a word in lower case negates what follows.
pub fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(&word)
}

/// Slips in the prompts of QaTa-COV19 that the rule of one letter does not cover, because the word is short or two
/// letters are wrong.
const SLIPS: &[(&str, &str)] = &[
    ("uooer", "upper"),
    ("ower", "lower"),
    ("lowe", "lower"),
    ("alll", "all"),
    ("ung", "lung"),
    ("thrr", "three"),
];

/// Words for which one wrong letter is taken for a slip. A side is not among them: it is never guessed.
const TOLERANT: [&str; 9] =
    ["upper", "middle", "lower", "infected", "infection", "pulmonary", "bilateral", "unilateral", "areas"];

/// Words of the language that are one letter from a word of the grammar.
const OTHER_WORDS: [&str; 13] = [
    "supper",
    "slower",
    "flower",
    "blower",
    "glower",
    "lover",
    "loser",
    "meddle",
    "muddle",
    "injected",
    "injection",
    "inflection",
    "arenas",
];

/// Returns the term of a word in lower case; `None` if the grammar of the lungs has no such word.
pub fn lung_term(word: &str) -> Option<LungTerm> {
    exact_term(word).or_else(|| {
        let meant = SLIPS.iter().find(|(slip, _)| *slip == word).map(|(_, meant)| *meant);
        meant.or_else(|| slip_of(word)).and_then(exact_term)
    })
}

/// Says whether a word is understood although it is misspelt or lacks a space.
pub fn is_slip(word: &str) -> bool {
    let token = Token { bytes: 0..word.len(), text: word.to_owned(), is_word: true };
    exact_term(word).is_none() && (lung_term(word).is_some() || glued(&token, false).is_some())
}

/// Returns the text with a space between two words of the lungs' grammar that lack it, sides included; `None` if
/// there are none.
pub fn spaced(text: &str) -> Option<String> {
    let mut mended = String::new();
    let mut done = 0;
    for token in tokens(text) {
        if lung_term(&token.text).is_none()
            && let Some([first, _]) = glued(&token, true)
        {
            mended += &text[done..first.0.bytes.end];
            mended.push(' ');
            done = first.0.bytes.end;
        }
    }
    (done > 0).then(|| mended + &text[done..])
}

fn exact_term(word: &str) -> Option<LungTerm> {
    if NEGATIONS.contains(&word) {
        return Some(LungTerm::No);
    }
    let term = LUNG_TERMS.iter().find(|(name, _)| *name == word).map(|(_, term)| *term);
    term.or_else(|| number_of(word).map(LungTerm::Number))
}

/// Returns the word that `word` is a slip of: one letter is wrong, missing, too many or exchanged with the next.
fn slip_of(word: &str) -> Option<&'static str> {
    if !word.is_ascii() || !(4..=12).contains(&word.len()) || OTHER_WORDS.contains(&word) {
        return None;
    }
    TOLERANT.into_iter().find(|meant| is_one_letter_off(word.as_bytes(), meant.as_bytes()))
}

fn is_one_letter_off(word: &[u8], meant: &[u8]) -> bool {
    let same = word.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (rest, wanted) = (&word[same..], &meant[same..]);
    match (rest, wanted) {
        // Another first letter makes another word: "power", "tower".
        ([_, a @ ..], [_, b @ ..]) if a == b && same > 0 => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        ([a0, a1, a @ ..], [b0, b1, b @ ..]) => a0 == b1 && a1 == b0 && a == b,
        _ => false,
    }
}

/// Returns the words of the lungs' grammar in a text. Two words without a space between them ("middlelower") are
/// told apart, but not if one of them is a side. The term is `None` for words that the grammar does not have.
pub fn lung_terms(tokens: &[Token]) -> Vec<(Token, Option<LungTerm>)> {
    let mut found = Vec::with_capacity(tokens.len());
    for token in tokens {
        let term = if token.is_word { lung_term(&token.text) } else { None };
        match term.is_none().then(|| glued(token, false)).flatten() {
            Some(pair) => found.extend(pair),
            None => found.push((token.clone(), term)),
        }
    }
    found
}

/// Tells two words without a space between them apart, sides only if `with_sides`.
fn glued(token: &Token, with_sides: bool) -> Option<[(Token, Option<LungTerm>); 2]> {
    let text = &token.text;
    if !token.is_word || !text.is_ascii() || text.len() > 20 || token.bytes.len() != text.len() {
        return None;
    }
    (2..text.len().saturating_sub(1)).find_map(|at| {
        let (first, second) = text.split_at(at);
        let terms = [exact_term(first)?, exact_term(second)?];
        let is_safe = |term: &LungTerm| match term {
            LungTerm::No | LungTerm::Filler => false,
            LungTerm::Side(_) => with_sides,
            _ => true,
        };
        let middle = token.bytes.start + at;
        let part = |bytes: Range<usize>, text: &str| Token { bytes, text: text.to_owned(), is_word: true };
        terms.iter().all(is_safe).then(|| {
            [
                (part(token.bytes.start..middle, first), Some(terms[0])),
                (part(middle..token.bytes.end, second), Some(terms[1])),
            ]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_real_prompts_are_understood_and_other_words_are_not() {
        for (slip, meant) in [
            ("midlle", "middle"),
            ("lwoer", "lower"),
            ("lowerl", "lower"),
            ("lowoer", "lower"),
            ("uppper", "upper"),
            ("midddle", "middle"),
            ("midldle", "middle"),
            ("iddle", "middle"),
            ("middlr", "middle"),
            ("lupper", "upper"),
            ("uooer", "upper"),
            ("alll", "all"),
            ("ung", "lung"),
            ("thrr", "three"),
        ] {
            assert_eq!(lung_term(slip), lung_term(meant), "{slip}");
            assert!(lung_term(slip).is_some(), "{slip}");
        }
        for word in
            ["lift", "bright", "light", "power", "tower", "flower", "injection", "riddle", "ball", "ri", ""]
        {
            assert_eq!(lung_term(word), None, "{word}");
        }
    }

    #[test]
    fn words_without_a_space_between_them_are_told_apart_but_for_sides() {
        let terms = |text: &str| {
            lung_terms(&tokens(text)).into_iter().map(|(token, term)| (token.bytes, term)).collect::<Vec<_>>()
        };
        let zone = |zone| Some(LungTerm::Zone(zone));
        assert_eq!(terms("middlelower"), [(0..6, zone(Zone::Middle)), (6..11, zone(Zone::Lower))]);
        assert_eq!(terms("rightlung"), [(0..9, None)]);
    }

    #[test]
    fn bytes_are_those_of_the_text() {
        let text = "Größe,\u{1F600} LEFT\tlung\u{0}x";
        let texts: Vec<&str> = tokens(text).into_iter().map(|token| &text[token.bytes]).collect();
        assert_eq!(texts, ["Größe", ",", "\u{1F600}", "LEFT", "lung", "x"]);
    }
}
