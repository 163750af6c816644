//! Reads a prompt in the grammar that its words belong to.

use super::lexicon::{LungTerm, Token, lung_term, tokens};
use super::parsed::{Parsed, Unread};
use super::value::Grammar;
use super::words::{Colour, Shape, Size};
use super::{lungs, polyps};

/// Reads a prompt. Every text is accepted: what the grammars do not have is listed as not understood.
///
/// The words decide on the grammar: those that occur in one grammar alone ("lung", "infection"; "polyp") before
/// those that are merely usual in it ("upper"; "top", "small", "round").
pub fn parse(text: &str) -> Parsed {
    let tokens = tokens(text);
    let mut parsed = match grammar_of(&tokens) {
        Some(Grammar::Lungs) => lungs::parse(&tokens),
        Some(Grammar::Polyps) => polyps::parse(&tokens),
        None => {
            let mut unread = Unread::default();
            tokens.iter().for_each(|token| unread.add(token));
            Parsed { not_understood: unread.ranges, ..Parsed::default() }
        }
    };
    parsed.parts.sort_by_key(|part| part.bytes.start);
    parsed
}

/// Returns the grammar that the words belong to; `None` if they are in none or in both.
pub fn grammar_of(tokens: &[Token]) -> Option<Grammar> {
    let [mut lungs, mut polyps, mut zones, mut attributes] = [0_usize; 4];
    for token in tokens.iter().filter(|token| token.is_word) {
        let word = token.text.as_str();
        match lung_term(word) {
            Some(LungTerm::Lung | LungTerm::Infected | LungTerm::Infection | LungTerm::Laterality(_)) => {
                lungs += 1
            }
            Some(LungTerm::Zone(_) | LungTerm::All) => zones += 1,
            _ => {}
        }
        let is_attribute = Size::of(word).is_some() || Colour::of(word).is_some() || Shape::of(word).is_some();
        match word {
            "polyp" | "polyps" => polyps += 1,
            "top" | "bottom" | "center" | "centre" | "image" => attributes += 1,
            _ if is_attribute => attributes += 1,
            _ => {}
        }
    }
    let larger = |lungs: usize, polyps: usize| match lungs.cmp(&polyps) {
        std::cmp::Ordering::Greater => Some(Grammar::Lungs),
        std::cmp::Ordering::Less => Some(Grammar::Polyps),
        std::cmp::Ordering::Equal => None,
    };
    if lungs + polyps > 0 { larger(lungs, polyps) } else { larger(zones, attributes) }
}
