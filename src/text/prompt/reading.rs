//! What a network reads of a text, by words: a word that falls into letters is one word that is not understood, and
//! not a row of pieces.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::lexicon::{LungTerm, is_negation, lung_term, tokens};
use super::words::Place;
use crate::text::Tokenizer;

/// A word of a text, or a punctuation mark, with its pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadWord {
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// The pieces that the network reads of it, such as `["lung", "##s"]`; those of an unknown word by the network's rule
    /// ([`UnknownWords`](crate::text::UnknownWords)), and none if the word is left out.
    pub pieces: Vec<String>,
    /// Says whether it is a punctuation mark.
    pub is_mark: bool,
    /// Says whether the network can make something of it: see [`Tokenizer::knows`].
    pub is_understood: bool,
    /// Says whether all of its pieces are within the limit of tokens.
    pub is_within_limit: bool,
}

/// What a network reads of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The words and marks in the order of the text.
    pub words: Vec<ReadWord>,
    /// The number of tokens, with `[CLS]` and `[SEP]`.
    pub tokens: usize,
    /// The number of tokens that the network reads.
    pub limit: usize,
}

/// The share of the words that must be understood for a mask to mean something.
const ENOUGH: f64 = 0.5;

/// What a network could not read of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// How many words were understood, in words.
    pub words: String,
    /// Why a mask may mean little; `None` if most of the prompt was read and nothing that matters was cut.
    pub doubt: Option<&'static str>,
}

impl Reading {
    /// Returns what the network could not read of `text`, of which this is the reading; `None` if it read all of it.
    pub fn misread(&self, text: &str) -> Option<Misread> {
        let (read, all) = self.understood();
        if read == all {
            return None;
        }
        let doubt = if (read as f64) < ENOUGH * all as f64 {
            Some("Most of the prompt was not understood, so that the mask means little.")
        } else if self.cut_matters(text) {
            Some("What was cut off names a side, a zone or a negation.")
        } else {
            None
        };
        Some(Misread { words: self.summary(), doubt })
    }

    /// Returns the words without the marks.
    pub fn only_words(&self) -> impl Iterator<Item = &ReadWord> {
        self.words.iter().filter(|word| !word.is_mark)
    }

    /// Returns the number of words that are understood and within the limit, and the number of all words.
    pub fn understood(&self) -> (usize, usize) {
        let read = self.only_words().filter(|word| word.is_understood && word.is_within_limit).count();
        (read, self.only_words().count())
    }

    /// Says it in words: "3 of 60 words understood".
    pub fn summary(&self) -> String {
        let (read, all) = self.understood();
        format!("{read} of {all} word{} understood", if all == 1 { "" } else { "s" })
    }

    /// Returns where the text begins that the network does not read, in bytes; `None` if it reads all.
    pub fn cut(&self) -> Option<usize> {
        self.words.iter().find(|word| !word.is_within_limit).map(|word| word.bytes.start)
    }

    /// Says whether what is cut off holds a word that the mask depends on: a side, a zone or place, or a negation.
    pub fn cut_matters(&self, text: &str) -> bool {
        self.words.iter().filter(|word| !word.is_within_limit && !word.is_mark).any(|word| {
            let name = text.get(word.bytes.clone()).unwrap_or_default().to_lowercase();
            let is_place = matches!(lung_term(&name), Some(LungTerm::Zone(_) | LungTerm::All | LungTerm::Side(_)));
            is_place || Place::of(&name).is_some() || is_negation(&name)
        })
    }
}

