//! Controls a running training: pause, continue, stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A command to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunControl {
    /// Train.
    #[default]
    Run,
    /// Wait before the next step.
    Pause,
    /// Stop after the current step, and keep the best weights and a checkpoint to resume from.
    Stop,
}

/// The command shared between a run and its controller. The run checks it before every step, which is also a sign that
/// it goes on. Clones are handles of the same run.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    command: RunControl,
    /// When the run last checked the command; `None` before the first time, and while it waits for a command.
    checked: Option<Instant>,
    /// Whether nobody waits for the run any more.
    is_abandoned: bool,
}

impl Control {
    /// Sends a command to the run. A stop cannot be revoked.
    pub fn ask(&self, command: RunControl) {
        let mut state = self.lock();
        if state.command != RunControl::Stop {
            state.command = command;
        }
        self.0.changed.notify_all();
    }

    /// The current command.
    pub fn command(&self) -> RunControl {
        let mut state = self.lock();
        state.checked = Some(Instant::now());
        state.command
    }

    /// Waits while the command is pause, and returns the command that ends the wait: [`RunControl::Run`] or
    /// [`RunControl::Stop`].
    pub(super) fn wait(&self) -> RunControl {
        let mut state = self.lock();
        while state.command == RunControl::Pause {
            state.checked = None;
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.checked = Some(Instant::now());
        state.command
    }

    /// The time since the run last checked the command; zero while it waits for one or has not begun.
    pub(super) fn silence(&self) -> Duration {
        self.lock().checked.map_or(Duration::ZERO, |checked| checked.elapsed())
    }

    /// Gives the run up: if its thread goes on nevertheless, it stops before the next step, and writes nothing any more.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_abandoned = true;
        state.command = RunControl::Stop;
        self.0.changed.notify_all();
    }

    /// Whether the run was given up.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    /// Does `work` unless the run was given up, which cannot happen meanwhile; `None` if it was. `work` must be short and
    /// may not use this control.
    pub(super) fn unless_abandoned<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (!state.is_abandoned).then(work)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_a_pause_and_stays() {
        let control = Control::default();
        control.ask(RunControl::Pause);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| control.wait());
            control.ask(RunControl::Stop);
            control.ask(RunControl::Run);
            assert_eq!(waiting.join().ok(), Some(RunControl::Stop));
        });
    }
}
