//! The pixel-wise agreement of two masks.
//!
//! Two conventions for the score of several images are in use, and their results differ. *Per image* is the mean
//! of the scores of the images. *Pooled* is one score from the summed counts of all images. Callers state which
//! one a number is.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// The number of pixels of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Number of pixels that are foreground in both masks.
    pub true_positive: u64,
    /// Number of pixels that are foreground in the prediction only.
    pub false_positive: u64,
    /// Number of pixels that are foreground in the ground truth only.
    pub false_negative: u64,
    /// Number of pixels that are background in both masks.
    pub true_negative: u64,
}

impl Confusion {
    /// Counts the outcomes of all pixels; a value other than 0 is foreground.
    ///
    /// # Panics
    /// Panics if the masks have different numbers of pixels, because a score of such masks would be meaningless.
    pub fn of(prediction: &[u8], truth: &[u8]) -> Self {
        assert_eq!(prediction.len(), truth.len(), "masks of the same number of pixels");
        let mut counts = Self::default();
        // A table is faster than a branch for each pixel.
        let mut table = [0_u64; 4];
        for (&predicted, &true_value) in prediction.iter().zip(truth) {
            table[usize::from(predicted != 0) * 2 + usize::from(true_value != 0)] += 1;
        }
        [counts.true_negative, counts.false_negative, counts.false_positive, counts.true_positive] = table;
        counts
    }

    /// Returns the Dice coefficient `2 TP / (2 TP + FP + FN)`, 0…1; 1 if both masks are empty, because they agree.
    pub fn dice(&self) -> f64 {
        let twice = 2 * self.true_positive;
        ratio(twice, twice + self.false_positive + self.false_negative)
    }

    /// Returns the intersection over union `TP / (TP + FP + FN)`, 0…1; 1 if both masks are empty.
    pub fn iou(&self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_positive + self.false_negative)
    }

    /// Returns the number of pixels.
    pub fn pixels(&self) -> u64 {
        self.true_positive + self.false_positive + self.false_negative + self.true_negative
    }

    /// Returns the share of the image that the ground truth covers, 0…1; 0 without pixels.
    pub fn truth_share(&self) -> f64 {
        (self.true_positive + self.false_negative) as f64 / self.pixels().max(1) as f64
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl Add for Confusion {
    type Output = Self;

    /// Returns the pooled counts of two images.
    fn add(self, other: Self) -> Self {
        Self {
            true_positive: self.true_positive + other.true_positive,
            false_positive: self.false_positive + other.false_positive,
            false_negative: self.false_negative + other.false_negative,
            true_negative: self.true_negative + other.true_negative,
        }
    }
}

impl AddAssign for Confusion {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Confusion {
    /// Returns the pooled counts of any number of images.
    fn sum<I: Iterator<Item = Self>>(images: I) -> Self {
        images.fold(Self::default(), Add::add)
    }
}