/// Returns what a network that reads `limit` tokens reads of `text`.
pub fn reading(text: &str, tokenizer: &Tokenizer, limit: usize) -> Reading {
    let pieces = tokenizer.pieces(text);
    let mut at = 0;
    let words = tokens(text).into_iter().map(|token| {
        // The pieces and the words are in the order of the text. What belongs to no word, such as a control
        // character that the vocabulary knows, is passed over.
        while pieces.get(at).is_some_and(|(_, bytes)| bytes.start < token.bytes.start) {
            at += 1;
        }
        let first = at;
        while pieces.get(at).is_some_and(|(_, bytes)| bytes.start < token.bytes.end) {
            at += 1;
        }
        let own: Vec<String> = pieces[first..at].iter().map(|(piece, _)| piece.clone()).collect();
        ReadWord {
            is_understood: tokenizer.understands(own.iter().map(String::as_str)),
            is_within_limit: own.is_empty()
                || tokenizer.fits(pieces[..at].iter().map(|(piece, _)| piece.as_str()), limit),
            is_mark: !token.is_word,
            bytes: token.bytes,
            pieces: own,
        }
    });
    let words = words.collect();
    Reading { words, tokens: pieces.len() + 2, limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::UnknownWords;

    const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nleft\nlung\n##s\n,\nf\n##i\n##n\n##d\nno\na\n";

    #[test]
    fn words_and_not_pieces_are_counted() {
        let tokenizer = Tokenizer::from_vocab_text(VOCABULARY).expect("a vocabulary");
        let text = "Find lungs,\tno \u{1F600} left LÚNG xyz";
        let read = reading(text, &tokenizer, 11);
        let words: Vec<&str> = read.words.iter().map(|word| &text[word.bytes.clone()]).collect();
        assert_eq!(words, ["Find", "lungs", ",", "no", "\u{1F600}", "left", "LÚNG", "xyz"]);
        assert_eq!(read.words[0].pieces, ["f", "##i", "##n", "##d"]);
        let understood: Vec<bool> = read.words.iter().map(|word| word.is_understood).collect();
        assert_eq!(understood, [false, true, true, true, false, true, true, false]);
        let within: Vec<bool> = read.words.iter().map(|word| word.is_within_limit).collect();
        assert_eq!(within, [true, true, true, true, true, false, false, false]);
        assert_eq!((read.summary().as_str(), read.tokens), ("2 of 6 words understood", 14));
        assert_eq!(read.cut(), Some(text.find("left").expect("left")));
        assert!(read.cut_matters(text));
        assert!(!reading("lung lung lung lung", &tokenizer, 4).cut_matters("lung lung lung lung"));
    }

    #[test]
    fn an_unknown_word_is_not_understood_whatever_is_read_in_its_place() {
        let read = |rule| {
            let tokenizer = Tokenizer::from_vocab_text(VOCABULARY).expect("a vocabulary").with_unknown_words(rule);
            reading("find left lungs \u{1F600}", &tokenizer, 5)
        };
        let pieces = |read: &Reading| read.words.iter().map(|word| word.pieces.join(" ")).collect::<Vec<_>>();
        let [whole, token, dropped] = [UnknownWords::Pieces, UnknownWords::Token, UnknownWords::Drop].map(read);
        assert_eq!(pieces(&whole), ["f ##i ##n ##d", "left", "lung ##s", "[UNK]"]);
        assert_eq!(pieces(&token), ["[UNK]", "left", "lung ##s", "[UNK]"]);
        assert_eq!(pieces(&dropped), ["", "left", "lung ##s", ""]);
        assert_eq!([whole.tokens, token.tokens, dropped.tokens], [10, 7, 5]);
        // What fits changes with the rule; what is understood does not.
        assert_eq!([&whole, &token, &dropped].map(Reading::understood), [(0, 3), (1, 3), (2, 3)]);
        for read in [&whole, &token, &dropped] {
            let understood: Vec<bool> = read.words.iter().map(|word| word.is_understood).collect();
            assert_eq!(understood, [false, true, true, false]);
        }
    }

    #[test]
    fn the_words_of_a_vocabulary_are_whole_words() {
        let tokenizer = Tokenizer::from_vocab_text(VOCABULARY).expect("a vocabulary");
        assert_eq!(tokenizer.words(), ["left", "lung"]);
    }

    #[test]
    fn any_text_can_be_read() {
        let tokenizer = Tokenizer::from_vocab_text(VOCABULARY).expect("a vocabulary");
        for text in ["", " \t\n\0", "左肺 lung", "שלום", "e\u{301}\u{301}", "\u{1F600}"] {
            for limit in 0..5 {
                let read = reading(text, &tokenizer, limit);
                assert!(read.words.iter().all(|word| text.get(word.bytes.clone()).is_some()), "{text}");
            }
        }
    }

    fn read_as(prompt: &str, understood: &[bool], limit: usize) -> Reading {
        let mut at = 0;
        let words = prompt.split(' ').zip(understood).enumerate().map(|(place, (text, is_understood))| {
            let bytes = at..at + text.len();
            at += text.len() + 1;
            ReadWord {
                bytes,
                pieces: vec![text.to_owned()],
                is_mark: false,
                is_understood: *is_understood,
                is_within_limit: place < limit,
            }
        });
        Reading { words: words.collect(), tokens: understood.len() + 2, limit: limit + 2 }
    }

    #[test]
    fn a_mask_is_in_doubt_if_little_was_read_or_a_side_was_cut() {
        let prompt = "all left lung or so";
        assert_eq!(read_as(prompt, &[true; 5], 5).misread(prompt), None);
        let few = read_as(prompt, &[true, true, false, false, false], 5).misread(prompt).expect("words");
        assert_eq!(few.words, "2 of 5 words understood");
        assert!(few.doubt.is_some_and(|doubt| doubt.starts_with("Most")));
        let enough = read_as(prompt, &[true, true, true, false, true], 5).misread(prompt).expect("words");
        assert_eq!((enough.words.as_str(), enough.doubt), ("4 of 5 words understood", None));
        let cut = read_as("lung and so all left", &[true; 5], 4).misread("lung and so all left").expect("words");
        assert!(cut.doubt.is_some_and(|doubt| doubt.contains("side")), "{cut:?}");
    }
}
