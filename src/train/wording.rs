//! Augmentation of a case's sentence. Whatever is changed, the sentence must not contradict the mask. These leave the mask
//! as it is:
//!
//! - any of the prompts that the table has for the image may take the place of the first;
//! - places may change their order, because they are a list;
//! - parts may be left out that make a sentence less specific: the number of areas, "bilateral" or "unilateral", zones of a
//!   lung, or all places together; size, colour, shape, number or all places of polyps. A single place is never left out: the
//!   sentence would be about a part of the mask. A sentence that says that there is nothing stays whole;
//! - a report says the same in other words, with the sides of the image;
//! - an empty sentence says nothing, and everything is to be found.
//!
//! A sentence that denies the finding, or that is about something else, has the empty mask ([`training_variant`]).
//!
//! Only a prompt of which every word was understood is taken apart; any other is at most replaced by a variant or by the
//! empty sentence, or by one about something else. In a mirrored image, left and right are exchanged first.

use super::config::TrainConfig;
use crate::text::prompt::report::{Left, Style, augment};
use crate::text::prompt::{
    self, ELSEWHERE, Lungs, Polyps, Prompt, Variant, VariantKind, VariantMask, Zones, denials, training_variant,
};

/// The augmentation of one sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wording {
    is_reworded: bool,
    is_reordered: bool,
    is_shortened: bool,
    is_report: bool,
    is_empty: bool,
    is_denied: bool,
    is_irrelevant: bool,
    /// The seed of what is chosen among possibilities.
    seed: u64,
}

impl Wording {
    /// The first prompt as it is.
    pub const PLAIN: Self = Self {
        is_reworded: false,
        is_reordered: false,
        is_shortened: false,
        is_report: false,
        is_empty: false,
        is_denied: false,
        is_irrelevant: false,
        seed: 0,
    };

    /// Draws an augmentation with the probabilities of the settings.
    pub fn draw(config: &TrainConfig, random: &mut fastrand::Rng) -> Self {
        let [reword, reorder, shorten, report, empty, denied, irrelevant] = std::array::from_fn(|_| random.f64());
        Self {
            is_reworded: reword < config.reword,
            is_reordered: reorder < config.reorder,
            is_shortened: shorten < config.drop_parts,
            is_report: report < config.report,
            is_empty: empty < config.empty_sentence,
            is_denied: denied < config.denied,
            is_irrelevant: irrelevant < config.irrelevant,
            seed: random.u64(..),
        }
    }

    /// The sentence of a case with this prompt and these variants of it, for its mirror image if `is_mirrored`, and the mask
    /// that answers it.
    pub fn of(&self, first: &str, variants: &[String], is_mirrored: bool) -> Variant {
        let kinds = [(VariantKind::Irrelevant, self.is_irrelevant), (VariantKind::Negated, self.is_denied)];
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut wanted = kinds.into_iter().filter(|(_, is_wanted)| *is_wanted && !self.is_empty);
        wanted.find_map(|(kind, _)| training_variant(first, kind, &mut random)).unwrap_or_else(|| Variant {
            sentence: self.same(first, variants, is_mirrored),
            mask: VariantMask::Same,
        })
    }

    /// A sentence with the same mask.
    fn same(&self, first: &str, variants: &[String], is_mirrored: bool) -> String {
        if self.is_empty {
            return String::new();
        }
        let mut random = fastrand::Rng::with_seed(self.seed);
        let chosen = if self.is_reworded { random.usize(..=variants.len()) } else { 0 };
        let text = chosen.checked_sub(1).and_then(|at| variants.get(at)).map_or(first, String::as_str);
        let text = if is_mirrored { prompt::mirror(text) } else { text.to_owned() };
        if !(self.is_reordered || self.is_shortened || self.is_report) {
            return text;
        }
        let parsed = prompt::parse(&text);
        let Some(read) = parsed.prompt.clone().filter(|_| parsed.is_whole()) else { return text };
        let mut value = read.clone();
        if self.is_reordered {
            reorder(&mut value, &mut random);
        }
        if self.is_shortened && !value.is_negative() {
            shorten(&mut value, &mut random);
        }
        if self.is_report && can_be_reported(&value) {
            let style = Style::ALL[random.usize(..Style::ALL.len())];
            return augment(&value, style, random.u64(..), Left::Image);
        }
        // What did not change keeps the letters of its table.
        if value == read { text } else { value.to_string() }
    }
}

