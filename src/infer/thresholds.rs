//! Chooses the threshold of a model for each kind of image, on pairs that it was not trained on.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::error::InferError;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair;
use crate::data::describe::{Kind, recognise};
use crate::data::{Image, PairReading, Sample};
use crate::metrics::Confusion;
use crate::model::weights::thresholds::{KindThreshold, KindThresholds};

/// The fewest images of a kind for which a threshold is chosen.
pub const FEWEST_IMAGES: usize = 20;
/// The candidates in hundredths.
const CANDIDATES: std::ops::RangeInclusive<usize> = 5..=95;

/// The threshold that a model has for the kind of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuggestedThreshold {
    /// The kind of the image: `xray`, `ct` or `endoscopy`.
    pub kind: String,
    /// The probability from which a pixel is foreground.
    pub threshold: f32,
}

impl SuggestedThreshold {
    /// The threshold for an image, whose kind is recognised by its look; `None` if there is none for its kind.
    pub fn of(thresholds: &KindThresholds, image: &Image) -> Option<Self> {
        let kind = recognise(image).to_string();
        let threshold = thresholds.kinds.get(&kind)?.threshold;
        Some(Self { kind, threshold })
    }

    /// The name of the kind, in the plural.
    pub fn kind_words(&self) -> &str {
        match self.kind.as_str() {
            "xray" => "X-rays",
            "ct" => "CT slices",
            "endoscopy" => "endoscopy frames",
            other => other,
        }
    }
}

/// The thresholds that were chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdFit {
    /// The kinds with enough images.
    pub kinds: Vec<(Kind, KindThreshold)>,
    /// The kinds with too few images, and their numbers.
    pub too_few: Vec<(Kind, usize)>,
    /// The reasons why images could not be used.
    pub skipped: Vec<String>,
}

/// The candidates, ascending.
fn candidates() -> Vec<f32> {
    CANDIDATES.map(|hundredths| hundredths as f32 / 100.0).collect()
}

/// The Dice score of an image at each of the `thresholds`, ascending.
fn dice_by_threshold(probability: &[f32], truth: &[u8], thresholds: &[f32]) -> Vec<f64> {
    // The number of pixels by the number of thresholds that they reach, of background and of foreground.
    let mut reached = vec![[0_u64; 2]; thresholds.len() + 1];
    for (probability, truth) in probability.iter().zip(truth) {
        let passed = thresholds.partition_point(|threshold| threshold <= probability);
        reached[passed][usize::from(*truth != 0)] += 1;
    }
    let all = reached.iter().fold([0; 2], |all, one| [all[0] + one[0], all[1] + one[1]]);
    let mut above = all;
    reached[..thresholds.len()]
        .iter()
        .map(|below| {
            above = [above[0] - below[0], above[1] - below[1]];
            Confusion {
                true_positive: above[1],
                false_positive: above[0],
                false_negative: all[1] - above[1],
                true_negative: all[0] - above[0],
            }
            .dice()
        })
        .collect()
}

/// The place of the largest mean; of several, the one nearest to `usual`.
fn best(sums: &[f64], usual: usize) -> usize {
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let at_best = sums.iter().enumerate().filter(|(_, sum)| **sum >= most - 1e-9);
    at_best.map(|(at, _)| at).min_by_key(|at| at.abs_diff(usual)).unwrap_or(usual)
}

/// Chooses, for every kind of image of which `samples` has at least [`FEWEST_IMAGES`], the threshold from 0.05 to 0.95 with the
/// highest mean Dice score per image. Kinds are recognised by their look. `None` if `progress`, which receives the number of finished images and the
/// total, broke.
///
/// # Errors
/// No image can be read, or the model failed.
pub fn fit_thresholds(
    segmenter: &mut dyn Segmenter,
    samples: &[(Sample, PairReading)],
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<ThresholdFit>, InferError> {
    let thresholds = candidates();
    let usual = thresholds.partition_point(|threshold| *threshold < 0.5);
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| {
        let (sample, reading) = &samples[index];
        let pair = match pair::read(sample, reading) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let probability = segmenter.predict(&pair.image, &sample.prompt)?.probability;
        let dice = dice_by_threshold(&probability.values, &pair.mask.values, &thresholds);
        Ok::<_, InferError>(Ok((recognise(&pair.image), dice)))
    };
    let mut sums = Kind::ALL.map(|kind| (kind, 0_usize, vec![0.0; thresholds.len()]));
    let mut skipped = Vec::new();
    let is_done = in_order(segmenter, samples.len(), 1, job, |next| {
        for done in 0..samples.len() {
            if progress(done, samples.len()).is_break() {
                return Ok(false);
            }
            match next()? {
                Ok((kind, dice)) => {
                    if let Some((_, images, sum)) = sums.iter_mut().find(|(of, ..)| *of == kind) {
                        *images += 1;
                        sum.iter_mut().zip(dice).for_each(|(sum, dice)| *sum += dice);
                    }
                }
                Err(reason) => skipped.push(reason),
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    if !is_done {
        return Ok(None);
    }
    if let (true, Some(reason)) = (sums.iter().all(|(_, images, _)| *images == 0), skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    let (mut kinds, mut too_few) = (Vec::new(), Vec::new());
    for (kind, images, sum) in sums {
        let chosen = best(&sum, usual);
        let mean = |at: usize| sum[at] / images as f64;
        match images {
            0 => {}
            few if few < FEWEST_IMAGES => too_few.push((kind, few)),
            _ => {
                let (threshold, dice, dice_at_half) = (thresholds[chosen], mean(chosen), mean(usual));
                kinds.push((kind, KindThreshold { threshold, images, dice, dice_at_half }));
            }
        }
    }
    Ok(Some(ThresholdFit { kinds, too_few, skipped }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::foreground;

    #[test]
    fn the_scores_are_those_of_the_masks_at_each_threshold() {
        let mut random = fastrand::Rng::with_seed(4);
        let truth: Vec<u8> = (0..500).map(|_| u8::from(random.bool())).collect();
        let probability: Vec<f32> = truth
            .iter()
            .map(|truth| ((f32::from(*truth) * 0.3 + random.f32() * 0.7) * 100.0).round() / 100.0)
            .collect();
        let thresholds = candidates();
        assert!(thresholds.contains(&0.5) && thresholds.len() == 91);
        for (threshold, dice) in thresholds.iter().zip(dice_by_threshold(&probability, &truth, &thresholds)) {
            let expected = Confusion::of(&foreground(&probability, *threshold), &truth).dice();
            assert!((dice - expected).abs() < 1e-12, "{threshold}: {dice} {expected}");
        }
    }

    #[test]
    fn of_equal_scores_the_usual_threshold_is_taken() {
        assert_eq!(best(&[0.1, 0.8, 0.8, 0.8, 0.2], 2), 2);
        assert_eq!(best(&[0.9, 0.8, 0.8, 0.8, 0.9], 3), 4);
        assert_eq!(best(&[0.1, 0.2, 0.9], 0), 2);
    }
}
