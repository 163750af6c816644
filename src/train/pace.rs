//! The speed of a run.

use std::time::{Duration, Instant};

/// The weight of the most recent step in the moving average of a step's duration.
const NEW: f64 = 0.1;

/// The speed of one epoch and the estimate for the epochs after it.
pub struct Pace {
    epochs: usize,
    steps: usize,
    begin: Instant,
    last: Instant,
    step_secs: Option<f64>,
    waited: Duration,
}

impl Pace {
    /// Starts the measurement. `epochs` is the number of remaining epochs, including this one, with `steps` steps
    /// each.
    pub fn new(epochs: usize, steps: usize) -> Self {
        let now = Instant::now();
        Self { epochs, steps, begin: now, last: now, step_secs: None, waited: Duration::ZERO }
    }

    /// Adds time that a step spent waiting for its data.
    pub fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    /// Records the end of a step.
    pub fn stepped(&mut self) {
        let secs = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        self.step_secs = Some(self.step_secs.map_or(secs, |mean| mean + NEW * (secs - mean)));
    }

    /// The estimated seconds until the end of all epochs, after `done` steps of this one. Validation is not
    /// included.
    pub fn seconds_left(&self, done: usize) -> f64 {
        let steps = (self.epochs.saturating_sub(1) * self.steps + self.steps.saturating_sub(done)) as f64;
        self.step_secs.unwrap_or(0.0) * steps
    }

    /// The time spent waiting for data as a fraction of the epoch's time so far.
    pub fn waiting_share(&self) -> f64 {
        self.waited.as_secs_f64() / self.begin.elapsed().as_secs_f64().max(1e-9)
    }
}
