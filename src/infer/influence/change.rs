//! What is kept of a prediction, and the difference between two.

use std::sync::Arc;

use serde::Serialize;

use crate::data::is_foreground;
use crate::infer::prediction::{Plane, Prediction};

/// How a mask and its probability map differ from those of the whole prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// The share of the pixels that are foreground in one of the two masks only, 0…1.
    pub changed: f64,
    /// The area of the mask less that of the whole prompt, as a share of the image, −1…1.
    pub area: f64,
    /// The Dice coefficient with the ground truth less that of the whole prompt, −1…1; `None` without a ground truth.
    pub dice: Option<f64>,
    /// The mean absolute difference of the probability, 0…1.
    pub probability: f64,
}

/// What is kept of the prediction for one text.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The probability at the size of the network's output.
    pub probability: Arc<Plane>,
    /// The share of its pixels that are foreground.
    pub area: f64,
    /// The Dice coefficient with the ground truth at the size of the image.
    pub dice: Option<f64>,
    /// Whether the network read the mask token.
    pub has_mask_token: bool,
}

/// BERT's mask token, as it stands in a text.
pub(super) const MASK_TOKEN: &str = "[MASK]";

impl Seen {
    /// Keeps what is needed of a prediction, whose Dice coefficient with the ground truth is `dice`.
    pub fn of(prediction: Prediction, threshold: f32, dice: Option<f64>) -> Self {
        let tokens = &prediction.tokens;
        let has_mask_token = tokens.read.iter().chain(&tokens.dropped).any(|piece| piece == MASK_TOKEN);
        let probability = Arc::new(prediction.probability_model);
        let count = probability.values.iter().filter(|&&value| is_foreground(value, threshold)).count();
        let area = count as f64 / probability.values.len().max(1) as f64;
        Self { probability, area, dice, has_mask_token }
    }

    /// The difference to the prediction for the whole prompt.
    pub fn change_from(&self, whole: &Self, threshold: f32) -> Change {
        let pairs = || self.probability.values.iter().zip(&whole.probability.values);
        let changed =
            pairs().filter(|(a, b)| is_foreground(**a, threshold) != is_foreground(**b, threshold)).count();
        let difference: f64 = pairs().map(|(a, b)| f64::from((a - b).abs())).sum();
        let count = whole.probability.values.len().max(1) as f64;
        Change {
            changed: changed as f64 / count,
            area: self.area - whole.area,
            dice: self.dice.zip(whole.dice).map(|(own, whole)| own - whole),
            probability: difference / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Confusion;

    fn seen(values: &[f32], truth: &[u8]) -> Seen {
        let plane = Plane { width: 2, height: 2, values: values.to_vec() };
        let prediction = Prediction::of_map("", plane);
        let dice = Confusion::of(&prediction.mask(0.5), truth).dice();
        Seen::of(prediction, 0.5, Some(dice))
    }

    #[test]
    fn a_change_is_what_its_formulas_say() {
        let whole = seen(&[0.9, 0.8, 0.1, 0.0], &[1, 1, 0, 0]);
        assert_eq!((whole.area, whole.dice), (0.5, Some(1.0)));
        let other = seen(&[0.9, 0.4, 0.6, 0.5], &[1, 1, 0, 0]);
        let change = other.change_from(&whole, 0.5);
        // Three pixels change sides, one pixel more is foreground; TP 1, FP 2, FN 1.
        assert_eq!((change.changed, change.area), (0.75, 0.25));
        assert!((change.dice.expect("a ground truth") - (0.4 - 1.0)).abs() < 1e-12);
        assert!((change.probability - (0.4 + 0.5 + 0.5) / 4.0).abs() < 1e-6);
        let none = whole.change_from(&whole, 0.5);
        assert_eq!(none, Change { dice: Some(0.0), ..Change::default() });
    }
}
