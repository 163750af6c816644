//! The thread that makes a model ready on a GPU while the CPU answers.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::event::Slot;
use super::guard::guarded;
use super::priority::{PREDICTION, lower};
use crate::infer::{WarmUp, WarmUpProgress, Warmed};

/// The time to wait for the current step when the program ends: a driver should not compile while its process goes.
const FAREWELL: Duration = Duration::from_secs(1);
/// The number of messages that may wait for the inference thread.
const QUEUE: usize = 4;

/// The time without a message after which a warm-up is taken for hung. A step takes two minutes on a card, and longer on
/// a software renderer; a warm-up may also have to wait for its turn.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Warm-ups take turns: side by side, two models would tune the same kernels twice.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<Mutex<Arc<Mutex<()>>>>);

impl Turn {
    fn current(&self) -> Arc<Mutex<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets others go on without the warm-up that has the turn and will never return it.
    pub(super) fn take_away(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }
}

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
    /// When the thread gave its last sign.
    heard: Instant,
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
        Ok(Self { messages, is_abandoned, ended, device: None, heard: Instant::now() })
    }

    /// Notes a message about this device.
    pub(super) fn hear_of(&mut self, device: &str) {
        self.device = Some(device.to_owned());
        self.heard = Instant::now();
    }

    /// When to give up unless there is another message.
    pub(super) fn deadline(&self) -> Instant {
        self.heard + PATIENCE
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
    let turn = turn.current();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_that_hangs_keeps_no_other_from_its_turn() {
        let turn = Turn::default();
        let (hold, held) = bounded::<()>(0);
        let (begun, begins) = bounded(1);
        let hangs: WarmUp = Box::new(move |_| {
            begun.send(()).map_err(|_| "nobody waits")?;
            let _ = held.recv();
            Ok(Warmed::Abandoned)
        });
        let first = WarmUpThread::start(Slot::Primary, hangs, turn.clone()).expect("a thread");
        begins.recv().expect("it has begun");
        assert!(first.deadline() > Instant::now());
        drop(first);
        turn.take_away();
        let second = WarmUpThread::start(Slot::Compared, Box::new(|_| Ok(Warmed::NoGpu(None))), turn);
        let message = second.expect("a thread").messages.recv().expect("it has its turn");
        assert!(matches!(message, Message::Done(Ok(Warmed::NoGpu(None)))));
        drop(hold);
    }
}
