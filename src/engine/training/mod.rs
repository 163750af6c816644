//! Training beside the viewer: the thread of a run, what it says, and the thread that looks before a run.

mod lookout;
mod mailbox;
mod thread;
mod trainer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::message::Ticket;
use super::outbox::{Outbox, Wake};
use crate::train::{TrainConfig, Wish};

pub use mailbox::News;
pub use trainer::{Trainer, Work, small_architecture, trainer};

use lookout::Lookout;
use mailbox::Mailbox;
use thread::Running;

/// Starts runs, one at a time, and steers the one that goes on.
pub(super) struct Desk {
    trainer: Arc<dyn Trainer>,
    mailbox: Arc<Mailbox>,
    running: Option<Running>,
    lookout: Lookout,
}

impl Desk {
    /// Starts the thread `himix-lookout`; `himix-train` starts with a run.
    pub(super) fn start(trainer: Arc<dyn Trainer>, out: Outbox, wake: Wake) -> io::Result<Self> {
        let lookout = Lookout::start(trainer.clone(), out)?;
        Ok(Self { trainer, mailbox: Arc::new(Mailbox::new(wake)), running: None, lookout })
    }

    /// Begins `work`. False where a run goes on already.
    pub(super) fn begin(&mut self, work: Work) -> io::Result<bool> {
        if self.is_running() {
            return Ok(false);
        }
        self.running = Some(Running::start(self.trainer.clone(), work, self.mailbox.clone())?);
        Ok(true)
    }

    /// Whether a run goes on.
    pub(super) fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(Running::goes_on)
    }

    /// Asks the run for something; heard before its next step.
    pub(super) fn ask(&self, wish: Wish) {
        if let Some(running) = &self.running {
            running.control.ask(wish);
        }
    }

    /// What the run has said since the last time.
    pub(super) fn news(&self) -> Vec<News> {
        self.mailbox.take()
    }

    /// Asks what a run would take; a newer question replaces one that waits.
    pub(super) fn estimate(&self, ticket: Ticket, config: TrainConfig) {
        self.lookout.estimates.put((ticket, config));
    }

    /// Asks whether a run in `folder` can be resumed.
    pub(super) fn look_for_interrupted(&self, folder: PathBuf) {
        self.lookout.folders.put(folder);
    }

    /// Stops the run and waits a little for its last checkpoint.
    pub(super) fn end(&mut self) {
        self.lookout.end();
        if let Some(running) = self.running.take() {
            running.control.ask(Wish::Stop);
            running.wait();
        }
    }
}
