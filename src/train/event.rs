//! What a run reports while it goes on.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The numbers of one epoch: one row of `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub number: usize,
    /// Mean loss over the steps of the epoch.
    pub train_loss: f64,
    /// Mean loss on the validation split.
    pub validation_loss: f64,
    /// Dice of the validation split, pooled over all pixels.
    pub pooled_dice: f64,
    /// IoU of the validation split, pooled over all pixels.
    pub pooled_iou: f64,
    /// Dice of the validation split, per image, mean.
    pub per_image_dice: f64,
    /// IoU of the validation split, per image, mean.
    pub per_image_iou: f64,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
    /// σ of every stage, coarse to fine (grids 7, 14, 28); `None` for a stage without filter.
    pub sigma: Vec<Option<f32>>,
    /// Text layers (1 to 12) of every stage's group with their weights, coarse to fine; empty for a stage without text.
    pub layer_weights: Vec<Vec<(usize, f32)>>,
    /// Images trained on.
    pub images: usize,
    /// Images that could not be read and were left out.
    pub skipped: usize,
    /// Duration, validation included.
    pub seconds: f64,
    /// Share of the training time spent waiting for data.
    pub waiting: f64,
    /// Whether its weights are the best so far and were kept.
    pub is_best: bool,
}

/// A fixed validation case that is shown epoch by epoch; every plane is `side × side`, row-major, natural orientation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewCase {
    /// File name.
    pub name: String,
    /// Sentence.
    pub prompt: String,
    /// Side of the planes, pixels.
    pub side: usize,
    /// The picture, RGB, three bytes a pixel.
    pub rgb: Vec<u8>,
    /// Reference mask, 0 or 1.
    pub truth: Vec<u8>,
}

/// A message of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something slow before the first step, in words: "reading 1400 images".
    Preparing(String),
    /// Before the first step.
    Started {
        /// Pairs to train on, phantoms included.
        train: usize,
        /// Pairs to validate on.
        validation: usize,
        /// Numbers that are trained.
        parameters: usize,
        /// Epochs that are finished already, where a run is resumed: their rows.
        history: Vec<Epoch>,
        /// Most epochs.
        epochs: usize,
        /// Device.
        device: String,
        /// Cases of the preview.
        cases: Vec<Arc<PreviewCase>>,
    },
    /// After a step.
    Step {
        /// Epoch, from 1.
        epoch: usize,
        /// Step of the epoch, from 1.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
        /// Loss of a recent step; not read back from the device every time.
        loss: Option<f32>,
        /// Seconds that the run still takes, by the pace so far.
        seconds_left: f64,
    },
    /// The run waits ([`super::RunControl::Pause`]).
    Paused,
    /// The run goes on.
    Continued,
    /// After an epoch.
    Epoch(Epoch),
    /// Masks of the preview's cases after an epoch: probability times 255, `side × side` each.
    Preview {
        /// Epoch, from 1.
        epoch: usize,
        /// One plane a case.
        masks: Vec<Vec<u8>>,
    },
    /// A checkpoint was written; a run that breaks off now can be resumed from here.
    Checkpoint,
    /// Something the user should know; the run goes on.
    Warning(String),
    /// The end: the best epoch, if one was reached, and where its weights lie.
    Finished {
        /// Epoch whose weights were kept.
        best: Option<Epoch>,
        /// Bundle of the best weights.
        bundle: Option<PathBuf>,
        /// Why it ended.
        reason: String,
    },
}
