//! Searches the sentence that fits an image without a prompt: sentences of the grammar, ranked by how well the mask of
//! each agrees with it and how sure the mask is.
//!
//! What comes first is a proposal: the sentence to which the network answers as if it were true. It says little about
//! the image if the network follows any sentence.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::ControlFlow;

use super::candidates::{coarse, neighbours};
use super::error::InferError;
use super::prediction::{Plane, Prediction};
use super::segmenter::Segmenter;
use super::variants::predict_each;
use crate::data::describe::{Describer, Kind, agreement};
use crate::data::{Image, Mask};
use crate::metrics::Confusion;
use crate::text::prompt::Prompt;

/// The number of best sentences whose neighbours are tried in a round.
const BEAM: usize = 3;
/// The most rounds after the coarse one.
const ROUNDS: usize = 3;
/// The most sentences that are tried.
pub const MOST_SENTENCES: usize = 96;

/// The settings of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// The lowest probability of a foreground pixel.
    pub threshold: f32,
    /// The kind of image; `None` to recognise it.
    pub kind: Option<Kind>,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { threshold: 0.5, kind: None }
    }
}

/// A sentence with the mask that the network makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The sentence.
    pub prompt: String,
    /// The text–mask agreement, 0…1.
    pub agreement: f64,
    /// How sure the mask is, 0…1, see [`sureness`].
    pub sureness: f64,
    /// The product of the two, by which the sentences are ranked.
    pub score: f64,
    /// The share of the image that the mask covers, 0…1.
    pub area: f64,
    /// The sentence that the rule proposes for the mask.
    pub description: String,
    /// How likely it is that what the sentence names is in the image; `None` if the model is not calibrated for it.
    pub presence: Option<f32>,
    /// The Dice score; `None` without a ground truth.
    pub dice: Option<f64>,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The kind of image, which decides on the grammar.
    pub kind: Kind,
    /// The sentences that were tried, the best first.
    pub hits: Vec<SearchHit>,
}

/// Returns how sure a probability map is of its mask, 0…1: the Dice score of the map and the mask,
/// `2 Σ p·m / (Σ p + Σ m)`, which is 1 if the probability is 1 in the mask and 0 elsewhere. 0 if the mask is empty.
pub fn sureness(map: &Plane, threshold: f32) -> f64 {
    let (mut both, mut map_sum, mut mask_sum) = (0.0, 0.0, 0.0);
    for value in &map.values {
        let probability = f64::from(*value);
        map_sum += probability;
        if *value >= threshold {
            both += probability;
            mask_sum += 1.0;
        }
    }
    if mask_sum > 0.0 { 2.0 * both / (map_sum + mask_sum) } else { 0.0 }
}

