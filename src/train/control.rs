//! The hand on a running training: pause, go on, stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is asked of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Train.
    #[default]
    Run,
    /// Wait before the next step.
    Pause,
    /// End after the current step, keeping the best weights and a checkpoint to resume from.
    Stop,
}

/// Shared between the run and whoever commands it; every wish is seen before the next step.
#[derive(Debug, Default)]
pub struct Control {
    wish: Mutex<Wish>,
    changed: Condvar,
}

impl Control {
    /// Asks the run for something. Nothing undoes a stop.
    pub fn ask(&self, wish: Wish) {
        let mut current = self.lock();
        if *current != Wish::Stop {
            *current = wish;
        }
        self.changed.notify_all();
    }

    /// What is asked now.
    pub fn wish(&self) -> Wish {
        *self.lock()
    }

    /// Waits while a pause is asked for; what is asked then, [`Wish::Run`] or [`Wish::Stop`].
    pub(super) fn wait(&self) -> Wish {
        let mut current = self.lock();
        while *current == Wish::Pause {
            current = self.changed.wait(current).unwrap_or_else(PoisonError::into_inner);
        }
        *current
    }

    fn lock(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_a_pause_and_stays() {
        let control = Control::default();
        control.ask(Wish::Pause);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| control.wait());
            control.ask(Wish::Stop);
            control.ask(Wish::Run);
            assert_eq!(waiting.join().ok(), Some(Wish::Stop));
        });
    }
}
