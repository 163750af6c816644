//! The wordings of the variants of a prompt for training: other orders, abbreviations and made-up words.

use super::lungs::place;
use super::value::{LungFinding, Lungs, Polyps, Prompt};
use super::words::{Place, Size, number_word};
use crate::text::capitalised;

/// The abbreviations of words. A word may have several.
const ABBREVIATIONS: [(&str, &str); 17] = [
    ("bilateral", "bilat"),
    ("bilateral", "bil"),
    ("unilateral", "unilat"),
    ("pulmonary", "pulm"),
    ("infected", "inf"),
    ("upper", "up"),
    ("middle", "mid"),
    ("lower", "low"),
    ("left", "L"),
    ("left", "lt"),
    ("right", "R"),
    ("right", "rt"),
    ("small", "sm"),
    ("medium", "med"),
    ("large", "lg"),
    ("center", "ctr"),
    ("image", "img"),
];

/// Sentences that deny an infection of the lungs.
pub(super) const NO_INFECTION: [&str; 6] = [
    "No pulmonary infection.",
    "No pulmonary infection, zero infected areas.",
    "There is no pulmonary infection.",
    "No infected area is seen.",
    "The lungs are clear, without infection.",
    "No consolidation or opacity is seen.",
];
/// Sentences that deny a polyp.
pub(super) const NO_POLYP: [&str; 5] = [
    "No polyp.",
    "no polyp located in the image",
    "There is no polyp.",
    "No polyp is seen.",
    "The mucosa is normal, without polyps.",
];

/// Prints a prompt with its clauses and places in another order.
pub(super) fn reordered(prompt: &Prompt, random: &mut fastrand::Rng) -> String {
    match prompt {
        Prompt::Lungs(lungs) => reordered_lungs(lungs, random),
        Prompt::Polyps(polyps) => reordered_polyps(polyps, random),
    }
}

fn reordered_lungs(lungs: &Lungs, random: &mut fastrand::Rng) -> String {
    let mut findings = lungs.findings.clone();
    random.shuffle(&mut findings);
    let places: Vec<String> = findings.iter().map(|finding| place_with_side_first(finding, random)).collect();
    let mut clauses = Vec::new();
    clauses.extend(lungs.laterality.map(|laterality| format!("{} pulmonary infection", laterality.word())));
    clauses.extend(lungs.areas.map(areas));
    if !places.is_empty() {
        clauses.push(places.join(" and "));
    }
    random.shuffle(&mut clauses);
    capitalised(&clauses.join(", ")) + "."
}

/// Prints a place as the data sets do ("upper left lung") or with the side first ("left upper lung").
fn place_with_side_first(finding: &LungFinding, random: &mut fastrand::Rng) -> String {
    match finding.side {
        Some(side) if random.bool() && !finding.zones.is_empty() => {
            format!("{} {} lung", side.word(), finding.zones.words().join(" "))
        }
        _ => place(finding),
    }
}

fn areas(count: u32) -> String {
    format!("{} infected {}", number_word(count), if count == 1 { "area" } else { "areas" })
}

fn reordered_polyps(polyps: &Polyps, random: &mut fastrand::Rng) -> String {
    let mut places = polyps.places.clone();
    random.shuffle(&mut places);
    let noun = noun(polyps);
    let growth = match random.bool() {
        true if noun == "polyp" => " which is a projecting growth of tissue",
        true => " which are a projecting growth of tissue",
        false => "",
    };
    let subject = attributes(polyps, number_word) + noun + growth;
    match places.is_empty() {
        true => subject,
        false => {
            let place = format!("located in {} of the image", joined_places(&places));
            if random.bool() { format!("{place}, {subject}") } else { format!("{subject}, {place}") }
        }
    }
}

fn joined_places(places: &[Place]) -> String {
    places.iter().map(|place| place.word()).collect::<Vec<_>>().join(", ")
}

fn noun(polyps: &Polyps) -> &'static str {
    if polyps.number.is_some_and(|number| number > 1) { "polyps" } else { "polyp" }
}

