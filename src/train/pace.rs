//! How fast a run goes.

use std::time::{Duration, Instant};

/// Share of the newest step in the mean of a step's duration.
const NEW: f64 = 0.1;

/// The pace of one epoch, and the guess for the epochs after it.
pub struct Pace {
    epochs: usize,
    steps: usize,
    begin: Instant,
    last: Instant,
    step_secs: Option<f64>,
    waited: Duration,
}

impl Pace {
    /// `epochs` still to come, this one included, of `steps` steps each.
    pub fn new(epochs: usize, steps: usize) -> Self {
        let now = Instant::now();
        Self { epochs, steps, begin: now, last: now, step_secs: None, waited: Duration::ZERO }
    }

    /// Time that the step had to wait for its data.
    pub fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    /// A step is done.
    pub fn stepped(&mut self) {
        let secs = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        self.step_secs = Some(self.step_secs.map_or(secs, |mean| mean + NEW * (secs - mean)));
    }

    /// Seconds to the end of all epochs where `done` steps of this one are done. Validations are not in it.
    pub fn seconds_left(&self, done: usize) -> f64 {
        let steps = (self.epochs.saturating_sub(1) * self.steps + self.steps.saturating_sub(done)) as f64;
        self.step_secs.unwrap_or(0.0) * steps
    }

    /// Waiting for data as a share of the epoch's time so far.
    pub fn waiting_share(&self) -> f64 {
        self.waited.as_secs_f64() / self.begin.elapsed().as_secs_f64().max(1e-9)
    }
}