/// The sentences from which a vocabulary is built: `sentences`, and reports, denials and
/// texts about something else if the settings have some.
pub fn with_augmentation(mut sentences: Vec<String>, config: &TrainConfig) -> Vec<String> {
    if config.denied > 0.0 {
        sentences.extend(denials().map(str::to_owned));
    }
    if config.irrelevant > 0.0 {
        sentences.extend(ELSEWHERE.map(str::to_owned));
    }
    if config.report == 0.0 {
        return sentences;
    }
    let report = |(seed, sentence): (usize, &String)| {
        let parsed = prompt::parse(sentence);
        let value = parsed.prompt.clone().filter(|value| parsed.is_whole() && can_be_reported(value))?;
        let style = Style::ALL[seed % Style::ALL.len()];
        Some(augment(&value, style, seed as u64, Left::Image))
    };
    let reports: Vec<String> = sentences.iter().enumerate().filter_map(report).collect();
    sentences.into_iter().chain(reports).collect()
}

/// Whether the report of a prompt says the same. That of a lung without infection needs the words for it.
fn can_be_reported(value: &Prompt) -> bool {
    match value {
        Prompt::Lungs(lungs) => lungs.areas != Some(0) || lungs.laterality == Some(prompt::Laterality::None),
        Prompt::Polyps(_) => true,
    }
}

fn reorder(value: &mut Prompt, random: &mut fastrand::Rng) {
    match value {
        Prompt::Lungs(lungs) => random.shuffle(&mut lungs.findings),
        Prompt::Polyps(polyps) => random.shuffle(&mut polyps.places),
    }
}

/// Leaves out one or two of the parts that can be left out, and never the last one.
fn shorten(value: &mut Prompt, random: &mut fastrand::Rng) {
    let wanted = random.usize(1..=2);
    for _ in 0..wanted {
        let shorter = match value {
            Prompt::Lungs(lungs) => shorter_lungs(lungs, random).map(Prompt::Lungs),
            Prompt::Polyps(polyps) => shorter_polyps(polyps, random).map(Prompt::Polyps),
        };
        let Some(shorter) = shorter else { return };
        *value = shorter;
    }
}

fn shorter_lungs(lungs: &Lungs, random: &mut fastrand::Rng) -> Option<Lungs> {
    let mut choices = Vec::new();
    let parts = [lungs.laterality.is_some(), lungs.areas.is_some(), !lungs.findings.is_empty()];
    let has_others = parts.iter().filter(|part| **part).count() > 1;
    if parts[0] && has_others {
        choices.push(Lungs { laterality: None, ..lungs.clone() });
    }
    if parts[1] && has_others {
        choices.push(Lungs { areas: None, ..lungs.clone() });
    }
    if parts[2] && has_others {
        choices.push(Lungs { findings: Vec::new(), ..lungs.clone() });
    }
    for (at, finding) in lungs.findings.iter().enumerate() {
        // "Left lung" is true of a lesion in the upper left lung.
        if finding.side.is_some() && !finding.zones.is_empty() {
            let mut shorter = lungs.clone();
            shorter.findings[at].zones = Zones::NONE;
            choices.push(shorter);
        }
    }
    random.choice(choices)
}

