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
//! Two change the mask with the sentence, so that a network learns to obey the words of a place:
//!
//! - a prompt with places on both sides is cut to one of them, if the mask has foreground on both: "unilateral", the places of that side, no
//!   number, and the mask within that half of the image;
//! - the prompt names a single place, a zone of one side, and the mask is what lies there ([`MaskParts`]); or a place where
//!   nothing is, and the mask is empty.
//!
//! Such a sentence is neither shortened nor written out as a report, and it must fit into the token limit.
//!
//! A sentence that denies the finding, or that is about something else, has the empty mask ([`training_variant`]).
//!
//! Only a prompt of which every word was understood is taken apart; any other is at most replaced by a variant or by the
//! empty sentence, or by one about something else. In a mirrored image, left and right are exchanged first.

use super::config::TrainConfig;
use super::mask_parts::MaskParts;
use crate::text::prompt::report::{Left, Style, augment};
use crate::text::prompt::{
    self, ELSEWHERE, LungFinding, Lungs, Polyps, Prompt, Side, Variant, VariantKind, VariantMask, Zone, Zones,
    denials, training_variant,
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
    is_of_side: bool,
    is_of_place: bool,
    is_of_absent_place: bool,
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
        is_of_side: false,
        is_of_place: false,
        is_of_absent_place: false,
        seed: 0,
    };

    /// Draws an augmentation with the probabilities of the settings.
    pub fn draw(config: &TrainConfig, random: &mut fastrand::Rng) -> Self {
        let [reword, reorder, shorten, report, empty, denied, irrelevant] = std::array::from_fn(|_| random.f64());
        let seed = random.u64(..);
        // Settings that came later have numbers of their own, so that all others are drawn as before.
        let mut later = fastrand::Rng::with_seed(!seed);
        let [of_side, of_place, of_absent_place] = std::array::from_fn(|_| later.f64());
        Self {
            is_reworded: reword < config.reword,
            is_reordered: reorder < config.reorder,
            is_shortened: shorten < config.drop_parts,
            is_report: report < config.report,
            is_empty: empty < config.empty_sentence,
            is_denied: denied < config.denied,
            is_irrelevant: irrelevant < config.irrelevant,
            is_of_side: of_side < config.single_side,
            is_of_place: of_place < config.single_place,
            is_of_absent_place: of_absent_place < config.absent_place,
            seed,
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

    /// A sentence about one side or one place, and the target that answers it; `None` if this is not wanted or the prompt or the
    /// mask does not allow it. `parts` looks at the target of the augmented image.
    pub fn of_part(
        &self,
        first: &str,
        is_mirrored: bool,
        parts: impl FnOnce() -> MaskParts,
    ) -> Option<(String, Vec<f32>)> {
        let is_other = self.is_empty || self.is_denied || self.is_irrelevant;
        if is_other || !(self.is_of_side || self.is_of_place || self.is_of_absent_place) {
            return None;
        }
        let text = if is_mirrored { prompt::mirror(first) } else { first.to_owned() };
        let parsed = prompt::parse(&text);
        let value = parsed.prompt.clone().filter(|value| parsed.is_whole() && !value.is_negative())?;
        let Prompt::Lungs(mut lungs) = value else { return None };
        let mut random = fastrand::Rng::with_seed(self.seed);
        let parts = parts();
        let absent = if self.is_of_absent_place { parts.absent_places() } else { Vec::new() };
        let present = if self.is_of_place { parts.places() } else { Vec::new() };
        if let Some(place) = random.choice(absent).or_else(|| random.choice(present)) {
            return Some((single_place(place), parts.of_place(place)));
        }
        let names = |side| lungs.findings.iter().any(|finding| finding.side == Some(side));
        let is_sided = lungs.findings.iter().all(|finding| finding.side.is_some());
        if !(self.is_of_side && is_sided && names(Side::Left) && names(Side::Right) && parts.has_both_sides()) {
            return None;
        }
        let side = if random.bool() { Side::Left } else { Side::Right };
        lungs.findings.retain(|finding| finding.side == Some(side));
        if self.is_reordered {
            random.shuffle(&mut lungs.findings);
        }
        Some((Prompt::Lungs(Lungs::new(None, lungs.findings)).to_string(), parts.of_side(side)))
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

/// The sentence that names a single place.
fn single_place((side, zone): (Side, Zone)) -> String {
    let finding = LungFinding { side: Some(side), zones: Zones::NONE.with(zone) };
    Prompt::Lungs(Lungs::new(None, vec![finding])).to_string()
}

/// The sentences from which a vocabulary is built: `sentences`, and single places, reports, denials and
/// texts about something else if the settings have some.
pub fn with_augmentation(mut sentences: Vec<String>, config: &TrainConfig) -> Vec<String> {
    if config.single_side > 0.0 || config.single_place > 0.0 || config.absent_place > 0.0 {
        let places = Side::ALL.iter().flat_map(|side| Zone::ALL.iter().map(move |zone| (*side, *zone)));
        sentences.extend(places.map(single_place));
    }
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
    use crate::data::describe::Kind;
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
    fn a_sentence_about_a_part_has_the_mask_of_that_part() {
        // A mask in the upper left and in the lower right of the image; its mirror image has the other two.
        let side = 60;
        let target = |is_mirrored: bool| -> Vec<f32> {
            let corner = |x: usize, y: usize| {
                let x = if is_mirrored { side - 1 - x } else { x };
                (x < 20 && y < 15) || (x >= 40 && y >= 45)
            };
            (0..side * side).map(|at| f32::from(u8::from(corner(at % side, at / side)))).collect()
        };
        let parts = |is_mirrored: bool| move || MaskParts::of(&target(is_mirrored), side, false, Kind::Ct);
        let in_half = |mask: &[f32], is_left: bool| {
            let own = mask.iter().enumerate().filter(|(at, _)| (at % side < side / 2) == is_left);
            own.map(|(_, value)| *value).sum::<f32>()
        };
        let absent = Wording { is_of_absent_place: true, is_of_place: true, ..Wording::PLAIN };
        for seed in 0..40 {
            let (sentence, mask) = Wording { seed, ..absent }.of_part(LUNGS, false, parts(false)).expect("a part");
            let said = lungs(&sentence);
            let finding = &said.findings[0];
            let is_there = match finding.side {
                Some(Side::Left) => finding.zones.has(Zone::Upper),
                _ => finding.zones.has(Zone::Lower),
            };
            assert!(said.findings.len() == 1 && !is_there && mask.iter().all(|value| *value == 0.0), "{sentence}");
        }
        for (change, is_place) in [
            (Wording { is_of_side: true, ..Wording::PLAIN }, false),
            (Wording { is_of_place: true, ..Wording::PLAIN }, true),
        ] {
            let mut seen = [0; 2];
            for seed in 0..40 {
                let is_mirrored = seed % 2 == 1;
                let found = Wording { seed, ..change }.of_part(LUNGS, is_mirrored, parts(is_mirrored));
                let (sentence, mask) = found.expect("a part");
                let said = lungs(&sentence);
                assert_eq!((said.laterality, said.areas), (Some(Laterality::Unilateral), None), "{sentence}");
                let is_left = said.findings[0].side == Some(Side::Left);
                // Upper left and lower right, or, mirrored, upper right and lower left.
                let zone = if is_left != is_mirrored { Zone::Upper } else { Zone::Lower };
                assert!(said.findings.len() == 1 && said.findings[0].zones.has(zone), "{sentence}");
                assert_eq!(in_half(&mask, is_left), 300.0, "{sentence} {is_place}");
                assert_eq!(in_half(&mask, !is_left), 0.0, "{sentence}");
                seen[usize::from(is_left)] += 1;
            }
            assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
        }
    }

    #[test]
    fn what_names_no_two_sides_is_not_cut() {
        let both = Wording { is_of_side: true, ..Wording::PLAIN };
        let full = || MaskParts::of(&[1.0; 60 * 60], 60, false, Kind::Ct);
        for sentence in [
            "Unilateral pulmonary infection, one infected area, left lung.",
            "odd words",
            POLYP,
            "",
            "No pulmonary infection.",
        ] {
            assert_eq!(both.of_part(sentence, false, full), None, "{sentence}");
        }
        assert_eq!(Wording { is_denied: true, ..both }.of_part(LUNGS, false, full), None);
        assert_eq!(Wording::PLAIN.of_part(LUNGS, false, full), None);
        let left = || {
            MaskParts::of(
                &(0..3600).map(|at| f32::from(u8::from(at % 60 < 20))).collect::<Vec<_>>(),
                60,
                false,
                Kind::Ct,
            )
        };
        assert_eq!(both.of_part(LUNGS, false, left), None, "the mask is on one side");
        assert!(both.of_part(LUNGS, false, full).is_some());
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
