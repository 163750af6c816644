//! Exact Shapley values of the phrases of a prompt.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::case::InfluenceCase;
use super::edits::Texts;
use super::shapley::shapley_values;
use super::words::joined;
use crate::data::foreground;
use crate::infer::error::InferError;
use crate::infer::segmenter::Segmenter;
use crate::metrics::Confusion;
use crate::text::prompt::{PartKind, Phrase, all_phrases, phrases, without};

/// What the mask of some of the phrases is worth, or what one phrase adds to it, in three measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Worth {
    /// The share of the network's output that the mask covers, 0…1.
    pub area: f64,
    /// The Dice coefficient with the mask of the whole prompt, at the size of the network's output, 0…1.
    pub overlap: f64,
    /// The Dice coefficient with the ground truth at the size of the image, 0…1; `None` without a ground truth.
    pub dice: Option<f64>,
}

/// What a phrase contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct PhraseShare {
    /// Where it stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// What it tells; `None` if it was not understood or joins several parts.
    pub kind: Option<PartKind>,
    /// Its Shapley value in each measure.
    pub value: Worth,
}

/// The Shapley values of the phrases of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PhraseShares {
    /// The prompt.
    pub prompt: String,
    /// The threshold of the masks.
    pub threshold: f32,
    /// The phrases in the order of the text. Their values sum to the difference of `whole` and `none`.
    pub phrases: Vec<PhraseShare>,
    /// What the whole prompt is worth.
    pub whole: Worth,
    /// What the prompt is worth without any of its phrases.
    pub none: Worth,
    /// The number of phrases before neighbours were joined to at most eight.
    pub parts: usize,
    /// The number of different texts that were predicted.
    pub predictions: usize,
}

impl PhraseShares {
    /// Returns remarks for the user about what was not examined as it stands, as sentences.
    pub fn remarks(&self) -> Vec<String> {
        joined(self.parts, self.phrases.len()).into_iter().collect()
    }
}

/// Computes the exact Shapley values of the phrases of a prompt, of which there are at most
/// [`MOST_PHRASES`](crate::text::prompt::MOST_PHRASES): the text with every subset of the phrases is predicted, each
/// different text once.
///
/// `progress` receives the numbers of finished and of all predictions; if it breaks, the answer is `None`.
///
/// # Errors
/// The model reads no text, the prompt has no words, or a prediction failed.
pub fn phrase_shares(
    segmenter: &mut dyn Segmenter,
    case: &InfluenceCase<'_>,
    progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<PhraseShares>, InferError> {
    let InfluenceCase { prompt, threshold, truth, .. } = *case;
    case.readable_words(segmenter)?;
    let whole = case.whole(segmenter)?;
    let players = phrases(prompt);
    let mut texts = Texts::beginning_with(prompt);
    let places: Vec<usize> = (0..1_usize << players.len())
        .map(|coalition| {
            let absent = players.iter().enumerate().filter(|(player, _)| coalition >> player & 1 == 0);
            let absent: Vec<Range<usize>> = absent.map(|(_, phrase)| phrase.bytes.clone()).collect();
            // The whole prompt stays as it was typed.
            if absent.is_empty() { 0 } else { texts.add(without(prompt, &absent)) }
        })
        .collect();
    let Some(seen) = case.others(segmenter, whole, &texts.all()[1..], progress)? else { return Ok(None) };
    let mask = |place: usize| foreground(&seen[place].probability.values, threshold);
    let whole_mask = mask(0);
    let worth: Vec<Worth> = (0..seen.len())
        .map(|place| Worth {
            area: seen[place].area,
            overlap: Confusion::of(&mask(place), &whole_mask).dice(),
            dice: seen[place].dice,
        })
        .collect();
    let values = |measure: &dyn Fn(&Worth) -> f64| {
        shapley_values(&places.iter().map(|place| measure(&worth[*place])).collect::<Vec<_>>())
    };
    let (area, overlap) = (values(&|worth| worth.area), values(&|worth| worth.overlap));
    let dice = truth.map(|_| values(&|worth| worth.dice.unwrap_or_default()));
    let share = |(player, phrase): (usize, Phrase)| PhraseShare {
        bytes: phrase.bytes,
        kind: phrase.kind,
        value: Worth {
            area: area[player],
            overlap: overlap[player],
            dice: dice.as_ref().map(|dice| dice[player]),
        },
    };
    Ok(Some(PhraseShares {
        prompt: prompt.to_owned(),
        threshold,
        whole: worth[0],
        none: worth[places[0]],
        phrases: players.into_iter().enumerate().map(share).collect(),
        parts: all_phrases(prompt).len(),
        predictions: texts.all().len(),
    }))
}
