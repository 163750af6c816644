//! Settings with a few named values.

use serde::{Deserialize, Serialize};

/// The loss of a step. Dice is soft and computed for each image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The mean of Dice and the binary cross-entropy over foreground and background.
    #[default]
    Binary,
    /// The mean of Dice and the cross-entropy over the foreground only, as the paper's formula for one class says.
    Literal,
    /// Dice alone, which is what the authors' code trains with the library version that it names.
    Dice,
    /// The sum of Dice and the binary cross-entropy of a second sigmoid over the probability, which is what the
    /// authors' code trains with a current version of that library.
    DoubleSigmoid,
    /// The mean of Dice and the focal loss (Lin et al. 2017).
    Focal,
    /// The Tversky loss alone (Salehi et al. 2017): Dice with different weights of false positives and false
    /// negatives.
    Tversky,
    /// LViT's loss: the mean of Dice with squared probabilities in the denominator, and the binary cross-entropy in which
    /// foreground and background of the batch count the same. If the CPU divides a batch, each part is balanced by itself.
    Lvit,
}

/// What the Dice or Tversky term of an image is if its ground truth is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyTruth {
    /// The published formula with its smoothing, which is 1 for almost every prediction and has no gradient to speak
    /// of.
    #[default]
    Smoothed,
    /// The predicted area `a` (the mean probability) as `a / (a + 0.01)`: 0 for an empty prediction, one half if a
    /// hundredth of the image is predicted.
    Area,
}

/// The result of a validation that chooses the best weights and ends a run early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The validation loss, the lower the better.
    #[default]
    Loss,
    /// The mean Dice score of the validation images, the higher the better.
    DicePerImage,
}

impl Criterion {
    /// The value to minimise, from the loss and the Dice score per image of a validation.
    pub fn cost(self, loss: f64, dice_per_image: f64) -> f64 {
        match self {
            Self::Loss => loss,
            Self::DicePerImage => -dice_per_image,
        }
    }

    /// What is compared, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Loss => "validation loss",
            Self::DicePerImage => "Dice score per image of the validation",
        }
    }

    /// Says that the value has not become better for so many epochs.
    pub fn no_progress(self, epochs: usize) -> String {
        match self {
            Self::Loss => format!("the validation loss has not fallen for {epochs} epochs"),
            Self::DicePerImage => {
                format!("the Dice score per image of the validation has not risen for {epochs} epochs")
            }
        }
    }
}

/// The rule by which a step moves the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserKind {
    /// AdamW (Loshchilov and Hutter 2019).
    #[default]
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// A cosine with one step per epoch.
    #[default]
    Cosine,
    /// A power of the share of the run that is left, with one step per step of the optimiser.
    Polynomial,
}
