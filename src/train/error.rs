//! The reasons why a run could not start or had to end.

use crate::data::DataError;
use crate::device::Fault;
use crate::model::weights::WeightsError;
use crate::text::TextError;

/// An error of a run. The message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// None of the images can be read.
    #[error("none of the {count} images can be read; the first: {reason}")]
    NothingReadable {
        /// The number of images.
        count: usize,
        /// The reason for the first image.
        reason: String,
    },
    /// The network to fit linear probes on failed or has no stages.
    #[error("{0}")]
    Stages(String),
    /// A setting is invalid.
    #[error("{0}")]
    Config(String),
    /// The folder of the run cannot be used.
    #[error("{0}")]
    Folder(String),
    /// A checkpoint cannot be written because the disk is full or the folder is missing.
    #[error("{0}")]
    Checkpoint(String),
    /// A GPU failed or does not answer.
    #[error(
        "the run ended because {device} failed ({reason}); its last checkpoint, if it has one, is kept: continue with himix train --resume RUN, on the CPU with --device cpu; a new run takes device = cpu"
    )]
    Device {
        /// The name of the device.
        device: String,
        /// What it said.
        reason: String,
    },
    /// The loss is not finite any more.
    #[error(
        "the loss became NaN in epoch {epoch}, step {step}; the best weights so far are kept; try a smaller lr"
    )]
    NotANumber {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step, counted from 1.
        step: usize,
    },
}

impl TrainError {
    /// Whether the input caused the error rather than the training itself.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::NotANumber { .. } | Self::Checkpoint(_) | Self::Stages(_) | Self::Device { .. })
    }
}

impl From<Fault> for TrainError {
    fn from(Fault { device, reason }: Fault) -> Self {
        Self::Device { device, reason }
    }
}
