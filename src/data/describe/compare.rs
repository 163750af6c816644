//! Checks whether a mask contradicts its prompt.

use std::collections::BTreeSet;

use serde::Serialize;

use super::agreement::{sides, zones};
use super::{Description, side_of};
use crate::data::Mask;
use crate::text::prompt::json::WarningObject;
use crate::text::prompt::{Laterality, Lungs, Polyps, Prompt, Side, Zone, number_word};

/// A rule by which a mask contradicts its prompt, by the identifier that scripts see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disagreement {
    /// The prompt names a finding, but the mask is empty.
    EmptyMask,
    /// The prompt says that there is no finding, but the mask is not empty.
    UnexpectedMask,
    /// The prompt is about lungs and the image is an endoscopy frame, or the reverse.
    OtherKind,
    /// The prompt names one side, and most of the mask lies on the other.
    OtherSide,
    /// The prompt names one side, or is unilateral, and the mask lies on both.
    BothSides,
    /// The prompt names both sides, or is bilateral, and the mask lies on one.
    OneSide,
    /// The mask has another number of areas.
    AreaCount,
    /// The mask reaches zones that are neither named by the prompt nor next to a named zone of the same lung.
    OutsideZones,
    /// The prompt names zones that the mask does not reach, and no zone next to them in the same lung.
    MissingZones,
    /// A polyp lies in a place that the prompt does not name.
    OtherPlace,
    /// A polyp has a size that the prompt does not name.
    OtherSize,
}

impl Disagreement {
    /// Returns the identifier, such as `other-side`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::EmptyMask => "empty-mask",
            Self::UnexpectedMask => "unexpected-mask",
            Self::OtherKind => "other-kind",
            Self::OtherSide => "other-side",
            Self::BothSides => "both-sides",
            Self::OneSide => "one-side",
            Self::AreaCount => "area-count",
            Self::OutsideZones => "outside-zones",
            Self::MissingZones => "missing-zones",
            Self::OtherPlace => "other-place",
            Self::OtherSize => "other-size",
        }
    }
}

/// A contradiction between a mask and its prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MaskWarning {
    /// The rule that found it.
    pub rule: Disagreement,
    /// A sentence that says it.
    pub message: String,
    /// The prompt with the contradicted part as the description has it, which the user may accept; `None` if there is
    /// no such prompt.
    pub mended: Option<String>,
}

impl From<MaskWarning> for WarningObject {
    fn from(warning: MaskWarning) -> Self {
        Self { rule: warning.rule.id(), message: warning.message, mended: warning.mended }
    }
}

/// Returns the contradictions between a mask and its prompt, in the order of the rules. `description` is that of the
/// mask by [`describe`](super::describe); sides are those of the image. What the prompt does not state is not checked.
pub fn compare(prompt: &Prompt, mask: &Mask, description: &Description) -> Vec<MaskWarning> {
    let found = &description.prompt;
    let whole = |rule, message: &str| {
        vec![MaskWarning { rule, message: message.to_owned(), mended: Some(found.to_string()) }]
    };
    if prompt.grammar() != found.grammar() {
        return whole(Disagreement::OtherKind, "The prompt is not about what this kind of image shows.");
    }
    match (prompt.is_negative(), description.components.is_empty()) {
        (true, true) => return Vec::new(),
        (true, false) => {
            return whole(Disagreement::UnexpectedMask, "The prompt names no finding, but the mask is not empty.");
        }
        (false, true) => {
            return whole(Disagreement::EmptyMask, "The prompt names a finding, but the mask is empty.");
        }
        (false, false) => {}
    }
    let mut warnings = match (prompt, found) {
        (Prompt::Lungs(said), Prompt::Lungs(found)) => lungs(said, found, main_side(mask)),
        (Prompt::Polyps(said), Prompt::Polyps(found)) => polyps(said, found),
        _ => Vec::new(),
    };
    warnings.sort_by_key(|warning| warning.rule);
    warnings
}

