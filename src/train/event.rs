//! The events that a run reports.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    /// Whether the weights of this epoch are the best so far and were kept.
    pub is_best: bool,
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
