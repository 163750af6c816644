//! Why there is no prediction.

use crate::data::DataError;
use crate::device::{DeviceError, Fault};
use crate::model::weights::WeightsError;
use crate::text::TextError;

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The model could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary could not be read or is not the model's.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The image could not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Of a split no image can be read.
    #[error("none of the {count} images can be read; the first: {reason}")]
    NothingReadable {
        /// Images of the split.
        count: usize,
        /// What is wrong with the first.
        reason: String,
    },
    /// The network cannot run with these values.
    #[error("the network cannot run with these values: {0}")]
    Overrides(String),
    /// The model does not lie on this computer.
    #[error("{name} does not lie on this computer: {what}")]
    NotLocal {
        /// Name of the model.
        name: String,
        /// What cannot be done.
        what: &'static str,
    },
    /// The model refused, for a reason of its own.
    #[error("{0}")]
    Refused(String),
    /// The computation failed.
    #[error("the prediction failed on {device} ({reason}); choose another device or restart")]
    Compute {
        /// The device.
        device: String,
        /// What it said.
        reason: String,
    },
}

/// What a model says that is none of these.
impl From<&str> for InferError {
    fn from(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

impl From<Fault> for InferError {
    fn from(Fault { device, reason }: Fault) -> Self {
        Self::Compute { device, reason }
    }
}

impl DeviceError for InferError {
    fn is_fault(&self) -> bool {
        matches!(self, Self::Compute { .. })
    }
}