/// Searches the sentence for `image`. `truth` is a ground truth of the image's size, for the scores of the sentences,
/// which it does not rank. `progress` receives the number of sentences that were tried and about how many there will be.
///
/// First the coarse sentences are tried, then the neighbours of the three best ones, as long as there are new ones
/// among these, in three rounds at most and 96 sentences altogether.
///
/// # Errors
/// A prediction failed, or the image has no pixels. `None` if `progress` broke.
pub fn search(
    segmenter: &mut dyn Segmenter,
    image: &Image,
    truth: Option<&Mask>,
    settings: SearchSettings,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Search>, InferError> {
    let describer =
        Describer::new(image, settings.kind).map_err(|error| InferError::Refused(error.to_string()))?;
    let kind = describer.kind();
    let truth = truth.filter(|truth| (truth.width, truth.height) == (image.width, image.height));
    let mut seen: HashSet<Prompt> = HashSet::new();
    let mut hits: Vec<(Prompt, SearchHit)> = Vec::new();
    let mut prompts = coarse(kind);
    for round in 0..=ROUNDS {
        prompts.retain(|prompt| seen.insert(prompt.clone()));
        prompts.truncate(MOST_SENTENCES - hits.len());
        if prompts.is_empty() {
            break;
        }
        let texts: Vec<String> = prompts.iter().map(Prompt::to_string).collect();
        let tried = hits.len();
        // Later rounds are about as long as this one, as long as there are any.
        let ahead = if round == 0 { 2 * prompts.len() } else { 0 };
        let total = (tried + prompts.len() + ahead).min(MOST_SENTENCES);
        let keep = |index: usize, prediction: Prediction| {
            hit(&describer, truth, &prompts[index], &texts[index], &prediction, settings.threshold)
        };
        let Some(found) = predict_each(segmenter, image, &texts, keep, |done| progress(tried + done, total))?
        else {
            return Ok(None);
        };
        for (prompt, hit) in prompts.drain(..).zip(found) {
            hits.push((prompt, hit?));
        }
        hits.sort_by(|a, b| order(&a.1, &b.1));
        let best = &hits[..hits.len().min(BEAM)];
        prompts = best.iter().flat_map(|(prompt, _)| neighbours(prompt, kind)).collect();
    }
    Ok(Some(Search { kind, hits: hits.into_iter().map(|(_, hit)| hit).collect() }))
}

/// Orders by the score; of equal ones, the shorter sentence comes first.
fn order(a: &SearchHit, b: &SearchHit) -> Ordering {
    b.score
        .total_cmp(&a.score)
        .then_with(|| a.prompt.len().cmp(&b.prompt.len()))
        .then_with(|| a.prompt.cmp(&b.prompt))
}

fn hit(
    describer: &Describer<'_>,
    truth: Option<&Mask>,
    prompt: &Prompt,
    text: &str,
    prediction: &Prediction,
    threshold: f32,
) -> Result<SearchHit, InferError> {
    let Plane { width, height, .. } = prediction.probability;
    let mask = Mask { width, height, values: prediction.mask(threshold) };
    let described = describer.describe(&mask).map_err(|error| InferError::Refused(error.to_string()))?;
    let agreement = agreement(prompt, &described).unwrap_or(0.0);
    let sureness = sureness(&prediction.probability_model, threshold);
    Ok(SearchHit {
        prompt: text.to_owned(),
        agreement,
        sureness,
        score: agreement * sureness,
        area: mask.foreground() as f64 / mask.values.len().max(1) as f64,
        description: described.prompt.to_string(),
        presence: prediction.presence,
        dice: truth.map(|truth| Confusion::of(&mask.values, &truth.values).dice()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::fakes::{Drawn, square};

    fn searched(model: &mut Drawn) -> Search {
        let settings = SearchSettings { kind: Some(Kind::Xray), ..SearchSettings::default() };
        let mut last = (0, 0);
        let progress = |done: usize, count: usize| {
            assert!(done == last.0 + 1 && done <= count, "{last:?} {done} {count}");
            last = (done, count);
            ControlFlow::Continue(())
        };
        let found = search(model, &Drawn::image(), Some(&square(0.2)), settings, progress);
        found.expect("no error").expect("not stopped")
    }

    #[test]
    fn the_sentence_of_the_only_mask_comes_first() {
        let found = searched(&mut Drawn::new(|_| square(0.2)));
        let first = &found.hits[0];
        assert_eq!(first.prompt, "Unilateral pulmonary infection, one infected area, lower left lung.");
        assert_eq!((first.agreement, first.dice), (1.0, Some(1.0)));
        assert_eq!(first.prompt, first.description);
        assert!(found.hits.len() <= MOST_SENTENCES && found.hits.len() > 24, "{}", found.hits.len());
        assert!(found.hits.is_sorted_by(|a, b| a.score >= b.score));
        let unique: HashSet<&String> = found.hits.iter().map(|hit| &hit.prompt).collect();
        assert_eq!(unique.len(), found.hits.len(), "no sentence is tried twice");
    }

    #[test]
    fn of_sentences_that_agree_the_surest_comes_first() {
        // A model that follows the side of the sentence, and is surer of the right one.
        let draw = |prompt: &str| square(if prompt.contains("right") { 0.8 } else { 0.2 });
        let sure = |prompt: &str| if prompt.contains("right") { 0.99 } else { 0.6 };
        let found = searched(&mut Drawn::sure_to(draw, sure));
        assert_eq!(found.hits[0].prompt, "Unilateral pulmonary infection, one infected area, lower right lung.");
        let left = found.hits.iter().find(|hit| hit.prompt.ends_with("area, lower left lung.")).expect("tried");
        assert!(left.agreement == 1.0 && left.sureness < found.hits[0].sureness, "{left:?}");
    }

    #[test]
    fn a_sentence_that_only_a_neighbour_reaches_is_found() {
        // Two squares in the lower left lung: no coarse sentence says "two areas" of one lung.
        let draw = |_: &str| {
            let mut mask = square(0.2);
            let second = square(0.4);
            mask.values.iter_mut().zip(&second.values).for_each(|(value, other)| *value |= other);
            mask
        };
        let found = searched(&mut Drawn::new(draw));
        assert_eq!(found.hits[0].prompt, "Unilateral pulmonary infection, two infected areas, lower left lung.");
    }

    #[test]
    fn it_stops_and_says_nothing() {
        let mut model = Drawn::new(|_| square(0.2));
        let settings = SearchSettings::default();
        let stop =
            |done: usize, _: usize| if done < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        assert_eq!(search(&mut model, &Drawn::image(), None, settings, stop).expect("no error"), None);
    }

    #[test]
    fn a_map_is_sure_if_it_is_its_own_mask() {
        let map = |values: Vec<f32>| Plane { width: values.len(), height: 1, values };
        assert_eq!(sureness(&map(vec![1.0, 1.0, 0.0]), 0.5), 1.0);
        assert_eq!(sureness(&map(vec![0.4, 0.1]), 0.5), 0.0);
        assert!((sureness(&map(vec![0.5, 0.25]), 0.5) - 1.0 / 1.75).abs() < 1e-9);
    }
}
