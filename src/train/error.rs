//! Why a run could not start or had to end.

use crate::data::DataError;
use crate::model::weights::WeightsError;
use crate::text::TextError;

/// An error of a run; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Of the images not one can be read.
    #[error("none of the {count} images can be read; the first: {reason}")]
    NothingReadable {
        /// How many they are.
        count: usize,
        /// What is wrong with the first.
        reason: String,
    },
    /// The network that is looked at failed or has no stages.
    #[error("{0}")]
    Stages(String),
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    /// The run's folder cannot be used.
    #[error("{0}")]
    Folder(String),
    /// A checkpoint cannot be written, for want of room or of its folder.
    #[error("{0}")]
    Checkpoint(String),
    /// The loss is no number any more.
    #[error(
        "the loss became NaN in epoch {epoch}, step {step}; the best weights so far are kept; try a smaller lr"
    )]
    NotANumber {
        /// Epoch, from 1.
        epoch: usize,
        /// Step, from 1.
        step: usize,
    },
}

impl TrainError {
    /// Whether the input is to blame rather than the work itself.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::NotANumber { .. } | Self::Checkpoint(_) | Self::Stages(_))
    }
}
