//! Help while a prompt is typed: which part of the text is complete, and which words of the grammar may follow.

use super::lexicon::tokens;
use super::mirror::in_case_of;
use super::parse::grammar_of;
use super::value::Grammar;
use super::words::{Colour, Laterality, Place, Shape, Side, Size, Zone, number_word};
use crate::text::capitalised;

/// Returns where the last complete word ends, in bytes: a word is complete if white space or a mark follows. What
/// comes after may be half a word, such as the "ri" of "all right lung", and is not sent to a network yet.
pub fn complete_end(text: &str) -> usize {
    let is_open = text.chars().next_back().is_some_and(char::is_alphanumeric);
    let last = tokens(text).pop().filter(|_| is_open);
    last.map_or(text.len(), |token| token.bytes.start)
}

/// Returns the words of a grammar that the last, incomplete word of a text may become, in the order of the
/// alphabet; nothing if the text ends with a complete word. The grammar is that of the words before, and both if it
/// is open.
pub fn completions(text: &str) -> Vec<String> {
    let begun = text[complete_end(text)..].to_lowercase();
    if begun.is_empty() {
        return Vec::new();
    }
    let grammar = grammar_of(&tokens(&text[..complete_end(text)]));
    let grammars = grammar.map_or(vec![Grammar::Lungs, Grammar::Polyps], |grammar| vec![grammar]);
    let words = grammars.into_iter().flat_map(grammar_words);
    let mut found: Vec<String> = words.filter(|word| word.starts_with(&begun) && *word != begun).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns `word` in the case in which it was begun: "Bi" becomes "Bilateral", "BI" "BILATERAL".
pub fn completed(begun: &str, word: &str) -> String {
    let is_one_letter = begun.chars().nth(1).is_none();
    if is_one_letter && begun.chars().all(char::is_uppercase) {
        capitalised(word)
    } else {
        in_case_of(begun, word)
    }
}

/// Returns the words of a grammar.
pub fn grammar_words(grammar: Grammar) -> Vec<String> {
    let mut words: Vec<String> = (1..=10).map(number_word).collect();
    let mut add = |phrase: &str| words.extend(phrase.split(' ').map(String::from));
    match grammar {
        Grammar::Lungs => {
            Side::ALL.iter().for_each(|side| add(side.word()));
            Zone::ALL.iter().for_each(|zone| add(zone.word()));
            let known = Laterality::ALL.iter().filter(|laterality| **laterality != Laterality::None);
            known.for_each(|laterality| add(laterality.word()));
            add("all and area areas infected infection lung no pulmonary");
        }
        Grammar::Polyps => {
            Place::ALL.iter().for_each(|place| add(place.word()));
            Size::ALL.iter().for_each(|size| add(size.word()));
            Colour::ALL.iter().for_each(|colour| add(colour.word()));
            Shape::ALL.iter().for_each(|shape| add(shape.word()));
            add("a growth image in is located of polyp projecting the tissue which");
        }
    }
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_word_is_not_complete() {
        for (text, complete) in [
            ("all ri", "all "),
            ("all right", "all "),
            ("all right ", "all right "),
            ("lung.", "lung."),
            ("", ""),
            ("al", ""),
            ("left lung,", "left lung,"),
            ("größe", ""),
        ] {
            assert_eq!(&text[..complete_end(text)], complete, "{text}");
        }
    }

    #[test]
    fn words_of_the_grammar_complete_what_was_begun() {
        assert_eq!(completions("all ri"), ["right"]);
        assert_eq!(completions("Bilateral pulmonary infection, u"), ["unilateral", "upper"]);
        assert_eq!(completions("one small polyp located in bo"), ["bone", "bottom"]);
        assert_eq!(completions("un"), ["unilateral"]);
        assert_eq!(completions("all right "), [""; 0]);
        assert_eq!(completions("left"), [""; 0]);
    }

    #[test]
    fn a_word_goes_on_in_the_case_in_which_it_was_begun() {
        let all = ["b", "B", "Bi", "BI", "bI"].map(|begun| completed(begun, "bilateral"));
        assert_eq!(all, ["bilateral", "Bilateral", "Bilateral", "BILATERAL", "bilateral"]);
    }
}
