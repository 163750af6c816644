//! Scores of a validation split during training.

use crate::data::foreground::is_foreground_logit;
use crate::metrics::Confusion;

/// Adds up images.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    pooled: Confusion,
    per_image: Vec<(f64, f64)>,
    loss: f64,
    batches: usize,
}

impl Scores {
    /// A batch: logits and targets of `side²` pixels an image, and its mean loss.
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

    /// Mean loss of the batches.
    pub fn loss(&self) -> f64 {
        self.loss / self.batches.max(1) as f64
    }

    /// Dice over all pixels of all images.
    pub fn pooled_dice(&self) -> f64 {
        self.pooled.dice()
    }

    /// IoU over all pixels of all images.
    pub fn pooled_iou(&self) -> f64 {
        self.pooled.iou()
    }

    /// Mean of the images' Dice.
    pub fn per_image_dice(&self) -> f64 {
        self.mean(|(dice, _)| *dice)
    }

    /// Mean of the images' IoU.
    pub fn per_image_iou(&self) -> f64 {
        self.mean(|(_, iou)| *iou)
    }

    fn mean(&self, score: impl Fn(&(f64, f64)) -> f64) -> f64 {
        crate::metrics::mean_std(&self.per_image.iter().map(score).collect::<Vec<_>>()).mean
    }
}
