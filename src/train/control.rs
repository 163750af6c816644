//! The hand on a running training: pause, go on, stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is asked of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunControl {
    /// Train.
    #[default]
    Run,
    /// Wait before the next step.
    Pause,
    /// End after the current step, keeping the best weights and a checkpoint to resume from.
    Stop,
}

/// Shared between the run and whoever commands it; every command is seen before the next step.
#[derive(Debug, Default)]
pub struct Control {
    command: Mutex<RunControl>,
    changed: Condvar,
}

impl Control {
    /// Asks the run for something. Nothing undoes a stop.
    pub fn ask(&self, command: RunControl) {
        let mut current = self.lock();
        if *current != RunControl::Stop {
            *current = command;
        }
        self.changed.notify_all();
    }

    /// What is asked now.
    pub fn command(&self) -> RunControl {
        *self.lock()
    }

    /// Waits while a pause is asked for; what is asked then, [`RunControl::Run`] or [`RunControl::Stop`].
    pub(super) fn wait(&self) -> RunControl {
        let mut current = self.lock();
        while *current == RunControl::Pause {
            current = self.changed.wait(current).unwrap_or_else(PoisonError::into_inner);
        }
        *current
    }

    fn lock(&self) -> MutexGuard<'_, RunControl> {
        self.command.lock().unwrap_or_else(PoisonError::into_inner)
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
