//! Masks of all cases of a worklist.

use std::path::PathBuf;

use crate::analysis::batch::{BatchCase, BatchEvent, BatchSettings, BatchSummary, batch};
use crate::engine::job::Failure;
use crate::engine::model_job::{ModelJob, ModelTask};
use crate::infer::Segmenter;

/// The number of failures that are kept for the window; the manifest has all of them.
const KEPT: usize = 20;

/// Segments cases and exports their masks. Progress counts masks.
#[derive(Clone, Debug)]
pub struct BatchImages {
    /// The folder of the images.
    pub folder: PathBuf,
    /// The cases with their prompts.
    pub cases: Vec<BatchCase>,
    /// How they are segmented and exported.
    pub settings: BatchSettings,
    /// The folder of the results, in which a batch that was stopped goes on.
    pub out: PathBuf,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDone {
    /// The numbers of masks.
    pub summary: BatchSummary,
    /// The first failures and masks that lack a format, one line each.
    pub failures: Vec<String>,
}

impl ModelJob for BatchImages {
    type Answer = BatchDone;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<BatchDone, Failure> {
        let Self { folder, cases, settings, out } = self;
        let mut failures = Vec::new();
        let report = |event: BatchEvent<'_>| match event {
            BatchEvent::Progress { done, count } => task.progress(done, count),
            BatchEvent::Partial { image, reason } | BatchEvent::Failed { image, reason } => {
                if failures.len() < KEPT {
                    failures.push(format!("{image}: {reason}"));
                }
                std::ops::ControlFlow::Continue(())
            }
        };
        let summary = batch(model, &folder, &cases, &settings, &out, report).map_err(|error| error.to_string())?;
        Ok(BatchDone { summary, failures })
    }
}
