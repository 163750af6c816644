//! The thread that makes a model ready on a GPU while the CPU answers.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::event::Slot;
use super::guard::guarded;
use super::priority::{PREDICTION, lower};
use crate::infer::{WarmUp, WarmUpProgress, Warmed};

/// The time to wait for the current step when the program ends: a driver should not compile while its process goes.
const FAREWELL: Duration = Duration::from_secs(1);
/// The number of messages that may wait for the inference thread.
const QUEUE: usize = 4;

/// Warm-ups take turns: side by side, two models would tune the same kernels twice.
pub(super) type Turn = Arc<Mutex<()>>;

/// A message of the thread.
pub(super) enum Message {
    Progress(WarmUpProgress),
    /// The end; a failure is the reason, for the user.
    Done(Result<Warmed, String>),
}

/// A warm-up that is running. Dropping it abandons the warm-up, which ends before its next step; its result is then
/// dropped.
pub(super) struct WarmUpThread {
    pub(super) messages: Receiver<Message>,
    is_abandoned: Arc<AtomicBool>,
    ended: Receiver<()>,
    /// The name of the device, once it is known.
    pub(super) device: Option<String>,
}

impl WarmUpThread {
    /// Starts the thread `himix-warm-up`, or `himix-warm-up-2` for the model for comparison.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(slot: Slot, warm_up: WarmUp, turn: Turn) -> io::Result<Self> {
        let name = match slot {
            Slot::Primary => "himix-warm-up",
            Slot::Compared => "himix-warm-up-2",
        };
        let (out, messages) = bounded(QUEUE);
        let (alive, ended) = bounded::<()>(0);
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let flag = is_abandoned.clone();
        Builder::new().name(name.into()).spawn(move || {
            let _alive: Sender<()> = alive;
            lower(PREDICTION);
            run(warm_up, &turn, &flag, &out);
        })?;
        Ok(Self { messages, is_abandoned, ended, device: None })
    }

    /// Abandons the warm-up and waits for its current step for a limited time.
    pub(super) fn end(self) {
        let ended = self.ended.clone();
        drop(self);
        let _ = ended.recv_timeout(FAREWELL);
    }
}

impl Drop for WarmUpThread {
    fn drop(&mut self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }
}

fn run(warm_up: WarmUp, turn: &Turn, is_abandoned: &AtomicBool, out: &Sender<Message>) {
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    // The caller may have gone while this one waited for its turn.
    if is_abandoned.load(Ordering::Relaxed) {
        return;
    }
    let mut report = |progress| {
        let is_wanted = !is_abandoned.load(Ordering::Relaxed) && out.send(Message::Progress(progress)).is_ok();
        if is_wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = guarded(|| warm_up(&mut report)).and_then(|outcome| outcome.map_err(|error| error.to_string()));
    if let Err(unsent) = out.send(Message::Done(outcome)) {
        // The model of a broken device may panic when it is dropped.
        let _ = guarded(move || drop(unsent));
    }
}
