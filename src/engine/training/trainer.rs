//! What the window needs of training, so that it can be tested without one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::write;
use crate::device;
use crate::train::{self, Control, Estimate, Event, Interrupted, RunFolder, TrainConfig};

/// The architecture of the smallest preset, a file of this repository.
const SMALL: &str = include_str!("../../../assets/small.json");

/// What a run shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingJob {
    /// Begin anew, into the settings' folder.
    New(Box<TrainConfig>),
    /// Go on with the run in a folder.
    Resume(PathBuf),
}

/// Trains; called on threads of the engine. Every error is one line that says what to do.
pub trait Trainer: Send + Sync {
    /// Does `job` until its end or a stop, reporting through `report`.
    fn train(&self, job: &TrainingJob, control: &Control, report: &mut dyn FnMut(Event)) -> Result<(), String>;

    /// What a run would take.
    fn estimate(&self, config: &TrainConfig) -> Result<Estimate, String>;

    /// The run in `folder` that broke off, if it can be resumed.
    fn interrupted(&self, folder: &Path) -> Option<Interrupted>;

    /// Bundle of the best weights of the run in `folder`.
    fn best(&self, folder: &Path) -> PathBuf;
}

/// Trains with [`crate::train`].
pub fn trainer() -> Arc<dyn Trainer> {
    Arc::new(Network)
}

/// Where the architecture of the smallest preset lies; it is written there when a run needs it.
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
        let outcome = match job {
            TrainingJob::New(config) => {
                provide_architecture(config)?;
                train::run(config, &device, control, report)
            }
            TrainingJob::Resume(folder) => train::resume(folder, &[], &device, control, report),
        };
        outcome.map(|_| ()).map_err(|error| error.to_string())
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

/// Writes the smallest preset's architecture where `config` asks for it and it is not there yet.
fn provide_architecture(config: &TrainConfig) -> Result<(), String> {
    let Some(path) = small_architecture().filter(|path| config.architecture.as_ref() == Some(path)) else {
        return Ok(());
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        // If this fails, the write that follows says why.
        let _ = std::fs::create_dir_all(folder);
    }
    write::bytes(&path, SMALL.as_bytes()).map_err(|error| error.to_string())
}
