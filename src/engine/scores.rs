//! Pixel counts at all thresholds, so that changing the threshold takes only a look-up.

use crate::data::foreground::{THRESHOLD_STEPS, is_foreground, threshold_at, threshold_step};
use crate::metrics::Confusion;

/// The number of pixels that reach each threshold, separately for lesion and background if a ground truth is
/// known.
///
/// The counts are exact: a pixel counts at a step if its probability is at least [`threshold_at`] that step.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdCounts {
    lesion: Vec<u64>,
    background: Vec<u64>,
    lesion_total: u64,
    total: u64,
    has_truth: bool,
}

impl ThresholdCounts {
    /// Counts `probability` (row-major) against `truth` (0 or 1 per pixel, same length). A `truth` of another
    /// length is ignored.
    pub fn new(probability: &[f32], truth: Option<&[u8]>) -> Self {
        let truth = truth.filter(|truth| truth.len() == probability.len());
        // Entry k + 1 counts the pixels whose highest reached threshold is step k; entry 0 counts the pixels below
        // all thresholds.
        let mut lesion = vec![0u64; THRESHOLD_STEPS + 2];
        let mut background = vec![0u64; THRESHOLD_STEPS + 2];
        match truth {
            Some(truth) => {
                for (&p, &t) in probability.iter().zip(truth) {
                    let bins = if t == 0 { &mut background } else { &mut lesion };
                    bins[highest_step(p)] += 1;
                }
            }
            None => probability.iter().for_each(|&p| background[highest_step(p)] += 1),
        }
        let (lesion, lesion_total) = at_or_above(lesion);
        let (background, background_total) = at_or_above(background);
        Self {
            lesion,
            background,
            lesion_total,
            total: lesion_total + background_total,
            has_truth: truth.is_some(),
        }
    }

    /// The number of pixels in the mask at `threshold`.
    pub fn foreground(&self, threshold: f32) -> u64 {
        let step = threshold_step(threshold);
        self.lesion[step] + self.background[step]
    }

    /// The fraction of the image that the mask covers at `threshold`, 0…1.
    pub fn foreground_fraction(&self, threshold: f32) -> f64 {
        if self.total == 0 { 0.0 } else { self.foreground(threshold) as f64 / self.total as f64 }
    }

    /// The comparison with the ground truth at `threshold`; `None` without a ground truth.
    pub fn confusion(&self, threshold: f32) -> Option<Confusion> {
        let step = threshold_step(threshold);
        let (true_positive, false_positive) = (self.lesion[step], self.background[step]);
        self.has_truth.then(|| Confusion {
            true_positive,
            false_positive,
            false_negative: self.lesion_total - true_positive,
            true_negative: self.total - self.lesion_total - false_positive,
        })
    }
}

/// One more than the highest step that `p` reaches; 0 if it reaches none (negative or NaN).
fn highest_step(p: f32) -> usize {
    if !is_foreground(p, 0.0) {
        return 0;
    }
    let mut step = ((p * THRESHOLD_STEPS as f32) as usize).min(THRESHOLD_STEPS);
    // The product is rounded, so that the exact comparison decides.
    while step < THRESHOLD_STEPS && is_foreground(p, threshold_at(step + 1)) {
        step += 1;
    }
    while step > 0 && !is_foreground(p, threshold_at(step)) {
        step -= 1;
    }
    step + 1
}

/// Converts counts by highest step to counts at or above each step, and returns them with their total.
fn at_or_above(bins: Vec<u64>) -> (Vec<u64>, u64) {
    let total = bins.iter().sum();
    let mut counts = vec![0; THRESHOLD_STEPS + 1];
    let mut sum = 0;
    for step in (0..=THRESHOLD_STEPS).rev() {
        sum += bins[step + 1];
        counts[step] = sum;
    }
    (counts, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_counting_the_mask_at_every_step() {
        let probability: Vec<f32> =
            (0..4000).map(|i| ((i * 7919) % 4001) as f32 / 4000.0).chain([0.0, 1.0, 0.5, f32::NAN]).collect();
        let truth: Vec<u8> = (0..probability.len()).map(|i| u8::from(i % 3 == 0)).collect();
        let counts = ThresholdCounts::new(&probability, Some(&truth));
        for step in 0..=THRESHOLD_STEPS {
            let threshold = threshold_at(step);
            let mask = crate::data::foreground(&probability, threshold);
            assert_eq!(counts.confusion(threshold), Some(Confusion::of(&mask, &truth)), "at {threshold}");
            assert_eq!(counts.foreground(threshold), mask.iter().map(|&m| u64::from(m)).sum::<u64>());
        }
    }

    #[test]
    fn without_a_truth_there_is_a_share_but_no_comparison() {
        let counts = ThresholdCounts::new(&[0.2, 0.6, 0.9, 0.5], None);
        assert_eq!(counts.confusion(0.5), None);
        assert_eq!(counts.foreground_fraction(0.5), 0.75);
        assert_eq!(ThresholdCounts::new(&[], None).foreground_fraction(0.5), 0.0);
    }
}
