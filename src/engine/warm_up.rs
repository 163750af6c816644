//! The thread that makes a model ready on a GPU while the CPU answers.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
/// a software renderer.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Warm-ups take turns: side by side, two models would tune the same kernels twice.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<(Mutex<Turns>, Condvar)>);

/// The warm-up that has the turn, by its number, and the number of the next one.
#[derive(Default)]
struct Turns {
    holder: Option<u64>,
    next: u64,
}

/// The turn of a warm-up, which ends when this is dropped.
struct Held<'a> {
    turn: &'a Turn,
    number: u64,
}

impl Turn {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other warm-up has the turn.
    fn wait(&self) -> Held<'_> {
        let waited = self.0.1.wait_while(self.turns(), |turns| turns.holder.is_some());
        let mut turns = waited.unwrap_or_else(PoisonError::into_inner);
        let number = turns.next;
        (turns.holder, turns.next) = (Some(number), number + 1);
        Held { turn: self, number }
    }

    /// Lets others go on without the warm-up that has the turn and will never return it.
    pub(super) fn take_away(&self) {
        self.turns().holder = None;
        self.0.1.notify_all();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut turns = self.turn.turns();
        // After the turn was taken away, another one may have it.
        turns.holder.take_if(|holder| *holder == self.number);
        self.turn.0.1.notify_all();
    }
}

/// A message of the thread.
pub(super) enum Message {
    /// It has its turn.
    Begins,
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
    /// When the thread gave its last sign; `None` while it waits for its turn.
    heard: Option<Instant>,
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
        Ok(Self { messages, is_abandoned, ended, device: None, heard: None })
    }

    /// Notes that it has its turn.
    pub(super) fn begins(&mut self) {
        self.heard = Some(Instant::now());
    }

    /// Notes a message about this device.
    pub(super) fn hear_of(&mut self, device: &str) {
        self.device = Some(device.to_owned());
        self.heard = Some(Instant::now());
    }

    /// When to give up unless there is another message; `None` while it waits for its turn.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.heard.map(|heard| heard + PATIENCE)
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
    let _held = turn.wait();
    // The caller may have gone while this one waited for its turn.
    if is_abandoned.load(Ordering::Relaxed) || out.send(Message::Begins).is_err() {
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
        let mut first = WarmUpThread::start(Slot::Primary, hangs, turn.clone()).expect("a thread");
        begins.recv().expect("it has begun");
        assert_eq!(first.deadline(), None, "nothing was heard of it");
        assert!(matches!(first.messages.recv(), Ok(Message::Begins)));
        first.begins();
        assert!(first.deadline().is_some_and(|deadline| deadline > Instant::now()));
        // It waits before the turn is taken away.
        let waits = Box::new(|_: &mut crate::infer::Report<'_>| Ok(Warmed::NoGpu(None)));
        let second = WarmUpThread::start(Slot::Compared, waits, turn.clone()).expect("a thread");
        assert!(second.messages.recv_timeout(Duration::from_millis(50)).is_err(), "it is not its turn");
        drop(first);
        turn.take_away();
        assert!(matches!(second.messages.recv(), Ok(Message::Begins)));
        assert!(matches!(second.messages.recv(), Ok(Message::Done(Ok(Warmed::NoGpu(None))))));
        // The first one, which ends after all, takes no turn from another.
        let held = turn.wait();
        drop(hold);
        drop(Held { turn: &turn, number: 0 });
        assert_eq!(turn.turns().holder, Some(held.number));
    }
}
