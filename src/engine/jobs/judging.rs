//! Jobs that hold masks against their prompts.

use std::sync::{Arc, OnceLock};

use crate::data::describe::{DescribeError, Describer, ImageLook, Judgement, Kind, judge};
use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::model_job::network_input;
use crate::infer::Prediction;

/// The image whose masks are judged. Clones share what was found in it, which takes longer than judging a mask.
#[derive(Clone, Debug)]
pub struct JudgedImage {
    /// The image.
    pub image: Arc<Image>,
    /// The display window of the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The kind of image; `None` if it has to be recognised.
    pub kind: Option<Kind>,
    look: Arc<OnceLock<ImageLook>>,
}

impl JudgedImage {
    /// An image that nobody has looked at yet.
    pub fn new(image: Arc<Image>, seen: Option<DisplayWindow>, kind: Option<Kind>) -> Self {
        Self { image, seen, kind, look: Arc::default() }
    }

    /// Judges the mask that `prediction` makes at `threshold`.
    pub(in crate::engine) fn judge(&self, prediction: &Prediction, threshold: f32) -> Result<Judgement, Failure> {
        self.look_at(|describer| {
            let (width, height) = (self.image.width, self.image.height);
            let mask = Mask { width, height, values: prediction.mask(threshold) };
            judge(prediction.sentence(), describer, &mask)
        })
    }

    /// Calls `work` with what describes masks of the image.
    pub(in crate::engine) fn look_at<T>(
        &self,
        work: impl FnOnce(&Describer<'_>) -> Result<T, DescribeError>,
    ) -> Result<T, Failure> {
        let words = |error: DescribeError| Failure::Failed(error.to_string());
        let image = network_input(&self.image, self.seen);
        let describer = match self.look.get() {
            Some(look) => Describer::again(&image, *look),
            None => Describer::new(&image, self.kind).map_err(words)?,
        };
        let _ = self.look.set(describer.look());
        work(&describer).map_err(words)
    }
}

/// Judges a mask and its prompt by rules: the text–mask agreement, and what contradicts what.
#[derive(Debug)]
pub struct JudgeMask {
    /// The image.
    pub image: JudgedImage,
    /// The prediction, with its prompt.
    pub prediction: Arc<Prediction>,
    /// The threshold of the mask.
    pub threshold: f32,
}

impl Job for JudgeMask {
    type Answer = Judgement;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Judgement, Failure> {
        self.image.judge(&self.prediction, self.threshold)
    }
}