fn shorter_polyps(polyps: &Polyps, random: &mut fastrand::Rng) -> Option<Polyps> {
    let mut choices = Vec::new();
    // The word "polyp" itself always remains.
    if polyps.number.is_some() {
        choices.push(Polyps { number: None, ..polyps.clone() });
    }
    if !polyps.sizes.is_empty() {
        choices.push(Polyps { sizes: Vec::new(), ..polyps.clone() });
    }
    if polyps.colour.is_some() {
        choices.push(Polyps { colour: None, ..polyps.clone() });
    }
    if polyps.shape.is_some() {
        choices.push(Polyps { shape: None, ..polyps.clone() });
    }
    if !polyps.places.is_empty() {
        choices.push(Polyps { places: Vec::new(), ..polyps.clone() });
    }
    random.choice(choices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::{Laterality, parse};

    const LUNGS: &str = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";
    const POLYP: &str = "two small pink circle polyp which is a projecting growth of tissue located in top left, right of the image";

    fn all(change: Wording, sentence: &str) -> Vec<String> {
        (0..200).map(|seed| Wording { seed, ..change }.of(sentence, &[], false).sentence).collect()
    }

    fn lungs(sentence: &str) -> Lungs {
        match parse(sentence).prompt {
            Some(Prompt::Lungs(lungs)) => lungs,
            other => panic!("{sentence}: {other:?}"),
        }
    }

    #[test]
    fn nothing_is_changed_unless_it_is_wanted() {
        let config = TrainConfig::default();
        let drawn = Wording::draw(&config, &mut fastrand::Rng::with_seed(1));
        assert_eq!(Wording { seed: 0, ..drawn }, Wording::PLAIN);
        let odd = "  Left lwoer lung,maybe.";
        assert_eq!(Wording::PLAIN.of(odd, &["other".into()], false).sentence, odd);
        assert_eq!(Wording::PLAIN.of(odd, &[], true).sentence, prompt::mirror(odd));
    }

    #[test]
    fn the_wordings_of_a_case_take_turns() {
        let change = Wording { is_reworded: true, ..Wording::PLAIN };
        let variants = ["left lung, upper".to_owned()];
        let of = |is_mirrored: bool| {
            let mut found: Vec<String> = (0..50)
                .map(|seed| Wording { seed, ..change }.of(LUNGS, &variants, is_mirrored).sentence)
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        assert_eq!(of(false), [LUNGS, "left lung, upper"]);
        assert_eq!(of(true), [prompt::mirror(LUNGS), "right lung, upper".to_owned()]);
    }

    #[test]
    fn places_in_another_order_are_the_same_places() {
        let sentences = all(Wording { is_reordered: true, ..Wording::PLAIN }, LUNGS);
        let swapped = "Bilateral pulmonary infection, two infected areas, lower right lung and upper left lung.";
        assert!(sentences.iter().all(|sentence| sentence == LUNGS || sentence == swapped), "{sentences:?}");
        assert!(sentences.iter().any(|sentence| sentence == LUNGS) && sentences.iter().any(|s| s == swapped));
    }

    #[test]
    fn a_shorter_sentence_is_true_of_the_same_mask() {
        let whole = lungs(LUNGS);
        let sentences = all(Wording { is_shortened: true, ..Wording::PLAIN }, LUNGS);
        for sentence in &sentences {
            let shorter = lungs(sentence);
            assert!(!sentence.is_empty() && sentence != LUNGS, "{sentence}");
            assert!(shorter.laterality.is_none_or(|one| one == Laterality::Bilateral), "{sentence}");
            assert!(shorter.areas.is_none_or(|areas| areas == 2), "{sentence}");
            // All places or none, each at least as wide as it was.
            assert!(shorter.findings.is_empty() || shorter.findings.len() == 2, "{sentence}");
            for (short, long) in shorter.findings.iter().zip(&whole.findings) {
                assert_eq!(short.side, long.side, "{sentence}");
                assert!(short.zones.is_empty() || short.zones == long.zones, "{sentence}");
            }
        }
        let polyps = all(Wording { is_shortened: true, ..Wording::PLAIN }, POLYP);
        assert!(polyps.iter().all(|sentence| sentence.contains("polyp") && sentence != POLYP), "{polyps:?}");
        assert!(polyps.iter().all(|sentence| sentence.contains("top left") == sentence.contains("right of")));
    }

    #[test]
    fn a_sentence_that_denies_goes_on_denying() {
        for sentence in [
            "No pulmonary infection.",
            "No pulmonary infection, zero infected areas.",
            "zero infected areas",
            "no polyp",
        ] {
            let change = Wording { is_shortened: true, is_reordered: true, is_report: true, ..Wording::PLAIN };
            for text in all(change, sentence) {
                let text = text.to_lowercase();
                let denials = ["no pulmonary infection", "zero infected areas", "no polyp"];
                assert!(denials.iter().any(|denial| text.contains(denial)), "{text}");
                assert!(!text.contains("there is pulmonary infection"), "{text}");
            }
        }
    }

    #[test]
    fn the_sides_of_a_mirrored_report_are_those_of_the_mirrored_image() {
        let change = Wording { is_report: true, ..Wording::PLAIN };
        let sentence = "Unilateral pulmonary infection, one infected area, upper left lung.";
        for seed in 0..60 {
            for (is_mirrored, side) in [(false, "left"), (true, "right")] {
                let text = Wording { seed, ..change }.of(sentence, &[], is_mirrored).sentence.to_lowercase();
                // The diaphragm is spoken of in any case.
                let text = text.replace("right hemidiaphragm", "");
                let other = if is_mirrored { "left" } else { "right" };
                assert!(text.contains(side) && !text.contains(other), "{text}");
            }
        }
    }

    #[test]
    fn a_sentence_that_is_not_understood_stays_as_it_is() {
        let odd = "upper left lung with a strange shadow";
        let change = Wording { is_shortened: true, is_reordered: true, is_report: true, ..Wording::PLAIN };
        assert!(all(change, odd).iter().all(|sentence| sentence == odd));
        let empty = Wording { is_empty: true, ..change };
        assert!(all(empty, odd).iter().all(String::is_empty));
    }

    #[test]
    fn what_is_denied_or_about_something_else_has_the_empty_mask() {
        let denied = Wording { is_denied: true, is_report: true, ..Wording::PLAIN };
        for seed in 0..50 {
            let of = |change: Wording, sentence: &str| Wording { seed, ..change }.of(sentence, &[], true);
            let found = of(denied, LUNGS);
            assert_eq!(found.mask, VariantMask::Empty);
            assert_ne!(found.sentence, prompt::mirror(LUNGS));
            // Nobody knows what there is to deny.
            assert_eq!(of(denied, "odd words"), Variant { sentence: "odd words".into(), mask: VariantMask::Same });
            let other = of(Wording { is_irrelevant: true, ..denied }, "odd words");
            assert!(other.mask == VariantMask::Empty && other.sentence != "odd words", "{}", other.sentence);
            let empty = of(Wording { is_empty: true, is_irrelevant: true, ..denied }, LUNGS);
            assert_eq!(empty, Variant { sentence: String::new(), mask: VariantMask::Same });
        }
    }

    #[test]
    fn a_vocabulary_for_reports_has_their_words() {
        let sentences = vec![LUNGS.to_owned(), POLYP.to_owned(), "odd words".to_owned()];
        assert_eq!(with_augmentation(sentences.clone(), &TrainConfig::default()), sentences);
        let denied = with_augmentation(sentences.clone(), &TrainConfig { denied: 0.1, ..TrainConfig::default() });
        assert!(denied.iter().any(|sentence| sentence == "No pulmonary infection."), "{denied:?}");
        assert!(!denied.iter().any(|sentence| sentence.contains("bilat") || sentence.contains("garden")));
        let other = TrainConfig { irrelevant: 0.1, ..TrainConfig::default() };
        let other = with_augmentation(sentences.clone(), &other);
        assert!(other.iter().any(|sentence| sentence.contains("garden")), "{other:?}");
        assert!(!other.iter().any(|sentence| sentence.starts_with("No ")), "{other:?}");
        let more = with_augmentation(sentences, &TrainConfig { report: 0.1, ..TrainConfig::default() });
        assert_eq!(more.len(), 5);
        assert!(more[3..].iter().all(|report| report.contains("IMPRESSION")), "{more:?}");
    }
}
