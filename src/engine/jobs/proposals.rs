//! Jobs that propose a prompt: from a mask, from steps of predictions, or from all sentences of the grammar.

use std::sync::Arc;

use super::JudgedImage;
use crate::data::Mask;
use crate::data::describe::Kind;
use crate::engine::MaskOf;
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::model_job::{ModelJob, ModelTask, network_input};
use crate::infer::{RefineSettings, Refinement, Search, SearchSettings, Segmenter, refine, search};

/// Describes a mask by rules; the answer is the kind of image and the sentence.
#[derive(Debug)]
pub struct DescribeMask {
    /// The image.
    pub image: JudgedImage,
    /// The mask.
    pub mask: MaskOf,
}

impl Job for DescribeMask {
    type Answer = (Kind, String);
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let mask = self.mask.mask();
        let described = self.image.look_at(|describer| describer.describe(&mask))?;
        Ok((described.kind, described.prompt.to_string()))
    }
}

/// Refines a prompt step by step.
#[derive(Debug)]
pub struct RefinePrompt {
    /// The image, with the kind to describe it as.
    pub image: JudgedImage,
    /// The prompt to begin with.
    pub prompt: String,
    /// The ground truth, for the scores of the steps.
    pub truth: Option<Arc<Mask>>,
    /// The threshold of the masks.
    pub threshold: f32,
}

impl ModelJob for RefinePrompt {
    type Answer = Refinement;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Refinement, Failure> {
        let image = network_input(&self.image.image, self.image.seen);
        let settings =
            RefineSettings { threshold: self.threshold, kind: self.image.kind, ..RefineSettings::default() };
        let progress = |done, count| task.progress(done, count);
        refine(model, &image, &self.prompt, self.truth.as_deref(), settings, progress)
            .map_err(|error| Failure::Failed(error.to_string()))
    }
}

/// Searches the sentence that fits an image.
#[derive(Debug)]
pub struct SearchSentence {
    /// The image, with the kind whose grammar is searched.
    pub image: JudgedImage,
    /// The ground truth, for the scores of the sentences.
    pub truth: Option<Arc<Mask>>,
    /// The threshold of the masks.
    pub threshold: f32,
}

impl ModelJob for SearchSentence {
    type Answer = Search;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Search, Failure> {
        let image = network_input(&self.image.image, self.image.seen);
        let settings = SearchSettings { threshold: self.threshold, kind: self.image.kind };
        let progress = |done, count| task.progress(done, count);
        search(model, &image, self.truth.as_deref(), settings, progress)
            .map_err(|error| Failure::Failed(error.to_string()))?
            .ok_or(Failure::Cancelled)
    }
}
