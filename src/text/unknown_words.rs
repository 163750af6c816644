//! What a network reads in place of a word that its vocabulary does not have.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What a network reads in place of a word that is not known: one that is no entry of the vocabulary and does not fall
/// into pieces of two and a half letters or more on average ([`is_understood`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownWords {
    /// Its pieces, down to single letters, as BERT does it. To a network they look like a sentence.
    #[default]
    Pieces,
    /// The entry for unknown words, once for each word.
    Token,
    /// Nothing.
    Drop,
}

impl UnknownWords {
    /// Returns a sentence that says what becomes of unknown words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pieces => "Words outside the vocabulary are read in pieces, down to single letters.",
            Self::Token => "Words outside the vocabulary are read as one token that stands for an unknown word.",
            Self::Drop => "Words outside the vocabulary are not read.",
        }
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its number in the vocabulary.
    pub id: u32,
    /// The entry of the vocabulary.
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// The number of the word that it belongs to.
    pub word: Option<u32>,
}

/// Says whether a word is understood from its pieces: it is an entry of the vocabulary as a whole, or it falls into
/// pieces that have two and a half letters or more on average and none of which is unknown. So "lung ##s" and "cov
/// ##id" are understood; "f ##i ##n ##d", "as ##df" and "q ##wer ##ty" are not.
pub(super) fn is_understood<'a>(
    pieces: impl Iterator<Item = &'a str> + Clone,
    is_unknown: impl Fn(&str) -> bool,
) -> bool {
    if pieces.clone().any(is_unknown) {
        return false;
    }
    let letters: usize = pieces.clone().map(|piece| piece.trim_start_matches("##").chars().count()).sum();
    match pieces.count() {
        0 => false,
        1 => true,
        count => 2 * letters >= 5 * count,
    }
}

impl UnknownWords {
    /// Returns the pieces with those of unknown words exchanged. `unknown` is the entry for unknown words.
    pub(super) fn applied(self, pieces: Vec<Piece>, unknown: (u32, &str)) -> Vec<Piece> {
        if self == Self::Pieces {
            return pieces;
        }
        let mut kept = Vec::with_capacity(pieces.len());
        for word in pieces.chunk_by(|a, b| a.word.is_some() && a.word == b.word) {
            if is_understood(word.iter().map(|piece| piece.text.as_str()), |piece| piece == unknown.1) {
                kept.extend_from_slice(word);
            } else if self == Self::Token {
                let bytes = word[0].bytes.start..word[word.len() - 1].bytes.end;
                kept.push(Piece { id: unknown.0, text: unknown.1.to_owned(), bytes, word: word[0].word });
            }
        }
        kept
    }
}
