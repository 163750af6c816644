//! The updates of a run, kept until the window takes them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::wake::Wake;
use crate::train::{Event, QueueView};

/// The number of updates above which a step replaces the previous step, because a hidden window may take none for
/// hours.
const ENOUGH: usize = 20_000;
/// The minimum time between two frames that are requested only because of steps.
const STEP_FRAME: Duration = Duration::from_millis(200);

/// An update from the training thread.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingUpdate {
    /// An event of the run.
    Event(Event),
    /// A run of a study begins in this folder, or goes on.
    Begun(PathBuf),
    /// What the queue of a study looks like now.
    Queue(Box<QueueView>),
    /// The path of the weights that are the best so far.
    Best(PathBuf),
    /// The thread ended. The error is one line that says what to do.
    Ended(Result<(), String>),
}

/// A queue that the run fills without ever waiting for the window, which empties it.
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    wake: Wake,
}

#[derive(Default)]
struct Inner {
    updates: VecDeque<TrainingUpdate>,
    last_wake: Option<Instant>,
}

impl Mailbox {
    pub(super) fn new(wake: Wake) -> Self {
        Self { inner: Mutex::default(), wake }
    }

    /// Stores an update and wakes the window. For steps alone, it does so only occasionally.
    pub(super) fn put(&self, updates: TrainingUpdate) {
        let is_step = |updates: &TrainingUpdate| matches!(updates, TrainingUpdate::Event(Event::Step { .. }));
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = is_step(&updates) && inner.last_wake.is_some_and(|last| last.elapsed() < STEP_FRAME);
        if is_step(&updates) && inner.updates.len() >= ENOUGH && inner.updates.back().is_some_and(is_step) {
            inner.updates.pop_back();
        }
        inner.updates.push_back(updates);
        if !waits {
            inner.last_wake = Some(Instant::now());
            drop(inner);
            (self.wake)();
        }
    }

    /// Takes all updates.
    pub(super) fn take(&self) -> Vec<TrainingUpdate> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).updates.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn step(step: usize) -> TrainingUpdate {
        TrainingUpdate::Event(Event::Step { epoch: 1, step, steps: 9, loss: None, seconds_left: 0.0 })
    }

    #[test]
    fn nobody_looking_costs_no_more_than_so_much() {
        let mailbox = Mailbox::new(Arc::new(|| {}));
        (0..2 * ENOUGH).for_each(|number| mailbox.put(step(number)));
        mailbox.put(TrainingUpdate::Event(Event::Paused));
        let updates = mailbox.take();
        assert_eq!(updates.len(), ENOUGH + 1);
        assert_eq!(updates[ENOUGH - 1], step(2 * ENOUGH - 1), "the newest step is there");
        assert!(mailbox.take().is_empty());
    }
}
