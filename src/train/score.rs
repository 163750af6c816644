//! The scores of a validation split during training.

use crate::data::foreground::is_foreground_logit;
use crate::metrics::Confusion;

/// Accumulates the scores of images.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    pooled: Confusion,
    per_image: Vec<(f64, f64)>,
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

    fn mean(&self, score: impl Fn(&(f64, f64)) -> f64) -> f64 {
        crate::metrics::mean_std(&self.per_image.iter().map(score).collect::<Vec<_>>()).mean
    }
}
