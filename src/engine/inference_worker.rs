//! One open model with the thread that owns it, and its requests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::event::Slot;
use super::event_sender::EventSender;
use super::infer_thread::{InferThread, Requests};
use super::priority::{PREDICTION, lower};
use super::warm_up::Turn;
use crate::infer::OpenModel;

/// The time to wait for a running prediction when the program ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// The requests to an inference thread. Dropping it ends the thread after its current request.
pub(super) struct InferenceWorker {
    pub(super) requests: Requests,
    /// Tells the jobs of this model to end.
    pub(super) is_closing: Arc<AtomicBool>,
    quit: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl InferenceWorker {
    /// Starts the thread of the model in `slot`: `himix-infer` or `himix-compare`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(slot: Slot, open: OpenModel, turn: Turn, out: EventSender) -> io::Result<Self> {
        let name = match slot {
            Slot::Primary => "himix-infer",
            Slot::Compared => "himix-compare",
        };
        let requests = Requests::default();
        let (quit, quit_in) = bounded(0);
        let (alive, ended) = bounded::<()>(0);
        let thread = InferThread {
            slot,
            open,
            requests: requests.clone(),
            quit: quit_in,
            out,
            model: None,
            residence: None,
            opened: 0,
            warm_up: None,
            turn,
            seen: None,
            visits: unbounded(),
        };
        Builder::new().name(name.into()).spawn(move || {
            let _alive: Sender<()> = alive;
            lower(PREDICTION);
            thread.run();
        })?;
        Ok(Self { requests, is_closing: Arc::default(), quit: Some(quit), ended })
    }

    /// Ends the thread and waits for it for a limited time.
    pub(super) fn end(&mut self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.quit = None;
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

impl Drop for InferenceWorker {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }
}
