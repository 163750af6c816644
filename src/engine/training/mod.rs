//! Training beside the viewer: the thread of a run, its updates, and the thread that checks before a run.

mod mailbox;
mod preflight;
mod study;
mod thread;
mod trainer;

use std::io;
use std::sync::Arc;

use super::wake::Wake;
use crate::infer::OpenModel;
use crate::train::{Queue, RunControl};

pub use mailbox::TrainingUpdate;
pub use trainer::{AblationJob, Trainer, TrainingJob, small_architecture, trainer};

use mailbox::Mailbox;
use preflight::{EstimateRequest, FolderRequest, Preflight};
use thread::{Running, Work};

/// Starts runs, one at a time, and controls the current one.
pub(super) struct TrainingController {
    trainer: Arc<dyn Trainer>,
    open: OpenModel,
    mailbox: Arc<Mailbox>,
    running: Option<Running>,
    preflight: Preflight,
}

impl TrainingController {
    /// Starts the thread `himix-preflight`; `himix-train` starts with a run.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(trainer: Arc<dyn Trainer>, open: OpenModel, wake: Wake) -> io::Result<Self> {
        let preflight = Preflight::start(trainer.clone())?;
        Ok(Self { trainer, open, mailbox: Arc::new(Mailbox::new(wake)), running: None, preflight })
    }

    /// Starts `job`. Returns false if a run is already in progress.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn begin(&mut self, job: TrainingJob) -> io::Result<bool> {
        self.start_work(Work::Run(job))
    }

    /// Begins or continues a study. Returns false if a run or a study is already in progress.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn begin_ablation(&mut self, job: AblationJob) -> io::Result<bool> {
        self.start_work(Work::Study(job))
    }

    fn start_work(&mut self, work: Work) -> io::Result<bool> {
        if self.is_running() {
            return Ok(false);
        }
        self.running = Some(Running::start(self.trainer.clone(), self.open.clone(), work, self.mailbox.clone())?);
        Ok(true)
    }

    /// Whether a run is in progress.
    pub(super) fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(Running::goes_on)
    }

    /// Sends a command to the run, which obeys before its next step.
    pub(super) fn ask(&self, control: RunControl) {
        if let Some(running) = &self.running {
            running.ask(control);
        }
    }

    /// The queue of the study that is being worked on, once it is open.
    pub(super) fn queue(&self) -> Option<Queue> {
        self.running.as_ref().and_then(|running| study::held(&running.queue))
    }

    /// Takes the updates of the run since the last call.
    pub(super) fn updates(&self) -> Vec<TrainingUpdate> {
        self.mailbox.take()
    }

    /// Requests an estimate of a run. A newer request replaces one that is still waiting.
    pub(super) fn estimate(&self, request: EstimateRequest) {
        self.preflight.estimates.put(request);
    }

    /// Requests whether a run in a folder can be resumed.
    pub(super) fn look_for_interrupted(&self, request: FolderRequest) {
        self.preflight.folders.put(request);
    }

    /// Stops the run and waits a limited time for its last checkpoint.
    pub(super) fn end(&mut self) {
        self.preflight.end();
        if let Some(running) = self.running.take() {
            running.ask(RunControl::Stop);
            running.wait();
        }
    }
}
