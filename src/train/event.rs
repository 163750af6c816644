//! What a run reports while it goes on.

/// The numbers of one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub number: usize,
    /// Mean loss over the steps of the epoch.
    pub train_loss: f64,
    /// Mean loss on the validation split.
    pub validation_loss: f64,
    /// Dice of the validation split, pooled over all pixels.
    pub pooled_dice: f64,
    /// Dice of the validation split, per image, mean.
    pub per_image_dice: f64,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
    /// Duration, validation included.
    pub seconds: f64,
    /// Share of the training time spent waiting for data.
    pub waiting: f64,
    /// Whether its weights are the best so far and were kept.
    pub is_best: bool,
}

/// A message of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Before the first step.
    Started {
        /// Pairs to train on.
        train: usize,
        /// Pairs to validate on.
        validation: usize,
        /// Numbers that are trained.
        parameters: usize,
        /// Device.
        device: String,
    },
    /// After a step.
    Step {
        /// Epoch, from 1.
        epoch: usize,
        /// Step of the epoch, from 1.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
    },
    /// After an epoch.
    Epoch(Epoch),
    /// Something the user should know; the run goes on.
    Warning(String),
    /// The end: the best epoch, if one was reached.
    Finished {
        /// Epoch whose weights were kept.
        best: Option<Epoch>,
        /// Why it ended.
        reason: String,
    },
}
