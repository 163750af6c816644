//! The thread that looks before a run begins: at data sets, and at folders of runs that broke off.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::trainer::Trainer;
use crate::engine::event_sender::{EventSender, guarded};
use crate::engine::message::{Event, Ticket};
use crate::engine::slot::LatestSlot;
use crate::train::TrainConfig;

/// Slots to the thread. A question that was not answered yet gives way to a newer one.
pub(super) struct Preflight {
    pub(super) estimates: LatestSlot<(Ticket, TrainConfig)>,
    pub(super) folders: LatestSlot<PathBuf>,
    quit: Option<Sender<()>>,
}

impl Preflight {
    /// Starts the thread `himix-preflight`.
    pub(super) fn start(trainer: Arc<dyn Trainer>, out: EventSender) -> io::Result<Self> {
        let estimates = LatestSlot::<(Ticket, TrainConfig)>::default();
        let folders = LatestSlot::<PathBuf>::default();
        let (quit, quit_in) = bounded(0);
        let slots = (estimates.clone(), folders.clone());
        Builder::new().name("himix-preflight".into()).spawn(move || look(&*trainer, &slots, &quit_in, &out))?;
        Ok(Self { estimates, folders, quit: Some(quit) })
    }

    /// Ends the thread after what it is at.
    pub(super) fn end(&mut self) {
        self.quit = None;
    }
}

fn look(
    trainer: &dyn Trainer,
    (estimates, folders): &(LatestSlot<(Ticket, TrainConfig)>, LatestSlot<PathBuf>),
    quit: &Receiver<()>,
    out: &EventSender,
) {
    loop {
        select! {
            recv(quit) -> _ => return,
            recv(estimates.arrivals()) -> _ => if let Some((ticket, config)) = estimates.take() {
                let result = guarded(|| trainer.estimate(&config)).unwrap_or_else(|reason| {
                    Err(format!("The data could not be looked through ({reason}). Choose another folder."))
                });
                out.send(Event::Estimated { ticket, result });
            },
            recv(folders.arrivals()) -> _ => if let Some(folder) = folders.take() {
                let run = guarded(|| trainer.interrupted(&folder)).unwrap_or_default().map(Box::new);
                out.send(Event::Interrupted { folder, run });
            },
        }
    }
}
