//! Writes a prompt of polyps out as an endoscopy report.

use super::style::{Style, listed, one};
use crate::text::capitalised;
use crate::text::prompt::value::Polyps;
use crate::text::prompt::words::number_word;

const ABSENT: &[&str] = &[
    "There is no ulceration or active bleeding.",
    "No bleeding is seen.",
    "The surrounding mucosa is unremarkable.",
    "No inflammation of the mucosa is seen.",
];
const NORMAL: &[&str] =
    &["Bowel preparation is adequate.", "The folds are normal.", "The lumen is well visualized."];

/// Writes the report.
pub(super) fn report(polyps: &Polyps, style: Style, random: &mut fastrand::Rng) -> String {
    if polyps.number == Some(0) {
        return match style {
            Style::Telegraphic => "IMPRESSION: No polyp.".into(),
            _ => format!("FINDINGS: {} No polyp is seen. IMPRESSION: No polyp.", one(random, NORMAL)),
        };
    }
    let is_plural = polyps.number.is_some_and(|number| number > 1);
    let (noun, pronoun) = if is_plural { ("polyps", "They are") } else { ("polyp", "It is") };
    let number = polyps.number.map(number_word);
    let impression = match &number {
        Some(number) => format!("{} {noun}.", capitalised(number)),
        None => "Polyp.".into(),
    };
    let words = |words: Vec<&str>| words.into_iter().map(String::from).collect::<Vec<_>>();
    let sizes = listed(&words(polyps.sizes.iter().map(|size| size.word()).collect()));
    let colour = polyps.colour.map(|colour| colour.word().to_owned());
    let shape = polyps.shape.map(|shape| shape.word().to_owned());
    let places = listed(&words(polyps.places.iter().map(|place| place.word()).collect()));
    let attributes = |with_shape: bool| {
        let parts = [number.clone(), Some(sizes.clone()), colour.clone(), shape.clone().filter(|_| with_shape)];
        let parts = parts.into_iter().flatten().filter(|part| !part.is_empty()).chain([noun.to_owned()]);
        parts.collect::<Vec<_>>().join(" ")
    };
    let located = |verb: &str| match places.is_empty() {
        true => String::new(),
        false => format!(" {verb} the {places} of the image"),
    };
    match style {
        Style::Telegraphic => {
            format!("IMPRESSION: {}{}.", capitalised(&attributes(true)), located(one(random, &["in", "at"])))
        }
        Style::Concise => {
            format!("FINDINGS: {}{}. IMPRESSION: {impression}", capitalised(&attributes(true)), located("in"))
        }
        Style::Paper | Style::Narrative | Style::Detailed => {
            let intro = one(random, &["Colonoscopy shows", "The frame shows", "Endoscopy reveals"]);
            let mut sentences = vec![format!(
                "{intro} {}, which {} a projecting growth of tissue.",
                attributes(false),
                if is_plural { "are" } else { "is" }
            )];
            if style != Style::Narrative {
                sentences.push(one(random, ABSENT).into());
            }
            if let Some(shape) = &shape {
                sentences.push(format!("Shape: {shape}."));
            }
            if !places.is_empty() {
                sentences.push(format!("{pronoun}{}.", located(one(random, &["located in", "seen in"]))));
            }
            if style == Style::Detailed {
                sentences.insert(0, one(random, NORMAL).into());
                sentences.push("No further polyp is identified.".into());
            }
            format!("FINDINGS: {} IMPRESSION: 1. {impression}", sentences.join(" "))
        }
    }
}
