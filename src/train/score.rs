//! The scores of a validation split during training.

use super::event::EmptyTruths;
use crate::data::foreground::is_foreground_logit;
use crate::metrics::Confusion;

/// Accumulates the scores of images.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    pooled: Confusion,
    per_image: Vec<(f64, f64)>,
    /// The Dice scores of the images with a lesion.
    lesions: Vec<f64>,
    /// The predicted share of each image without a lesion.
    false_positives: Vec<f64>,
    loss: f64,
    batches: usize,
}

impl Scores {
    /// Adds a batch: logits and targets with `pixels` pixels per image, and the mean loss of the batch.
    pub fn add(&mut self, logits: &[f32], targets: &[f32], pixels: usize, loss: f64) {
        for (logits, targets) in logits.chunks_exact(pixels).zip(targets.chunks_exact(pixels)) {
            let prediction: Vec<u8> = logits.iter().map(|logit| u8::from(is_foreground_logit(*logit))).collect();
            let truth: Vec<u8> = targets.iter().map(|target| u8::from(*target >= 0.5)).collect();
            let counts = Confusion::of(&prediction, &truth);
            self.per_image.push((counts.dice(), counts.iou()));
            match counts.true_positive + counts.false_negative {
                0 => self.false_positives.push(counts.false_positive as f64 / pixels as f64),
                _ => self.lesions.push(counts.dice()),
            }
            self.pooled += counts;
        }
        self.loss += loss;
        self.batches += 1;
    }

    /// The mean loss of the batches.
    pub fn loss(&self) -> f64 {
        self.loss / self.batches.max(1) as f64
    }

    /// The Dice score over all pixels of all images.
    pub fn pooled_dice(&self) -> f64 {
        self.pooled.dice()
    }

    /// The IoU over all pixels of all images.
    pub fn pooled_iou(&self) -> f64 {
        self.pooled.iou()
    }

    /// The mean Dice score of the images.
    pub fn per_image_dice(&self) -> f64 {
        self.mean(|(dice, _)| *dice)
    }

    /// The mean IoU of the images.
    pub fn per_image_iou(&self) -> f64 {
        self.mean(|(_, iou)| *iou)
    }

    /// What the images without a lesion add to the scores.
    pub fn empty(&self) -> EmptyTruths {
        let mean = |values: &[f64]| (!values.is_empty()).then(|| crate::metrics::mean_std(values).mean);
        EmptyTruths {
            images: self.false_positives.len(),
            false_positive_area: mean(&self.false_positives),
            lesion_dice: mean(&self.lesions),
        }
    }

    fn mean(&self, score: impl Fn(&(f64, f64)) -> f64) -> f64 {
        crate::metrics::mean_std(&self.per_image.iter().map(score).collect::<Vec<_>>()).mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_a_lesion_are_counted_and_told_apart() {
        let mut scores = Scores::default();
        let logits =
            |foreground: usize| (0..4).map(|at| if at < foreground { 5.0 } else { -5.0 }).collect::<Vec<f32>>();
        // Nothing to find and nothing found, nothing to find and a quarter found, and half of a lesion.
        scores.add(
            &[logits(0), logits(1), logits(1)].concat(),
            &[[0.0; 4], [0.0; 4], [1.0, 1.0, 0.0, 0.0]].concat(),
            4,
            0.5,
        );
        let empty = scores.empty();
        assert_eq!((empty.images, empty.false_positive_area), (2, Some(0.125)));
        assert!((empty.lesion_dice.expect("a lesion") - 2.0 / 3.0).abs() < 1e-12);
        assert!((scores.per_image_dice() - (1.0 + 0.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!(Scores::default().empty(), EmptyTruths::default());
    }
}
