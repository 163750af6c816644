//! The changed prompts that a study predicts, each of them once.

use std::collections::HashMap;
use std::ops::Range;

use super::masked::masked;
use crate::text::prompt::{Exchange, PartKind, exchanges, phrases, without, words};

/// What is done with the words of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfluenceMethods {
    /// Whether every word and phrase is left out.
    pub leave_out: bool,
    /// Whether every word and phrase is replaced by the mask token.
    pub mask_token: bool,
    /// Whether words are exchanged for their counterparts.
    pub exchange: bool,
}

impl InfluenceMethods {
    /// All of them.
    pub const ALL: Self = Self { leave_out: true, mask_token: true, exchange: true };
}

/// Texts without duplicates, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Texts {
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

impl Texts {
    /// Creates a list that begins with `text`.
    pub fn beginning_with(text: &str) -> Self {
        let mut texts = Self::default();
        texts.add(text.to_owned());
        texts
    }

    /// Adds a text unless it is there, and returns its place.
    pub fn add(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = self.texts.len();
        self.texts.push(text.clone());
        self.places.insert(text, place);
        place
    }

    /// Returns the texts.
    pub fn all(&self) -> &[String] {
        &self.texts
    }
}

/// A word or a phrase of the prompt, with the places of its changed prompts among the texts.
#[derive(Debug)]
pub struct EditedPart {
    /// Where it stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// What a phrase tells.
    pub kind: Option<PartKind>,
    /// The prompt without it.
    pub left_out: Option<usize>,
    /// The prompt with the mask token in its place.
    pub masked: Option<usize>,
}

/// All changed prompts of a study of words.
#[derive(Debug)]
pub struct Edits {
    /// The texts; the first one is the prompt itself.
    pub texts: Texts,
    /// The words that are examined.
    pub words: Vec<EditedPart>,
    /// The phrases.
    pub phrases: Vec<EditedPart>,
    /// The exchanges with the places of their texts.
    pub exchanges: Vec<(usize, Exchange)>,
    /// The number of words that are not examined.
    pub unexamined: usize,
}

impl Edits {
    /// Plans the changes of a prompt, of whose words the first `most` are examined. `pieces` gives the number of pieces
    /// of a word.
    pub fn of(
        prompt: &str,
        most: usize,
        methods: InfluenceMethods,
        pieces: impl Fn(&Range<usize>) -> usize,
    ) -> Self {
        let mut texts = Texts::beginning_with(prompt);
        let mut edited = |bytes: Range<usize>, kind| EditedPart {
            left_out: methods.leave_out.then(|| texts.add(without(prompt, std::slice::from_ref(&bytes)))),
            masked: methods.mask_token.then(|| texts.add(masked(prompt, &bytes, &pieces))),
            bytes,
            kind,
        };
        let all = words(prompt);
        let end = all.get(most).map_or(prompt.len(), |word| word.start);
        let unexamined = all.len().saturating_sub(most);
        let words = all.into_iter().take(most).map(|word| edited(word, None)).collect();
        let phrases = phrases(prompt).into_iter().map(|phrase| edited(phrase.bytes, phrase.kind)).collect();
        let exchanged = if methods.exchange { exchanges(prompt) } else { Vec::new() };
        let exchanged = exchanged.into_iter().filter(|exchange| exchange.bytes.start < end);
        let exchanges = exchanged.map(|exchange| (texts.add(exchange.text.clone()), exchange)).collect();
        Self { texts, words, phrases, exchanges, unexamined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_predicted_once() {
        let edits = Edits::of("upper left lung", 22, InfluenceMethods::ALL, |_| 1);
        let expected = [
            "upper left lung",
            "left lung",
            "[MASK] left lung",
            "upper lung",
            "upper [MASK] lung",
            "upper left",
            "upper left [MASK]",
            // "upper" is a phrase as well.
            "upper",
            "upper [MASK] [MASK]",
            "lower left lung",
            "upper right lung",
        ];
        assert_eq!(edits.texts.all(), expected);
        assert_eq!((edits.words[0].left_out, edits.phrases[0].left_out), (Some(1), Some(1)));
        assert_eq!((edits.words.len(), edits.phrases.len(), edits.exchanges.len()), (3, 2, 2));
    }

    #[test]
    fn only_what_is_asked_for_is_planned_and_words_beyond_the_limit_are_counted() {
        let only = InfluenceMethods { leave_out: true, mask_token: false, exchange: false };
        let edits = Edits::of("left lung and right lung", 2, only, |_| 1);
        assert_eq!((edits.words.len(), edits.unexamined, edits.exchanges.len()), (2, 3, 0));
        assert!(edits.words.iter().all(|word| word.masked.is_none()));
        let exchange = InfluenceMethods { leave_out: false, mask_token: false, exchange: true };
        let edits = Edits::of("left lung and right lung", 2, exchange, |_| 1);
        assert_eq!(edits.texts.all(), ["left lung and right lung", "right lung and right lung"]);
    }
}
