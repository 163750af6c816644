//! The job that measures how much a mask changes under changes of the image that should not matter.

use std::sync::Arc;

use crate::data::Image;
use crate::data::volume::DisplayWindow;
use crate::engine::job::Failure;
use crate::engine::model_job::{ModelJob, ModelTask, network_input};
use crate::infer::{Segmenter, Uncertainty, uncertainty};

/// Computes the ensemble of an image and a prompt.
#[derive(Debug)]
pub struct MeasureUncertainty {
    /// The image.
    pub image: Arc<Image>,
    /// The display window applied to the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The prompt.
    pub prompt: String,
}

impl ModelJob for MeasureUncertainty {
    type Answer = Arc<Uncertainty>;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Self::Answer, Failure> {
        let image = network_input(&self.image, self.seen);
        let found = uncertainty(model, &image, &self.prompt, |done, count| task.progress(done, count));
        found.map_err(|error| error.to_string())?.map(Arc::new).ok_or(Failure::Cancelled)
    }
}
