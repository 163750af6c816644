//! The thread that looks before a run begins: at data sets, and at folders of runs that broke off.

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

/// Settings of which it is asked what a run with them would take.
pub(super) type EstimateRequest = (TrainConfig, Reply<Estimate>);
/// A folder of which it is asked whether a run in it broke off.
pub(super) type FolderRequest = (PathBuf, Reply<Option<Interrupted>>);

/// Slots to the thread. A request that still waits gives way to a newer one.
pub(super) struct Preflight {
    pub(super) estimates: LatestSlot<EstimateRequest>,
    pub(super) folders: LatestSlot<FolderRequest>,
    quit: Option<Sender<()>>,
}

impl Preflight {
    /// Starts the thread `himix-preflight`.
    pub(super) fn start(trainer: Arc<dyn Trainer>) -> io::Result<Self> {
        let estimates = LatestSlot::<EstimateRequest>::default();
        let folders = LatestSlot::<FolderRequest>::default();
        let (quit, quit_in) = bounded(0);
        let slots = (estimates.clone(), folders.clone());
        Builder::new().name("himix-preflight".into()).spawn(move || look(&*trainer, &slots, &quit_in))?;
        Ok(Self { estimates, folders, quit: Some(quit) })
    }

    /// Ends the thread after what it is at.
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
