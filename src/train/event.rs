//! The events that a run reports.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::Criterion;

/// The scores of the averaged weights after an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AverageScores {
    /// The mean loss on the validation split.
    pub validation_loss: f64,
    /// The Dice score of the validation split, pooled over all pixels.
    pub pooled_dice: f64,
    /// The mean Dice score of the images in the validation split.
    pub per_image_dice: f64,
    /// Whether these averaged weights are the best averaged ones so far and were kept.
    pub is_best: bool,
}

/// The scores of the weights that a run starts from, before its first step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartScores {
    /// The mean loss on the validation split.
    pub validation_loss: f64,
    /// The Dice score of the validation split, pooled over all pixels.
    pub pooled_dice: f64,
    /// The mean Dice score of the images in the validation split.
    pub per_image_dice: f64,
}

/// What the validation images without a lesion add to the scores. Their Dice score is 1 if nothing is predicted and 0
/// otherwise, and the means over the images contain it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmptyTruths {
    /// The number of images with an empty ground truth.
    pub images: usize,
    /// The share of these images that is predicted as foreground, on average; `None` without such images.
    pub false_positive_area: Option<f64>,
    /// The mean Dice score of the other images; `None` without any.
    pub lesion_dice: Option<f64>,
}

/// The results of one epoch, which are one row of `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The number of the epoch, counted from 1.
    pub number: usize,
    /// The mean loss over the steps of the epoch.
    pub train_loss: f64,
    /// The mean loss on the validation split.
    pub validation_loss: f64,
    /// The Dice score of the validation split, pooled over all pixels.
    pub pooled_dice: f64,
    /// The IoU of the validation split, pooled over all pixels.
    pub pooled_iou: f64,
    /// The mean Dice score of the images in the validation split.
    pub per_image_dice: f64,
    /// The mean IoU of the images in the validation split.
    pub per_image_iou: f64,
    /// The learning rate of the epoch.
    pub learning_rate: f64,
    /// The σ of every stage, coarse to fine (grids 7, 14, 28); `None` for a stage without a filter.
    pub sigma: Vec<Option<f32>>,
    /// The text layers (1 to 12) of every stage's group with their weights, coarse to fine; empty for a stage
    /// without text.
    pub layer_weights: Vec<Vec<(usize, f32)>>,
    /// The number of images trained on.
    pub images: usize,
    /// The number of images that could not be read and were skipped.
    pub skipped: usize,
    /// The duration in seconds, including validation.
    pub seconds: f64,
    /// The fraction of the training time spent waiting for data.
    pub waiting: f64,
    /// Whether the weights of this epoch, or their average, are the best so far and were kept.
    pub is_best: bool,
    /// Whether the weights that were kept are the averaged ones.
    #[serde(default)]
    pub is_average: bool,
    /// The images without a lesion; `None` in the record of an older version.
    #[serde(default)]
    pub empty: Option<Box<EmptyTruths>>,
    /// The scores of the averaged weights; `None` if none are kept.
    #[serde(default)]
    pub average: Option<Box<AverageScores>>,
}

impl Epoch {
    /// The value that the best epoch minimises, of the weights or of their average, whichever is lower.
    pub fn cost(&self, criterion: Criterion) -> f64 {
        let own = criterion.cost(self.validation_loss, self.per_image_dice);
        self.average.as_ref().map_or(own, |average| own.min(average.cost(criterion)))
    }
}

impl StartScores {
    /// The value that the best epoch minimises.
    pub fn cost(&self, criterion: Criterion) -> f64 {
        criterion.cost(self.validation_loss, self.per_image_dice)
    }
}

impl AverageScores {
    /// The value that the best epoch minimises.
    pub fn cost(&self, criterion: Criterion) -> f64 {
        criterion.cost(self.validation_loss, self.per_image_dice)
    }
}

/// A fixed validation case that is shown after every epoch. Every plane is `side × side`, row-major, in the
/// natural orientation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewCase {
    /// The file name.
    pub name: String,
    /// The prompt.
    pub prompt: String,
    /// The side length of the planes in pixels.
    pub side: usize,
    /// The image as RGB with three bytes per pixel.
    pub rgb: Vec<u8>,
    /// The ground truth, 0 or 1.
    pub truth: Vec<u8>,
}

/// An event of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Describes a slow preparation before the first step, such as "reading 1400 images".
    Preparing(String),
    /// The run is about to begin its first step.
    Started {
        /// The number of training cases, including phantoms.
        train: usize,
        /// The number of validation cases.
        validation: usize,
        /// The number of values in the network's parameters.
        parameters: usize,
        /// The rows of the epochs that are already finished in a resumed run.
        history: Vec<Epoch>,
        /// The maximum number of epochs.
        epochs: usize,
        /// The name of the device.
        device: String,
        /// The cases of the preview.
        cases: Vec<Arc<PreviewCase>>,
    },
    /// The weights that the run starts from were scored before the first step, or earlier in a resumed run.
    Start(StartScores),
    /// A step is finished.
    Step {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within the epoch, counted from 1.
        step: usize,
        /// The number of steps in an epoch.
        steps: usize,
        /// The loss of a recent step. It is not read back from the device after every step.
        loss: Option<f32>,
        /// The estimated seconds until the end of the run, based on the pace so far.
        seconds_left: f64,
    },
    /// The run is paused ([`super::RunControl::Pause`]).
    Paused,
    /// The run continues after a pause.
    Continued,
    /// An epoch is finished.
    Epoch(Epoch),
    /// The masks of the preview cases after an epoch, as probability times 255, `side × side` each.
    Preview {
        /// The epoch, counted from 1.
        epoch: usize,
        /// One plane per case.
        masks: Vec<Vec<u8>>,
    },
    /// A checkpoint was written. A run that is interrupted now can be resumed from it.
    Checkpoint,
    /// A message for the user; the run continues.
    Warning(String),
    /// The run ended.
    Finished {
        /// The epoch whose weights were kept, if there is one.
        best: Option<Epoch>,
        /// The bundle with the best weights.
        bundle: Option<PathBuf>,
        /// The reason for the end.
        reason: String,
    },
}
