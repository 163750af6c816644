//! The state of a training run in the window.

use std::path::PathBuf;
use std::time::Instant;

use super::preview::Preview;
use crate::app::text::duration;
use crate::engine::TrainingUpdate;
use crate::engine::run::{Epoch, Event, RunControl, StartScores};

/// The phase of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A slow preparation before the first step, with its description.
    Preparing(String),
    /// The run is training.
    Training,
    /// The run is paused.
    Paused,
    /// The run has ended.
    Ended,
}

/// The facts determined before the first step.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The number of training pairs.
    pub train: usize,
    /// The number of validation pairs.
    pub validation: usize,
    /// The number of trainable parameters.
    pub parameters: usize,
    /// The maximum number of epochs.
    pub epochs: usize,
    /// The name of the compute device.
    pub device: String,
}

/// The newest step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The epoch, starting at 1.
    pub epoch: usize,
    /// The step within the epoch, starting at 1.
    pub step: usize,
    /// The number of steps per epoch.
    pub steps: usize,
    /// The estimated remaining time of the run, in seconds.
    pub seconds_left: f64,
}

/// The active run, or the last one.
pub struct Run {
    /// The folder of the run.
    pub folder: PathBuf,
    /// The phase of the run.
    pub phase: Phase,
    /// The last control request.
    pub control: RunControl,
    /// The facts determined before the first step.
    pub facts: Option<Facts>,
    /// The scores of the weights that the run starts from, unless they are random.
    pub start: Option<StartScores>,
    /// The finished epochs.
    pub epochs: Vec<Epoch>,
    /// The loss of every step, as pairs of finished epochs (fractional) and loss.
    pub step_losses: Vec<[f64; 2]>,
    /// The newest step.
    pub step: Option<Step>,
    /// The fixed validation cases, epoch by epoch.
    pub preview: Preview,
    /// The messages, with the time since the start of the run.
    pub log: Vec<String>,
    /// The bundle with the best weights.
    pub best: Option<PathBuf>,
    /// The outcome: a reason for the end, or an error that says what to do.
    pub outcome: Option<Result<String, String>>,
    /// Whether there is a checkpoint to resume from.
    pub has_checkpoint: bool,
    begun: Instant,
}

impl Run {
    /// Creates a run that has been requested.
    pub fn new(folder: PathBuf) -> Self {
        let phase = Phase::Preparing("starting".into());
        Self {
            folder,
            phase,
            control: RunControl::Run,
            facts: None,
            start: None,
            epochs: Vec::new(),
            step_losses: Vec::new(),
            step: None,
            preview: Preview::default(),
            log: Vec::new(),
            best: None,
            outcome: None,
            has_checkpoint: false,
            begun: Instant::now(),
        }
    }

    /// Returns the same run, resumed: its history is kept.
    pub fn again(self) -> Self {
        let Self { folder, step_losses, preview, log, best, has_checkpoint, begun, .. } = self;
        Self { step_losses, preview, log, best, has_checkpoint, begun, ..Self::new(folder) }
    }

    /// Handles an update of the training thread.
    pub fn take(&mut self, updates: TrainingUpdate) {
        match updates {
            TrainingUpdate::Event(event) => self.take_event(event),
            TrainingUpdate::Best(path) => self.best = Some(path),
            // These are of a whole study.
            TrainingUpdate::Begun(_) | TrainingUpdate::Queue(_) => {}
            TrainingUpdate::Ended(result) => {
                if let Err(message) = &result {
                    self.say(message.clone());
                }
                self.phase = Phase::Ended;
                let reason = self.outcome.take().and_then(Result::ok);
                self.outcome = Some(result.map(|()| reason.unwrap_or_else(|| "it is done".into())));
            }
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Preparing(what) => {
                self.say(what.clone());
                self.phase = Phase::Preparing(what);
            }
            Event::Started { train, validation, parameters, history, epochs, device, cases } => {
                self.say(format!("{train} pairs to train on, {validation} to validate on, {device}"));
                self.has_checkpoint |= !history.is_empty();
                self.facts = Some(Facts { train, validation, parameters, epochs, device });
                self.epochs = history;
                self.preview.cases = cases;
                self.phase = Phase::Training;
            }
            Event::Start(start) => {
                self.say(format!(
                    "before the training: validation loss {:.4}, Dice {:.3} pooled, {:.3} per image",
                    start.validation_loss, start.pooled_dice, start.per_image_dice
                ));
                self.start = Some(start);
                self.phase = Phase::Training;
            }
            Event::Step { epoch, step, steps, loss, seconds_left } => {
                self.phase = Phase::Training;
                let done = (epoch.max(1) - 1) as f64 + step as f64 / steps.max(1) as f64;
                // A resumed run repeats the steps after its checkpoint.
                let is_past = |[earlier, _]: &mut [f64; 2]| *earlier >= done;
                while self.step_losses.pop_if(is_past).is_some() {}
                self.step_losses.extend(loss.map(|loss| [done, f64::from(loss)]));
                self.step = Some(Step { epoch, step, steps, seconds_left });
            }
            Event::Paused => {
                self.say("paused".into());
                self.phase = Phase::Paused;
            }
            Event::Continued => {
                self.say("continued".into());
                self.phase = Phase::Training;
            }
            Event::Epoch(epoch) => {
                self.say(line(&epoch));
                self.epochs.push(epoch);
            }
            Event::Preview { epoch, masks } => self.preview.put(epoch, masks),
            Event::Checkpoint => self.has_checkpoint = true,
            Event::Warning(text) => self.say(format!("note: {text}")),
            Event::Finished { bundle, reason, .. } => {
                self.say(format!("ended: {reason}"));
                self.best = bundle.or(self.best.take());
                self.outcome = Some(Ok(reason));
            }
        }
    }