fn lungs(said: &Lungs, found: &Lungs, main: Option<Side>) -> Vec<MaskWarning> {
    let mut warnings = Vec::new();
    let mut warn = |rule, message: String, mended: Lungs| {
        let mended = Some(Prompt::Lungs(mended).to_string());
        warnings.push(MaskWarning { rule, message, mended });
    };
    let places = || Lungs { areas: said.areas, ..found.clone() };
    let (named, seen) = (sides(said), sides(found));
    let only = named.first().filter(|_| named.len() == 1);
    let names_one = only.is_some() || (named.is_empty() && said.laterality == Some(Laterality::Unilateral));
    let names_both = named.len() == 2 || (named.is_empty() && said.laterality == Some(Laterality::Bilateral));
    if let Some((side, main)) = only.zip(main).filter(|(side, main)| *side != main) {
        let message = format!(
            "The prompt names the {} of the image, but most of the mask lies on the {}.",
            side.word(),
            main.word()
        );
        warn(Disagreement::OtherSide, message, places());
    } else if names_one && seen.len() == 2 {
        let message = "The prompt names one side, but the mask lies on both sides of the image.".to_owned();
        warn(Disagreement::BothSides, message, places());
    } else if let Some(side) = seen.first().filter(|_| names_both && seen.len() == 1) {
        let message =
            format!("The prompt names both sides, but the mask lies on the {} of the image alone.", side.word());
        warn(Disagreement::OneSide, message, places());
    }
    if let Some((said_areas, areas)) = said.areas.zip(found.areas).filter(|(said, found)| said != found) {
        let message = counted("infected area", said_areas, areas);
        warn(Disagreement::AreaCount, message, Lungs { areas: Some(areas), ..said.clone() });
    }
    let is_sided = said.findings.iter().all(|finding| finding.side.is_some());
    let (named, seen) = (zones(&said.findings, is_sided), zones(&found.findings, is_sided));
    // A finding without zones means any zone of its lung.
    if !named.is_empty() && said.findings.iter().all(|finding| !finding.zones.is_empty()) {
        let outside: Vec<_> = seen.iter().filter(|place| !is_near(place, &named)).map(zone_words).collect();
        if !outside.is_empty() {
            let message = format!("The mask reaches zones that the prompt does not name: {}.", outside.join(", "));
            warn(Disagreement::OutsideZones, message, places());
        }
        let missing: Vec<_> = named.iter().filter(|place| !is_near(place, &seen)).map(zone_words).collect();
        if !missing.is_empty() {
            let message = format!("The prompt names zones that the mask does not reach: {}.", missing.join(", "));
            warn(Disagreement::MissingZones, message, places());
        }
    }
    warnings
}

/// Says whether a zone or its neighbour in the same lung is among `places`. Rule and annotators
/// differ by a neighbouring zone in every fifth to third image, so that only a larger distance is a contradiction.
fn is_near((side, zone): &(Option<Side>, Zone), places: &BTreeSet<(Option<Side>, Zone)>) -> bool {
    places.iter().any(|(other, place)| other == side && (*place as usize).abs_diff(*zone as usize) <= 1)
}

fn zone_words((side, zone): &(Option<Side>, Zone)) -> String {
    side.map_or_else(
        || zone.word().to_owned(),
        |side| format!("{} at the {} of the image", zone.word(), side.word()),
    )
}

/// Returns the sentence about two numbers of things.
fn counted(noun: &str, said: u32, found: u32) -> String {
    let plural = if said == 1 { "" } else { "s" };
    format!("The prompt names {} {noun}{plural}, but the mask has {}.", number_word(said), number_word(found))
}

fn polyps(said: &Polyps, found: &Polyps) -> Vec<MaskWarning> {
    let mut warnings = Vec::new();
    let mut warn = |rule, message: String, mended: Polyps| {
        let mended = Some(Prompt::Polyps(mended).to_string());
        warnings.push(MaskWarning { rule, message, mended });
    };
    if let Some((said_number, number)) = said.number.zip(found.number).filter(|(said, found)| said != found) {
        let message = counted("polyp", said_number, number);
        warn(Disagreement::AreaCount, message, Polyps { number: Some(number), ..said.clone() });
    }
    let other = found.places.iter().find(|place| !said.places.is_empty() && !said.places.contains(place));
    if let Some(place) = other {
        let message = format!(
            "A part of the mask lies in a place that the prompt does not name: {} of the image.",
            place.word()
        );
        warn(Disagreement::OtherPlace, message, Polyps { places: found.places.clone(), ..said.clone() });
    }
    let other = found.sizes.iter().find(|size| !said.sizes.is_empty() && !said.sizes.contains(size));
    if let Some(size) = other {
        let message = format!("A part of the mask has a size that the prompt does not name: {}.", size.word());
        warn(Disagreement::OtherSize, message, Polyps { sizes: found.sizes.clone(), ..said.clone() });
    }
    warnings
}

/// Returns the half of the image in which more of the mask lies; `None` if both hold as much, as for an empty mask.
pub fn main_side(mask: &Mask) -> Option<Side> {
    let (mut left, mut right) = (0_usize, 0_usize);
    for (index, _) in mask.values.iter().enumerate().filter(|(_, value)| **value != 0) {
        match side_of(index % mask.width, mask.width) {
            Side::Left => left += 1,
            Side::Right => right += 1,
        }
    }
    match left.cmp(&right) {
        std::cmp::Ordering::Greater => Some(Side::Left),
        std::cmp::Ordering::Less => Some(Side::Right),
        std::cmp::Ordering::Equal => None,
    }
}
