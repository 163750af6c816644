//! Predictions from an image and a prompt. The features of both are cached for the next prediction.

mod cache;
mod error;
pub mod evaluate;
mod info;
mod inspect;
pub mod inspection;
mod measure;
pub mod prediction;
pub mod predictor;
mod save_modified;
mod segmenter;
mod side_by_side;
mod spectrum;
mod sweep;
mod variants;
mod warm_up;

pub use crate::model::overrides::{GroupOverrides, Overrides, Parameter, StageOverrides};
pub use crate::model::weights::linear_probes::LinearProbes;
pub use crate::model::weights::{BUNDLED_NAME, ModelFiles, ModelSource};
pub use error::InferError;
pub use evaluate::{Evaluation, EvaluationSettings, ImageScore, evaluate};
pub use info::{KnownWords, ModelInfo};
pub use inspection::{Attribution, InspectOptions, Inspection, Spectra, StageView};
pub use measure::{MeasuredPass, measure_passes};
pub use prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
pub use predictor::Predictor;
pub use save_modified::changes;
pub use segmenter::{OpenModel, Segmenter, local, local_models};
pub use spectrum::radial_power;
pub use sweep::{ReadCase, SweepCase, SweepPoint, SweepResult, sweep};
pub use variants::predict_each;
pub use warm_up::{Report, WarmUp, WarmUpProgress, Warmed, same_mask};
