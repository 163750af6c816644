//! Checks what a prompt says: whether laterality, number, sides and places agree and are given.

use super::parsed::{Parsed, PartKind};
use super::value::{LungFinding, Lungs, Polyps, Prompt, laterality_of};
use super::warning::{Rule, Warning, warning};
use super::words::{Laterality, number_word};

/// Checks a prompt of infected lungs.
pub(super) fn lungs(lungs: &Lungs, parsed: &Parsed, warnings: &mut Vec<Warning>) {
    // A mend must not lose what was not understood, and a lung may be named there.
    let is_whole = parsed.not_understood.is_empty();
    let mut add = |rule, message: String, kind, mended: Option<Lungs>| {
        let bytes = parsed.part(kind).map(|part| part.bytes.clone());
        let mended = mended.filter(|_| is_whole).map(|lungs| Prompt::Lungs(lungs).to_string());
        warnings.push(Warning { bytes, mended, ..warning(rule, message) });
    };
    let findings = &lungs.findings;
    if lungs.laterality == Some(Laterality::None) || lungs.areas == Some(0) {
        add(
            Rule::Absent,
            "The prompt says that there is no infection; a mask for it has no meaning.".into(),
            PartKind::Laterality,
            None,
        );
        if !findings.is_empty() || lungs.areas.is_some_and(|areas| areas > 0) {
            let message = "The prompt says that there is no infection and names infected areas.";
            add(Rule::Contradiction, message.into(), PartKind::Laterality, None);
        }
        return;
    }
    if findings.is_empty() {
        let (rule, message) = match (lungs.laterality, lungs.areas) {
            (None, None) => (Rule::NoFinding, "The prompt names no infection and no infected place."),
            _ => (Rule::NoPlace, "The prompt names no lung and no zone."),
        };
        add(rule, message.into(), PartKind::Laterality, None);
    }
    let sides =
        Some(laterality_of(findings)).filter(|_| findings.iter().all(|place| place.side.is_some()) && is_whole);
    let contradiction = match (lungs.laterality, sides) {
        (Some(Laterality::Bilateral), Some(Laterality::Unilateral)) => {
            Some("The prompt says \"bilateral\" and names one lung only.")
        }
        (Some(Laterality::Unilateral), Some(Laterality::Bilateral)) => {
            Some("The prompt says \"unilateral\" and names both lungs.")
        }
        _ => None,
    };
    if let Some(message) = contradiction {
        // More areas than lungs may be right, fewer are mended with it.
        let least = findings.len() as u32;
        let areas = lungs.areas.map(|areas| areas.max(least));
        let mended = Lungs { laterality: sides, areas, findings: findings.clone() };
        add(Rule::Contradiction, message.into(), PartKind::Laterality, Some(mended));
    }
    if let Some(areas) = lungs.areas {
        let places = findings.len() as u32;
        if areas < places {
            let message =
                format!("The prompt counts {}, but names {}.", number(areas, "area"), number(places, "place"));
            let laterality = if contradiction.is_some() { sides } else { lungs.laterality };
            let mended = Lungs { laterality, areas: Some(places), findings: findings.clone() };
            add(Rule::Count, message, PartKind::Areas, Some(mended));
        } else if areas < 2 && lungs.laterality == Some(Laterality::Bilateral) && contradiction.is_none() {
            let message = "The prompt says \"bilateral\" and counts one area only.";
            let mended = findings.is_empty().then(|| Lungs { areas: Some(2), ..lungs.clone() });
            add(Rule::Contradiction, message.into(), PartKind::Areas, mended);
        }
    }
    if findings.iter().any(|finding| finding.side.is_none()) {
        add(
            Rule::NoSide,
            "The prompt does not say which lung is meant.".into(),
            PartKind::Zones,
            with_side(lungs),
        );
    }
    if findings.iter().any(|finding| finding.zones.is_empty()) {
        add(Rule::NoPlace, "The prompt names a lung without a zone.".into(), PartKind::Side, None);
    }
}

/// Returns the prompt with the one missing side; `None` if it cannot be told: only the second place of a bilateral
/// infection can.
fn with_side(lungs: &Lungs) -> Option<Lungs> {
    let [a, b] = lungs.findings[..] else { return None };
    if lungs.laterality != Some(Laterality::Bilateral) {
        return None;
    }
    let side = a.side.xor(b.side)?.other();
    let findings = [a, b].map(|finding| LungFinding { side: finding.side.or(Some(side)), ..finding }).into();
    Some(Lungs { findings, ..lungs.clone() })
}

/// Checks a prompt of polyps.
pub(super) fn polyps(polyps: &Polyps, parsed: &Parsed, warnings: &mut Vec<Warning>) {
    let is_whole = parsed.not_understood.is_empty();
    let mut add = |rule, message: String, kind, mended: Option<Polyps>| {
        let bytes = parsed.part(kind).map(|part| part.bytes.clone());
        let mended = mended.filter(|_| is_whole).map(|polyps| Prompt::Polyps(polyps).to_string());
        warnings.push(Warning { bytes, mended, ..warning(rule, message) });
    };
    let places = polyps.places.len() as u32;
    match polyps.number {
        Some(0) => {
            let message = "The prompt says that there is no polyp; a mask for it has no meaning.";
            add(Rule::Absent, message.into(), PartKind::Number, None);
            if places > 0 {
                let message = "The prompt says that there is no polyp and names a place.";
                add(Rule::Contradiction, message.into(), PartKind::Number, None);
            }
            return;
        }
        Some(count) if count < places => {
            let message =
                format!("The prompt counts {}, but names {}.", number(count, "polyp"), number(places, "place"));
            let mended = Polyps { number: Some(places), ..polyps.clone() };
            add(Rule::Count, message, PartKind::Number, Some(mended));
        }
        _ => {}
    }
    if places == 0 {
        add(
            Rule::NoPlace,
            "The prompt does not say where in the image the polyp is.".into(),
            PartKind::Polyp,
            None,
        );
    }
}

fn number(count: u32, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", number_word(count))
}
