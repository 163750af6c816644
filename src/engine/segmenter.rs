//! What the inference thread needs of a model, so that it can be tested without one.

use std::sync::Arc;

use crate::data::Image;
use crate::device::DeviceChoice;
use crate::infer::{InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Prediction, Predictor};

/// An opened model.
pub trait Segmenter: Send {
    /// What it is and where it runs.
    fn info(&self) -> ModelInfo;

    /// Segments `image` as `prompt` says. The error is one line that says what to do.
    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, String>;

    /// As [`Self::predict`], and what the stages did on the way; `overrides` in place of the model's own values.
    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, String>;

    /// What the user should know and was not told yet.
    fn take_notices(&mut self) -> Vec<String>;
}

/// Opens a model; called on the inference threads.
pub type OpenModel = Arc<dyn Fn(&ModelSource, DeviceChoice) -> Result<Box<dyn Segmenter>, String> + Send + Sync>;

/// Opens models with [`Predictor`].
pub fn predictor() -> OpenModel {
    Arc::new(|source, device| match Predictor::open(source, device) {
        Ok(predictor) => Ok(Box::new(predictor)),
        Err(error) => Err(error.to_string()),
    })
}

impl Segmenter for Predictor {
    fn info(&self) -> ModelInfo {
        Predictor::info(self).clone()
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, String> {
        Predictor::predict(self, image, prompt).map_err(|error| error.to_string())
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, String> {
        Predictor::inspect(self, image, prompt, overrides, wanted).map_err(|error| error.to_string())
    }

    fn take_notices(&mut self) -> Vec<String> {
        Predictor::take_notices(self)
    }
}
