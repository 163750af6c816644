//! Variants of a prompt for training, of which it is known how the mask must answer, because they are made from what
//! the prompt says.
//!
//! The rules:
//! - A variant that says the same in other words (a report, another order, abbreviations, words that nobody knows
//!   between those of the prompt) has the same mask.
//! - A variant that denies the finding has the empty mask, even if the lesion is in the image: the text asks for nothing.
//! - A text about something else has the empty mask as well. It is not the same as no text at all, for which a network is
//!   free to mark what it sees; otherwise nonsense would score like a sentence. A network that is to learn this must see
//!   that there were words: with words outside the vocabulary left out
//!   ([`UnknownWords::Drop`](crate::text::UnknownWords::Drop)), nonsense is the empty prompt.

use super::parse::parse;
use super::report::{Left, Style, augment};
use super::training_words::{NO_INFECTION, NO_POLYP, abbreviated, made_up, reordered};
use super::value::{Grammar, Lungs, Polyps, Prompt};

/// How a variant differs from its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VariantKind {
    /// Written out as a report.
    Report,
    /// The clauses, and the places within them, in another order.
    Reordered,
    /// In abbreviations.
    Abbreviated,
    /// The finding is denied.
    Negated,
    /// About something else, or made-up words.
    Irrelevant,
    /// With made-up words between those of the prompt.
    PartlyUnknown,
}

impl VariantKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Report, Self::Reordered, Self::Abbreviated, Self::Negated, Self::Irrelevant, Self::PartlyUnknown];
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
const ELSEWHERE: [&str; 16] = [
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
/// Returns `None` if the sentence has no variant of this kind: one that is in no known grammar cannot be written
/// out, reordered, abbreviated or denied, nor can one that names no finding; one without words has nothing that
/// made-up words could stand between.
pub fn training_variant(sentence: &str, kind: VariantKind, random: &mut fastrand::Rng) -> Option<Variant> {
    let parsed = parse(sentence);
    // What was not understood would be lost. A prompt that denies is its own opposite already.
    let whole = || parsed.prompt.as_ref().filter(|prompt| parsed.is_whole() && !prompt.is_negative());
    let same = |sentence: String| Variant { sentence, mask: VariantMask::Same };
    let empty = |sentence: String| Variant { sentence, mask: VariantMask::Empty };
    match kind {
        VariantKind::Report => {
            let style = random.choice(Style::ALL)?;
            Some(same(augment(whole()?, style, random.u64(..), Left::Image)))
        }
        VariantKind::Reordered => Some(same(reordered(whole()?, random))),
        VariantKind::Abbreviated => Some(same(abbreviated(whole()?, random))),
        VariantKind::Negated => Some(empty(negated(parsed.grammar()?, random))),
        VariantKind::Irrelevant => Some(empty(irrelevant(random))),
        VariantKind::PartlyUnknown => {
            let is_negative = parsed.prompt.as_ref().is_some_and(Prompt::is_negative);
            partly_unknown(sentence, random).map(if is_negative { empty } else { same })
        }
    }
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

/// Puts one to three made-up words between the words of a sentence.
fn partly_unknown(sentence: &str, random: &mut fastrand::Rng) -> Option<String> {
    let mut words: Vec<String> = sentence.split_whitespace().map(String::from).collect();
    if words.is_empty() {
        return None;
    }
    for _ in 0..random.usize(1..=3) {
        words.insert(random.usize(0..=words.len()), made_up(random));
    }
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::report::{Options, distil};
    use crate::text::prompt::training_words::expanded;
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
    fn a_variant_that_says_the_same_reads_as_the_same_prompt() {
        each(VariantKind::Reordered, |text, prompt, variant| {
            let read = parse(&variant.sentence);
            assert!(read.is_whole(), "{text}: {}", variant.sentence);
            assert_eq!(sorted(&read.prompt.expect("a prompt")), sorted(prompt), "{}", variant.sentence);
            assert_eq!(variant.mask, VariantMask::Same);
        });
        each(VariantKind::Abbreviated, |text, prompt, variant| {
            let full = expanded(&variant.sentence);
            let read = parse(&full);
            assert!(read.is_whole(), "{text}: {} {full}", variant.sentence);
            assert_eq!(sorted(&read.prompt.expect("a prompt")), sorted(prompt), "{} {full}", variant.sentence);
            assert!(variant.sentence.len() < text.len(), "{text}: {}", variant.sentence);
            assert_eq!(variant.mask, VariantMask::Same);
        });
        each(VariantKind::Report, |_, prompt, variant| {
            let options = Options { left: Left::Image, with_possible: true, limit: None };
            let read = parse(&distil(&variant.sentence, &options).text());
            assert_eq!(
                read.prompt.map(|read| read.normalised()),
                Some(prompt.normalised()),
                "{}",
                variant.sentence
            );
            assert_eq!(variant.mask, VariantMask::Same);
        });
    }

    /// The prompt with its places in a fixed order.
    fn sorted(prompt: &Prompt) -> Prompt {
        match prompt.normalised() {
            Prompt::Lungs(mut lungs) => {
                lungs.findings.sort_by_key(|finding| finding.side);
                Prompt::Lungs(lungs)
            }
            Prompt::Polyps(mut polyps) => {
                polyps.places.sort_unstable();
                Prompt::Polyps(polyps)
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
    fn made_up_words_leave_the_prompt_as_it_was() {
        each(VariantKind::PartlyUnknown, |text, _, variant| {
            assert_eq!(variant.mask, VariantMask::Same);
            let words: Vec<&str> = text.split_whitespace().collect();
            let mut rest = variant.sentence.split_whitespace();
            assert!(words.iter().all(|word| rest.any(|other| other == *word)), "{text}: {}", variant.sentence);
            assert!(variant.sentence.split_whitespace().count() > words.len());
        });
        let mut random = fastrand::Rng::with_seed(1);
        let denied = training_variant("No pulmonary infection.", VariantKind::PartlyUnknown, &mut random);
        assert_eq!(denied.expect("words").mask, VariantMask::Empty);
    }

    #[test]
    fn the_same_state_draws_the_same_and_what_has_no_variant_has_none() {
        let text = "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung.";
        for kind in VariantKind::ALL {
            let drawn = |seed| training_variant(text, kind, &mut fastrand::Rng::with_seed(seed));
            assert!((0..20).all(|seed| drawn(seed) == drawn(seed)));
            assert!((1..20).any(|seed| drawn(seed) != drawn(0)), "{kind:?}");
        }
        let none =
            |sentence: &str, kind| training_variant(sentence, kind, &mut fastrand::Rng::with_seed(0)).is_none();
        use VariantKind::{Abbreviated, Negated, PartlyUnknown, Reordered, Report};
        for kind in [Report, Reordered, Abbreviated, Negated] {
            assert!(none("banana", kind) && none("", kind), "{kind:?}");
        }
        for kind in [Report, Reordered, Abbreviated] {
            assert!(none("No pulmonary infection.", kind), "{kind:?}");
            assert!(none("Bilateral pulmonary infection, lower banana lung.", kind), "{kind:?}");
        }
        assert!(none(" ", PartlyUnknown) && !none("banana", PartlyUnknown));
    }
}
