//! From an image and a prompt to a prediction, with the features of both kept for the next one.

mod cache;
mod error;
pub mod evaluate;
mod info;
mod inspect;
pub mod inspection;
mod keep;
pub mod prediction;
pub mod predictor;
mod readout;
mod spectrum;
mod sweep;

pub use crate::model::dials::{Dial, Dials, GroupDials, StageDials};
pub use crate::model::weights::readouts::Readouts;
pub use crate::model::weights::{BUNDLED_NAME, ModelSource};
pub use error::InferError;
pub use evaluate::{Evaluation, EvaluationSettings, ImageScore, evaluate};
pub use info::ModelInfo;
pub use inspection::{Attribution, Inspection, Spectra, StageView, Wanted};
pub use keep::changes;
pub use prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
pub use predictor::Predictor;
pub use readout::{FitProgress, fit_readouts, write_readouts};
pub use spectrum::radial_power;
pub use sweep::{SweepCase, SweepPoint, SweepResult, sweep};
