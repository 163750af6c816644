//! The thread that checks data sets and folders of interrupted runs before a run starts.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::trainer::Trainer;
use crate::engine::guard::guarded;
use crate::engine::job::Failure;
use crate::engine::pending::Reply;
use crate::engine::slot::LatestSlot;
use crate::train::{Estimate, Interrupted, TrainConfig};

/// A request for the estimate of a run with these settings.
pub(super) type EstimateRequest = (TrainConfig, Reply<Estimate>);
/// A request for the interrupted run in a folder.
pub(super) type FolderRequest = (PathBuf, Reply<Option<Interrupted>>);

/// The requests to the thread. A newer request replaces one that is still waiting.
pub(super) struct Preflight {
    pub(super) estimates: LatestSlot<EstimateRequest>,
    pub(super) folders: LatestSlot<FolderRequest>,
    quit: Option<Sender<()>>,
}

impl Preflight {
    /// Starts the thread `himix-preflight`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(trainer: Arc<dyn Trainer>) -> io::Result<Self> {
        let estimates = LatestSlot::<EstimateRequest>::default();
        let folders = LatestSlot::<FolderRequest>::default();
        let (quit, quit_in) = bounded(0);
        let slots = (estimates.clone(), folders.clone());
        Builder::new().name("himix-preflight".into()).spawn(move || look(&*trainer, &slots, &quit_in))?;
        Ok(Self { estimates, folders, quit: Some(quit) })
    }

    /// Ends the thread after its current request.
    pub(super) fn end(&mut self) {
        self.quit = None;
    }
}

fn look(
    trainer: &dyn Trainer,
    (estimates, folders): &(LatestSlot<EstimateRequest>, LatestSlot<FolderRequest>),
    quit: &Receiver<()>,
) {
    loop {
        select! {
            recv(quit) -> _ => return,
            recv(estimates.arrivals()) -> _ => if let Some((config, reply)) = estimates.take() {
                let result = guarded(|| trainer.estimate(&config)).unwrap_or_else(|reason| {
                    Err(format!("The data could not be looked through ({reason}). Choose another folder."))
                });
                reply.answer(result.map_err(Failure::Failed));
            },
            recv(folders.arrivals()) -> _ => if let Some((folder, reply)) = folders.take() {
                reply.answer(Ok(guarded(|| trainer.interrupted(&folder)).unwrap_or_default()));
            },
        }
    }
}
