//! The reasons why there is no prediction.

use crate::data::{DataError, NoArea};
use crate::device::{DeviceError, Fault};
use crate::model::weights::WeightsError;
use crate::text::TextError;

/// The reason why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The model could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary could not be read or does not belong to the model.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The image could not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// No image of a split can be read.
    #[error("none of the {count} images can be read; the first: {reason}")]
    NothingReadable {
        /// The number of images in the split.
        count: usize,
        /// The reason for the first image.
        reason: String,
    },
    /// The box, by which the network is prompted, cannot be used.
    #[error(transparent)]
    Area(#[from] NoArea),
    /// The network cannot run with these values.
    #[error("the network cannot run with these values: {0}")]
    Overrides(String),
    /// The model is not on this computer.
    #[error("{name} does not lie on this computer: {what}")]
    NotLocal {
        /// The name of the model.
        name: String,
        /// The operation that is not possible.
        what: &'static str,
    },
    /// The model rejected the request for its own reason.
    #[error("{0}")]
    Refused(String),
    /// The computation failed.
    #[error("the prediction failed on {device} ({reason}); choose another device or restart")]
    Compute {
        /// The name of the device.
        device: String,
        /// The error message of the device.
        reason: String,
    },
}

/// The reason of a model that rejects a request for none of the other reasons.
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
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Compute { device, reason } => Some(Fault { device: device.clone(), reason: reason.clone() }),
            _ => None,
        }
    }
}
