//! Variants of a prompt for training, of which it is known how the mask must answer, because they are made from what
//! the prompt says.
//!
//! The rules:
//! - A variant that denies the finding has the empty mask, even if the lesion is in the image: the text asks for nothing.
//! - A text about something else has the empty mask as well. It is not the same as no text at all, for which a network is
//!   free to mark what it sees; otherwise nonsense would score like a sentence. A network that is to learn this must see
//!   that there were words: with words outside the vocabulary left out
//!   ([`UnknownWords::Drop`](crate::text::UnknownWords::Drop)), nonsense is the empty prompt.

use super::parse::parse;
use super::report::{Left, Style, augment};
use super::training_words::{NO_INFECTION, NO_POLYP, made_up};
use super::value::{Grammar, Lungs, Polyps, Prompt};

/// How a variant differs from its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VariantKind {
    /// The finding is denied.
    Negated,
    /// About something else, or made-up words.
    Irrelevant,
}

/// The mask that answers a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VariantMask {
    /// The mask of the prompt.
    Same,
    /// A mask without foreground.
    Empty,
}

/// A variant of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The text.
    pub sentence: String,
    /// The mask that answers it.
    pub mask: VariantMask,
}

/// Texts about something else. They share no sentence with [`Form::Irrelevant`](super::Form::Irrelevant), by which a
/// trained network is tested.
pub const ELSEWHERE: [&str; 16] = [
    "The garden behind the school has apple trees and a pond.",
    "Please send the letter before Friday afternoon.",
    "Our neighbours painted their fence last summer.",
    "The football match ended in a draw after extra time.",
    "She bought three tickets for the evening concert.",
    "A new bridge connects the island with the harbour.",
    "Coffee is served from seven until half past ten.",
    "The museum shows paintings of the nineteenth century.",
    "Dogs must be kept on a lead in the forest.",
    "He plays chess with his grandfather every Sunday.",
    "The hotel is ten minutes from the railway station.",
    "Snow fell on the mountains during the night.",
    "My keyboard needs a new battery.",
    "They sailed along the coast for two weeks.",
    "The baker sells fresh rolls and cake.",
    "Write a poem about the moon.",
];

/// Returns a variant of `sentence`, and the mask that answers it. What is drawn depends on `random` alone.
///
/// Returns `None` if the sentence has no variant of this kind: one that is in no known grammar cannot be denied.
pub fn training_variant(sentence: &str, kind: VariantKind, random: &mut fastrand::Rng) -> Option<Variant> {
    let sentence = match kind {
        VariantKind::Negated => negated(parse(sentence).grammar()?, random),
        VariantKind::Irrelevant => irrelevant(random),
    };
    Some(Variant { sentence, mask: VariantMask::Empty })
}

/// Denies what a grammar names, in a sentence or in a report.
fn negated(grammar: Grammar, random: &mut fastrand::Rng) -> String {
    let (sentences, none) = match grammar {
        Grammar::Lungs => (&NO_INFECTION[..], Prompt::Lungs(Lungs::new(Some(0), Vec::new()))),
        Grammar::Polyps => (&NO_POLYP[..], Prompt::Polyps(Polyps { number: Some(0), ..Polyps::default() })),
    };
    if random.u8(..4) == 0 {
        let style = random.choice(Style::ALL).unwrap_or(Style::Concise);
        return augment(&none, style, random.u64(..), Left::Image);
    }
    random.choice(sentences).copied().unwrap_or_default().to_owned()
}

/// A sentence about something else, or up to ten made-up words.
fn irrelevant(random: &mut fastrand::Rng) -> String {
    if random.bool() {
        return random.choice(ELSEWHERE).unwrap_or_default().to_owned();
    }
    let count = random.usize(1..=10);
    let words: Vec<String> = (0..count).map(|_| made_up(random)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::report::{Options, distil};
    use crate::text::prompt::{Form, samples};

    /// Runs `check` with many variants of many prompts.
    fn each(kind: VariantKind, check: impl Fn(&str, &Prompt, &Variant)) {
        for (index, prompt) in samples().iter().enumerate().filter(|(_, prompt)| !prompt.is_negative()) {
            let text = prompt.to_string();
            let mut random = fastrand::Rng::with_seed(index as u64);
            for _ in 0..5 {
                let variant = training_variant(&text, kind, &mut random).expect("a variant");
                check(&text, prompt, &variant);
            }
        }
    }

    #[test]
    fn a_denial_has_the_empty_mask_and_names_no_place() {
        each(VariantKind::Negated, |text, prompt, variant| {
            assert_eq!(variant.mask, VariantMask::Empty);
            let options = Options { left: Left::Image, with_possible: true, limit: None };
            let read =
                [parse(&variant.sentence).prompt, parse(&distil(&variant.sentence, &options).text()).prompt];
            for read in read.into_iter().flatten() {
                let names = match &read {
                    Prompt::Lungs(lungs) => !lungs.findings.is_empty(),
                    Prompt::Polyps(polyps) => !polyps.places.is_empty() || polyps.number.is_some_and(|n| n > 0),
                };
                assert!(!names, "{text}: {} {read:?}", variant.sentence);
            }
            let own = match prompt {
                Prompt::Lungs(_) => ["infect", "consolidation", "opacit"].as_slice(),
                Prompt::Polyps(_) => &["polyp"],
            };
            assert!(own.iter().any(|word| variant.sentence.to_lowercase().contains(word)), "{}", variant.sentence);
        });
    }

    #[test]
    fn a_text_about_something_else_is_in_no_grammar_and_not_among_those_of_the_tests() {
        each(VariantKind::Irrelevant, |_, _, variant| {
            assert_eq!(variant.mask, VariantMask::Empty);
            assert!(parse(&variant.sentence).findings.is_empty(), "{}", variant.sentence);
            for seed in 0..50 {
                let tested = Form::Irrelevant.apply("", seed, Style::Paper, None).expect("a text");
                assert_ne!(variant.sentence, tested);
            }
        });
    }

    #[test]
    fn the_same_state_draws_the_same_and_what_has_no_variant_has_none() {
        let text = "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung.";
        for kind in [VariantKind::Negated, VariantKind::Irrelevant] {
            let drawn = |seed| training_variant(text, kind, &mut fastrand::Rng::with_seed(seed));
            assert!((0..20).all(|seed| drawn(seed) == drawn(seed)));
            assert!((1..20).any(|seed| drawn(seed) != drawn(0)), "{kind:?}");
        }
        for sentence in ["banana", ""] {
            let mut random = fastrand::Rng::with_seed(0);
            assert_eq!(training_variant(sentence, VariantKind::Negated, &mut random), None);
            assert!(training_variant(sentence, VariantKind::Irrelevant, &mut random).is_some());
        }
    }
}
