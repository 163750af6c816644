//! Writes a prompt out as a report.

use super::style::{Style, listed, one};
use super::{Left, augment_polyps};
use crate::text::capitalised;
use crate::text::prompt::value::{LungFinding, Lungs, Prompt};
use crate::text::prompt::words::{Laterality, Side, Zone, number_word};

/// Writes a prompt out as a report. The same prompt, style and seed give the same report. `left` says whose left the
/// report means; the prompt means the image's. Places of polyps are in the image in any case.
pub fn augment(prompt: &Prompt, style: Style, seed: u64, left: Left) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    match prompt {
        Prompt::Lungs(_) if left == Left::Patient => match prompt.mirrored() {
            Prompt::Lungs(lungs) => report(&lungs, style, &mut random),
            Prompt::Polyps(_) => String::new(),
        },
        Prompt::Lungs(lungs) => report(lungs, style, &mut random),
        Prompt::Polyps(polyps) => augment_polyps::report(polyps, style, &mut random),
    }
}

const NORMAL: &[&str] = &[
    "The cardiomediastinal silhouette is normal.",
    "The heart is normal in size.",
    "The mediastinal contours are unremarkable.",
    "Imaged osseous structures are intact.",
];
const ABSENT: &[&str] = &[
    "There is no pleural effusion or pneumothorax.",
    "No pneumothorax or effusion is seen.",
    "No free air below the right hemidiaphragm is seen.",
    "There is no focal mass.",
];

fn report(lungs: &Lungs, style: Style, random: &mut fastrand::Rng) -> String {
    let impression = impression(lungs);
    if lungs.laterality == Some(Laterality::None) && lungs.findings.is_empty() {
        return clear(&impression, style, random);
    }
    let places = places(lungs, style, random);
    let count = lungs.areas.map(|areas| {
        let noun = if areas == 1 { "area" } else { "areas" };
        (number_word(areas), noun, if areas == 1 { "is" } else { "are" })
    });
    match style {
        Style::Paper => {
            let mut text = "FINDINGS: The lungs are well aerated.".to_owned();
            if let Some((number, noun, verb)) = &count {
                text += &format!(" There {verb} {number} infected {noun}.");
            } else {
                text += " There is pulmonary infection.";
            }
            text += " There is no focal consolidation, effusion, or pneumothorax.";
            if let Some(places) = places {
                text += &format!(" From {places}...");
            }
            text += " The cardiomediastinal silhouette is normal. Imaged osseous structures are intact. No free air below \
                the right hemidiaphragm is seen.";
            format!("{text} IMPRESSION: 1. {impression}")
        }
        Style::Concise => {
            let subject = subject(&count, one(random, &["infected", "consolidated"]));
            let text = match places {
                Some(places) => format!("{subject} in {places}."),
                None => format!("{subject}."),
            };
            format!("FINDINGS: {} IMPRESSION: {impression}", capitalised(&text))
        }
        Style::Narrative | Style::Detailed => {
            let intro = one(random, &["The image shows", "The examination demonstrates", "There is evidence of"]);
            let subject = subject(&count, "infected");
            let mut sentences = vec![format!("{intro} {subject}.")];
            if let Some(places) = places {
                let pronoun =
                    if count.as_ref().is_some_and(|count| count.2 == "is") { "It is" } else { "They are" };
                let verb = one(random, &["located in", "seen in", "present in"]);
                sentences.push(format!("{pronoun} {verb} {places}."));
            }
            if style == Style::Detailed {
                sentences.insert(
                    0,
                    one(random, &["The lungs are well inflated.", "The lungs are well expanded."]).into(),
                );
                let at = random.usize(1..=sentences.len());
                // What is absent comes after the areas, or between them and their places.
                sentences.insert(at.max(2), one(random, ABSENT).into());
                let mut normal: Vec<&str> = NORMAL.to_vec();
                random.shuffle(&mut normal);
                let wanted = random.usize(2..=normal.len());
                sentences.extend(normal.into_iter().take(wanted).map(String::from));
            } else {
                sentences.push(one(random, ABSENT).into());
            }
            format!("FINDINGS: {} IMPRESSION: {impression}", sentences.join(" "))
        }
        Style::Telegraphic => {
            let mut parts = vec![impression.trim_end_matches('.').to_owned()];
            if let Some((number, noun, _)) = &count {
                parts.push(format!("{number} infected {noun}"));
            }
            let joined = parts.join(one(random, &[", ", "; "]));
            match places {
                Some(places) => format!("IMPRESSION: {joined}{}{places}.", one(random, &[": ", " - "])),
                None => format!("IMPRESSION: {joined}."),
            }
        }
    }
}

/// Returns "two infected areas", or "infection" if no number is known. "Consolidated" becomes "areas of
/// consolidation".
fn subject(count: &Option<(String, &str, &str)>, adjective: &str) -> String {
    match count {
        Some((number, noun, _)) if adjective == "consolidated" => format!("{number} {noun} of consolidation"),
        Some((number, noun, _)) => format!("{number} {adjective} {noun}"),
        None => "infection".into(),
    }
}

fn impression(lungs: &Lungs) -> String {
    match lungs.laterality {
        Some(Laterality::None) => "No pulmonary infection.".into(),
        Some(laterality) => capitalised(laterality.word()) + " pulmonary infection.",
        None => "Pulmonary infection.".into(),
    }
}

fn clear(impression: &str, style: Style, random: &mut fastrand::Rng) -> String {
    let none = one(
        random,
        &["There is no focal consolidation, effusion, or pneumothorax.", "No consolidation or opacity is seen."],
    );
    match style {
        Style::Telegraphic => format!("IMPRESSION: {impression}"),
        Style::Concise => format!("FINDINGS: The lungs are clear. IMPRESSION: {impression}"),
        Style::Paper | Style::Narrative => {
            format!("FINDINGS: The lungs are clear. {none} IMPRESSION: {impression}")
        }
        Style::Detailed => {
            let normal = NORMAL.join(" ");
            format!("FINDINGS: The lungs are clear. {none} {normal} IMPRESSION: {impression}")
        }
    }
}

fn places(lungs: &Lungs, style: Style, random: &mut fastrand::Rng) -> Option<String> {
    let places = lungs.findings.iter().map(|finding| match style {
        // The paper and telegrams keep the words of the prompt.
        Style::Paper | Style::Telegraphic => crate::text::prompt::lungs::place(finding),
        _ => place(finding, random),
    });
    let places: Vec<String> = places.collect();
    (!places.is_empty()).then(|| listed(&places))
}

fn place(finding: &LungFinding, random: &mut fastrand::Rng) -> String {
    let lung = finding.side.map_or_else(|| "lung".to_owned(), |side| format!("{} lung", side.word()));
    if finding.zones.is_empty() {
        return format!("the {lung}");
    }
    if finding.zones.is_all() {
        return format!("{} {lung}", one(random, &["the whole", "the entire", "all of the"]));
    }
    let zones: Vec<String> = finding.zones.iter().map(Zone::word).map(String::from).collect();
    let noun = if zones.len() == 1 { "zone" } else { "zones" };
    match finding.side.map(Side::word) {
        Some(side) if random.bool() => format!("the {side} {} {noun}", listed(&zones)),
        _ => format!("the {} {noun} of the {lung}", listed(&zones)),
    }
}
