//! Controls a running training: pause, continue, stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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

/// The command shared between a run and its controller. The run checks it before every step.
#[derive(Debug, Default)]
pub struct Control {
    command: Mutex<RunControl>,
    changed: Condvar,
}

impl Control {
    /// Sends a command to the run. A stop cannot be revoked.
    pub fn ask(&self, command: RunControl) {
        let mut current = self.lock();
        if *current != RunControl::Stop {
            *current = command;
        }
        self.changed.notify_all();
    }

    /// The current command.
    pub fn command(&self) -> RunControl {
        *self.lock()
    }

    /// Waits while the command is pause, and returns the command that ends the wait: [`RunControl::Run`] or
    /// [`RunControl::Stop`].
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
