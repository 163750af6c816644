//! A study of how masks change with the wording of the prompts of a data set.

use std::path::PathBuf;

use crate::analysis::robustness::{Outcome, Wanted, study};
use crate::data::Dataset;
use crate::engine::job::Failure;
use crate::engine::model_job::{ModelJob, ModelTask};
use crate::infer::robustness::RobustnessSettings;
use crate::infer::{ModelSource, Segmenter};

/// The number of cases in the figure that is written.
const ROWS: usize = 5;

/// Scores a split of a data set with its prompts in several forms. Progress counts images.
#[derive(Clone, Debug)]
pub struct StudyForms {
    /// Where the open model is.
    pub source: ModelSource,
    /// The folder of the data set.
    pub folder: PathBuf,
    /// The split.
    pub split: String,
    /// The forms and how they are made.
    pub settings: RobustnessSettings,
    /// The folder of the results, in which a study that was stopped goes on; `None` to write nothing.
    pub out: Option<PathBuf>,
}

/// What a study found.
#[derive(Clone, Debug, PartialEq)]
pub struct FormsStudied {
    /// Statistics, notes, worst cases and files.
    pub outcome: Outcome,
    /// The files of the images of the worst cases, in the order of the report.
    pub paths: Vec<PathBuf>,
}

impl ModelJob for StudyForms {
    type Answer = FormsStudied;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<FormsStudied, Failure> {
        let Self { source, folder, split, settings, out } = self;
        let dataset = Dataset::open(&folder, &split).map_err(|error| error.to_string())?;
        let wanted =
            Wanted { source: &source, dataset: &dataset, settings: &settings, out: out.as_deref(), rows: ROWS };
        let outcome = study(model, wanted, |done, count| task.progress(done, count));
        let outcome = outcome.map_err(|error| error.to_string())?.ok_or(Failure::Cancelled)?;
        let path = |image: &str| dataset.samples.iter().find(|sample| sample.name == image);
        let losses = outcome.report.worst.iter();
        let paths = losses.map(|loss| path(&loss.image).map(|sample| sample.image.clone()).unwrap_or_default());
        let paths = paths.collect();
        Ok(FormsStudied { outcome, paths })
    }
}