    fn say(&mut self, text: String) {
        let seconds = self.begun.elapsed().as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        self.log.push(format!("{hours}:{minutes:02}:{seconds:02}  {text}"));
    }

    /// Returns the best epoch so far.
    pub fn best_epoch(&self) -> Option<&Epoch> {
        self.epochs.iter().rfind(|epoch| epoch.is_best)
    }

    /// Returns the finished share of all epochs, 0…1.
    pub fn share(&self) -> f32 {
        let all = self.facts.as_ref().map_or(0, |facts| facts.epochs).max(1) as f32;
        let done = self.step.map_or(0.0, |step| (step.epoch.max(1) - 1) as f32 + self.share_of_epoch());
        (done.max(self.epochs.len() as f32) / all).clamp(0.0, 1.0)
    }

    /// Returns the finished share of the steps of the epoch, 0…1.
    pub fn share_of_epoch(&self) -> f32 {
        self.step.map_or(0.0, |step| step.step as f32 / step.steps.max(1) as f32)
    }

    /// Returns whether the run was stopped or failed in a way that allows resuming it.
    pub fn can_resume(&self) -> bool {
        let is_broken = matches!(self.outcome, Some(Err(_))) || self.control == RunControl::Stop;
        self.phase == Phase::Ended && self.has_checkpoint && is_broken
    }

    /// Returns the progress for the top bar while the run is active.
    pub fn progress_in_short(&self) -> String {
        let percent = 100.0 * self.share();
        match self.step {
            Some(step) => format!("Training {percent:.0} % · {} left", duration(step.seconds_left)),
            None => format!("Training {percent:.0} %"),
        }
    }

    /// Returns the outcome for the top bar after the end of the run.
    pub fn end_in_short(&self) -> &'static str {
        match &self.outcome {
            Some(Err(_)) => "Training failed",
            _ if self.control == RunControl::Stop => "Training was stopped",
            _ => "Training has finished",
        }
    }
}

/// Returns the log line of an epoch.
fn line(epoch: &Epoch) -> String {
    let best = if epoch.is_best { ", best so far" } else { "" };
    let skipped = match epoch.skipped {
        0 => String::new(),
        count => format!(", {count} images left out"),
    };
    format!(
        "epoch {}: loss {:.4}, validation loss {:.4}, Dice {:.3} pooled, {:.3} per image, {}{skipped}{best}",
        epoch.number,
        epoch.train_loss,
        epoch.validation_loss,
        epoch.pooled_dice,
        epoch.per_image_dice,
        duration(epoch.seconds)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_failed_after_a_checkpoint_can_go_on() {
        let mut run = Run::new("folder".into());
        assert!(!run.can_resume());
        run.take(TrainingUpdate::Event(Event::Checkpoint));
        run.take(TrainingUpdate::Ended(Err("the disk is full".into())));
        assert!(run.can_resume());
        assert_eq!(run.end_in_short(), "Training failed");
        let mut run = Run::new("folder".into());
        run.take(TrainingUpdate::Event(Event::Checkpoint));
        run.take(TrainingUpdate::Event(Event::Finished { best: None, bundle: None, reason: "all done".into() }));
        run.take(TrainingUpdate::Ended(Ok(())));
        assert_eq!(run.outcome, Some(Ok("all done".into())));
        assert!(!run.can_resume(), "it is done");
    }

    #[test]
    fn progress_counts_epochs_and_steps() {
        let mut run = Run::new("folder".into());
        let cases = Vec::new();
        let (history, device) = (vec![Epoch { number: 1, ..Epoch::default() }], "CPU".into());
        let started = Event::Started { train: 8, validation: 2, parameters: 1, history, epochs: 4, device, cases };
        run.take(TrainingUpdate::Event(started));
        assert_eq!(run.share(), 0.25);
        let step = |step, loss| {
            TrainingUpdate::Event(Event::Step { epoch: 2, step, steps: 2, loss: Some(loss), seconds_left: 61.0 })
        };
        run.take(step(1, 0.25));
        run.take(step(2, 0.25));
        let mut run = Run { facts: run.facts.clone(), ..run.again() };
        run.take(step(1, 0.5));
        assert_eq!((run.share(), run.share_of_epoch()), (0.375, 0.5));
        assert_eq!(run.step_losses, [[1.5, 0.5]]);
        assert_eq!(run.progress_in_short(), "Training 38 % · 1 min left");
    }
}
