//! The window's interface to training, which tests can replace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::ablation::{CASES, score};
use crate::data::write;
use crate::device::{self, DeviceChoice};
use crate::infer::{ModelSource, OpenModel};
use crate::train::{
    self, Cell, Control, Estimate, Event, Interrupted, LocalWorker, Plan, Queue, QueueEvent, RunFolder, Task,
    TrainConfig,
};

/// The architecture of the smallest preset, from a file of this repository.
const SMALL: &str = include_str!("../../../assets/small.json");

/// A training job.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingJob {
    /// Starts a new run in the folder of the settings.
    New(Box<TrainConfig>),
    /// Resumes the run in a folder.
    Resume(PathBuf),
}

/// A study: the queue in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct AblationJob {
    /// The folder.
    pub folder: PathBuf,
    /// What is compared; `None` for what the queue in the folder compares.
    pub plan: Option<Box<Plan>>,
}

/// Runs training on threads of the engine. Every error is one line that says what to do.
pub trait Trainer: Send + Sync {
    /// Runs `job` until its end or a stop, reporting through `report`.
    ///
    /// # Errors
    /// The run could not start or failed.
    fn train(&self, job: &TrainingJob, control: &Control, report: &mut dyn FnMut(Event)) -> Result<(), String>;

    /// Checks the networks of a study before its queue is made.
    ///
    /// # Errors
    /// One of them cannot be trained or scored.
    fn check(&self, plan: &Plan) -> Result<(), String>;

    /// Works through a queue, scoring its runs with models that `open` opens.
    ///
    /// # Errors
    /// The queue cannot be worked on any more.
    fn work(&self, queue: &Queue, open: &OpenModel, report: &mut dyn FnMut(QueueEvent)) -> Result<(), String>;

    /// Estimates a run.
    ///
    /// # Errors
    /// The settings or the data cannot be used.
    fn estimate(&self, config: &TrainConfig) -> Result<Estimate, String>;

    /// The interrupted run in `folder`, if it can be resumed.
    fn interrupted(&self, folder: &Path) -> Option<Interrupted>;

    /// The bundle of the best weights of the run in `folder`.
    fn best(&self, folder: &Path) -> PathBuf;
}

/// A trainer that uses [`crate::train`].
pub fn trainer() -> Arc<dyn Trainer> {
    Arc::new(Network)
}

/// The path of the architecture of the smallest preset, which is written when a run needs it; `None` if the user
/// has no home folder.
pub fn small_architecture() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "himix")?;
    Some(folders.data_dir().join("small.json"))
}

struct Network;

impl Trainer for Network {
    fn train(&self, job: &TrainingJob, control: &Control, report: &mut dyn FnMut(Event)) -> Result<(), String> {
        let choice = match job {
            TrainingJob::New(config) => config.device.clone(),
            TrainingJob::Resume(folder) => {
                RunFolder::new(folder).config().map_err(|error| error.to_string())?.device
            }
        };
        let device = device::open(choice.parse()?);
        if let Some(notice) = &device.notice {
            report(Event::Warning(notice.clone()));
        }
        let task = match job {
            TrainingJob::New(config) => {
                provide_architecture(config)?;
                Task::New(config.clone())
            }
            TrainingJob::Resume(folder) => Task::Resume(folder.clone(), Vec::new()),
        };
        let outcome = train::start(&task, &device, control, report);
        outcome.map(|_| ()).map_err(|error| error.to_string())
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        provide_architecture(&plan.settings)?;
        plan.check_networks().map_err(|error| error.to_string())
    }

    fn work(&self, queue: &Queue, open: &OpenModel, report: &mut dyn FnMut(QueueEvent)) -> Result<(), String> {
        let Plan { split, settings, .. } = queue.view().plan;
        provide_architecture(&settings)?;
        let choices = match settings.device.parse()? {
            DeviceChoice::Auto => device::side_by_side(),
            choice => vec![choice],
        };
        let score = |number: usize, run: &Cell| {
            let TrainConfig { out, data, mask_rule, .. } = &run.config;
            let bundle = ModelSource::new(RunFolder::new(out).best());
            let mut model = open(&bundle, choices[number]).map_err(|error| error.to_string())?;
            score(model.as_mut(), (data, &split, *mask_rule), &out.join(CASES)).map_err(|error| error.to_string())
        };
        let devices = choices.iter().map(|choice| device::open(*choice)).collect();
        queue
            .work(&LocalWorker { devices, scores: CASES, score: &score }, report)
            .map_err(|error| error.to_string())
    }

    fn estimate(&self, config: &TrainConfig) -> Result<Estimate, String> {
        provide_architecture(config)?;
        train::estimate(config).map_err(|error| error.to_string())
    }

    fn interrupted(&self, folder: &Path) -> Option<Interrupted> {
        RunFolder::new(folder).interrupted()
    }

    fn best(&self, folder: &Path) -> PathBuf {
        RunFolder::new(folder).best()
    }
}

/// Writes the architecture of the smallest preset if `config` refers to it and it does not exist yet.
fn provide_architecture(config: &TrainConfig) -> Result<(), String> {
    let Some(path) = small_architecture().filter(|path| config.architecture.as_ref() == Some(path)) else {
        return Ok(());
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        // If this fails, the write that follows reports the reason.
        let _ = std::fs::create_dir_all(folder);
    }
    write::bytes(&path, SMALL.as_bytes()).map_err(|error| error.to_string())
}