/// Prints what stands before the noun, each word with a space after it.
fn attributes(polyps: &Polyps, number: impl Fn(u32) -> String) -> String {
    let sizes: Vec<&str> = polyps.sizes.iter().copied().map(Size::word).collect();
    let sizes = Some(sizes.join(" ")).filter(|sizes| !sizes.is_empty());
    let colour = polyps.colour.map(|colour| colour.word().to_owned());
    let shape = polyps.shape.map(|shape| shape.word().to_owned());
    let parts = [polyps.number.map(number), sizes, colour, shape];
    parts.into_iter().flatten().map(|part| part + " ").collect()
}

/// Prints a prompt in abbreviations and without the words that tell nothing. Sides are not abbreviated together with
/// lobes ("RLL"): such an abbreviation names the side of the patient, and prompts that of the image.
pub(super) fn abbreviated(prompt: &Prompt, random: &mut fastrand::Rng) -> String {
    let full = match prompt {
        Prompt::Lungs(lungs) => {
            let mut clauses = Vec::new();
            let infection = if random.bool() { "pulmonary infection" } else { "infection" };
            clauses.extend(lungs.laterality.map(|laterality| format!("{} {infection}", laterality.word())));
            let unit = if lungs.areas == Some(1) { "area" } else { "areas" };
            let unit = if random.bool() { format!("infected {unit}") } else { unit.to_owned() };
            clauses.extend(lungs.areas.map(|areas| format!("{areas} {unit}")));
            let places: Vec<String> = lungs.findings.iter().map(place).collect();
            if !places.is_empty() {
                clauses.push(places.join(" and "));
            }
            clauses.join(", ")
        }
        Prompt::Polyps(polyps) => {
            let subject = attributes(polyps, |number| number.to_string()) + noun(polyps);
            match polyps.places.is_empty() {
                true => subject,
                false => format!("{subject} in {} of image", joined_places(&polyps.places)),
            }
        }
    };
    full.split(' ').map(|word| shortened(word, random)).collect::<Vec<_>>().join(" ")
}

/// Returns a word, with the mark that may follow it, in an abbreviation if it has one.
fn shortened(word: &str, random: &mut fastrand::Rng) -> String {
    let letters = word.trim_end_matches([',', '.']);
    let known: Vec<&str> =
        ABBREVIATIONS.iter().filter(|(full, _)| *full == letters).map(|(_, short)| *short).collect();
    match random.choice(known) {
        Some(short) => format!("{short}{}", &word[letters.len()..]),
        None => word.to_owned(),
    }
}

/// Returns the text with the abbreviations written out.
#[cfg(test)]
pub(super) fn expanded(text: &str) -> String {
    let full = |word: &str| {
        let letters = word.trim_end_matches([',', '.']);
        match ABBREVIATIONS.iter().find(|(_, short)| *short == letters) {
            Some((full, _)) => format!("{full}{}", &word[letters.len()..]),
            None => word.to_owned(),
        }
    };
    text.split(' ').map(full).collect::<Vec<_>>().join(" ")
}

/// Returns a made-up word of two to four syllables, with one syllable at least that no English word has.
pub(super) fn made_up(random: &mut fastrand::Rng) -> String {
    const ODD: [&str; 12] =
        ["vrix", "zqu", "blorf", "gwup", "frotz", "skwi", "xol", "jub", "vronk", "plugh", "mqa", "zyx"];
    const PLAIN: [&str; 14] =
        ["ba", "do", "ke", "lim", "mor", "nu", "pas", "ro", "sit", "tal", "ven", "wo", "gri", "fen"];
    let mut syllables: Vec<&str> = (0..random.usize(1..=3)).filter_map(|_| random.choice(PLAIN)).collect();
    syllables.insert(random.usize(0..=syllables.len()), random.choice(ODD).unwrap_or("zyx"));
    syllables.concat()
}

/// Returns texts with the words of variants that a network is to understand and that its prompts do not have, for a
/// vocabulary.
pub fn variant_words() -> impl Iterator<Item = &'static str> {
    ABBREVIATIONS.into_iter().map(|(_, short)| short).chain(NO_INFECTION).chain(NO_POLYP)
}
