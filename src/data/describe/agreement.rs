//! One number for how well a mask agrees with its prompt.

use std::collections::BTreeSet;

use super::Description;
use crate::text::prompt::{Laterality, LungFinding, Lungs, Polyps, Prompt, Side, Zone};

/// Returns the text–mask agreement, 0…1: the mean of the following, each for what the prompt states.
///
/// * The sides, the zones by side, the places and the sizes of polyps: the number of values that prompt and
///   description share, divided by the number of all values of the two (Jaccard). If the prompt gives zones without a
///   side, sides do not count.
/// * The number of areas or polyps: the smaller of the two divided by the larger.
///
/// An empty mask has 0 for a prompt with a finding and 1 for a prompt that says that there is none; a mask with
/// foreground has 0 for the latter. Colour and shape do not count, because no rule finds them reliably. `None` if the
/// prompt states nothing of these, or if it is about lungs and the image is an endoscopy frame, or the reverse.
pub fn agreement(prompt: &Prompt, description: &Description) -> Option<f64> {
    if prompt.grammar() != description.prompt.grammar() {
        return None;
    }
    let is_empty = description.components.is_empty();
    if prompt.is_negative() || is_empty {
        return Some(f64::from(u8::from(prompt.is_negative() == is_empty)));
    }
    let parts = match (prompt, &description.prompt) {
        (Prompt::Lungs(said), Prompt::Lungs(found)) => lungs(said, found),
        (Prompt::Polyps(said), Prompt::Polyps(found)) => polyps(said, found),
        _ => Vec::new(),
    };
    (!parts.is_empty()).then(|| parts.iter().sum::<f64>() / parts.len() as f64)
}

fn lungs(said: &Lungs, found: &Lungs) -> Vec<f64> {
    let mut parts = Vec::new();
    let (named, seen) = (sides(said), sides(found));
    if !named.is_empty() {
        parts.push(jaccard(&named, &seen));
    } else if let Some(laterality) = said.laterality {
        let count = if laterality == Laterality::Bilateral { 2 } else { 1 };
        parts.push(ratio(count, seen.len() as u32));
    }
    parts.extend(said.areas.zip(found.areas).map(|(said, found)| ratio(said, found)));
    let is_sided = said.findings.iter().all(|finding| finding.side.is_some());
    let (named, seen) = (zones(&said.findings, is_sided), zones(&found.findings, is_sided));
    if !named.is_empty() {
        parts.push(jaccard(&named, &seen));
    }
    parts
}

fn polyps(said: &Polyps, found: &Polyps) -> Vec<f64> {
    let mut parts = Vec::new();
    parts.extend(said.number.zip(found.number).map(|(said, found)| ratio(said, found)));
    if !said.places.is_empty() {
        parts.push(jaccard(&said.places.iter().collect(), &found.places.iter().collect()));
    }
    if !said.sizes.is_empty() {
        parts.push(jaccard(&said.sizes.iter().collect(), &found.sizes.iter().collect()));
    }
    parts
}

/// Returns the sides that a prompt names.
pub(super) fn sides(lungs: &Lungs) -> BTreeSet<Side> {
    lungs.findings.iter().filter_map(|finding| finding.side).collect()
}

/// Returns the zones of all findings, with their sides if `is_sided`.
pub(super) fn zones(findings: &[LungFinding], is_sided: bool) -> BTreeSet<(Option<Side>, Zone)> {
    let of = |finding: &LungFinding| {
        let side = finding.side.filter(|_| is_sided);
        finding.zones.iter().map(move |zone| (side, zone)).collect::<Vec<_>>()
    };
    findings.iter().flat_map(of).collect()
}

fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    a.intersection(b).count() as f64 / a.union(b).count().max(1) as f64
}

fn ratio(a: u32, b: u32) -> f64 {
    if a == b { 1.0 } else { f64::from(a.min(b)) / f64::from(a.max(b)) }
}
