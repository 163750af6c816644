//! Predictions from an image and a prompt. The features of both are cached for the next prediction.

mod cache;
mod candidates;
mod error;
pub mod evaluate;
#[cfg(test)]
mod fakes;
mod info;
mod inspect;
pub mod inspection;
mod measure;
pub mod prediction;
pub mod predictor;
mod presence;
mod presence_fit;
mod presence_images;
mod refine;
mod save_modified;
mod search;
mod segmenter;
mod side_by_side;
mod spectrum;
mod sweep;
mod variants;
mod warm_up;

pub use crate::model::overrides::{GroupOverrides, Overrides, Parameter, StageOverrides};
pub use crate::model::weights::linear_probes::LinearProbes;
pub use crate::model::weights::presence::{PresenceCalibration, PresenceGroup, PresenceWeights};
pub use crate::model::weights::{BUNDLED_NAME, ModelFiles, ModelSource};
pub use error::InferError;
pub use evaluate::{Evaluation, EvaluationSettings, ImageScore, evaluate};
pub use info::ModelInfo;
pub use inspection::{Attribution, InspectOptions, Inspection, Spectra, StageView};
pub use measure::{MeasuredPass, measure_passes};
pub use prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
pub use predictor::Predictor;
pub use presence::{NOTHING_BELOW, PresenceFeatures, presence, presence_logit, presence_words};
pub use presence_fit::{PresenceCase, calibrate_presence, presence_groups};
pub use presence_images::{PresenceCases, PresenceImage, presence_cases};
pub use refine::{REFINE_STEPS, RefineEnd, RefineSettings, RefineStep, Refinement, refine};
pub use save_modified::changes;
pub use search::{MOST_SENTENCES, Search, SearchHit, SearchSettings, search, sureness};
pub use segmenter::{OpenModel, Segmenter, local, local_models};
pub use spectrum::radial_power;
pub use sweep::{ReadCase, SweepCase, SweepPoint, SweepResult, sweep};
pub use variants::predict_each;
pub use warm_up::{Report, WarmUp, WarmUpProgress, Warmed, same_mask};
