//! Replaces words of a text by the mask token.

use std::ops::Range;

use super::change::MASK_TOKEN;
use crate::text::prompt::words;

/// Returns the text with a mask token in place of every piece of the words within `bytes`; punctuation marks stay.
/// `pieces` gives the number of pieces of a word, of which every word has at least one.
pub fn masked(text: &str, bytes: &Range<usize>, pieces: impl Fn(&Range<usize>) -> usize) -> String {
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    let is_within = |word: &Range<usize>| bytes.start <= word.start && word.end <= bytes.end;
    for word in words(text).into_iter().filter(is_within) {
        new += &text[done..word.start];
        new += &vec![MASK_TOKEN; pieces(&word).max(1)].join(" ");
        done = word.end;
    }
    new + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_becomes_a_mask_token_and_marks_stay() {
        let text = "Bilateral infection, upper lungs.";
        // "infection" is two pieces.
        let pieces = |word: &Range<usize>| if word.start == 10 { 2 } else { 0 };
        assert_eq!(masked(text, &(10..19), pieces), "Bilateral [MASK] [MASK], upper lungs.");
        assert_eq!(masked(text, &(0..26), pieces), "[MASK] [MASK] [MASK], [MASK] lungs.");
        assert_eq!(masked(text, &(19..20), pieces), text);
        assert_eq!(masked("linke Lungenhälfte", &(6..19), |_| 1), "linke [MASK]");
    }
}
