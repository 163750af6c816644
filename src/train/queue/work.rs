//! Working through a queue.

use std::thread;

use crossbeam_channel::{Sender, unbounded};

use super::{FILE, Queue, QueuedRun, RunState, State, vanished};
use crate::device::OpenDevice;
use crate::train::control::{Control, RunControl};
use crate::train::error::TrainError;
use crate::train::event::Event;
use crate::train::folder::RunFolder;
use crate::train::grid::{Cell, is_finished, one};

/// The stack of a thread that trains, in bytes, as large as that of a run on a card.
const STACK_BYTES: usize = 16 << 20;

/// An event of a queue. Runs are given by their names.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueEvent {
    /// A run begins or goes on.
    Begun(String),
    /// An event of a run.
    Run(String, Event),
    /// A trained run is being scored.
    Scoring(String),
    /// A run is trained and scored.
    Finished(String),
    /// A run failed, for this reason. The others go on.
    Failed(String, String),
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFault {
    /// The reason; one line.
    pub reason: String,
    /// Whether the device cannot be used any more, so that it gets no further run.
    pub is_device: bool,
}

impl From<TrainError> for WorkFault {
    fn from(error: TrainError) -> Self {
        Self { is_device: matches!(error, TrainError::Device { .. }), reason: error.to_string() }
    }
}

impl From<String> for WorkFault {
    fn from(reason: String) -> Self {
        Self { reason, is_device: false }
    }
}

/// How the runs of a queue are trained and scored.
pub trait Worker: Sync {
    /// The number of runs that may be trained at the same time, each on a device of its own, numbered from 0.
    fn devices(&self) -> usize;

    /// Begins a run, or resumes it. Returns whether it is finished; otherwise it was stopped.
    ///
    /// # Errors
    /// The run failed.
    fn train(
        &self,
        device: usize,
        run: &Cell,
        control: &Control,
        report: &mut dyn FnMut(Event),
    ) -> Result<bool, WorkFault>;

    /// Scores a trained run and writes the scores into its folder.
    ///
    /// # Errors
    /// It could not be scored.
    fn score(&self, device: usize, run: &Cell) -> Result<(), WorkFault>;

    /// Whether the scores of a finished run are there.
    fn has_scores(&self, run: &Cell) -> bool;
}

/// Trains runs on devices of this computer.
pub struct LocalWorker<'a> {
    /// The devices, one for each run that is trained at the same time.
    pub devices: Vec<OpenDevice>,
    /// The name of the file of the scores in the folder of a run.
    pub scores: &'a str,
    /// Scores a trained run on the device with this number.
    pub score: &'a (dyn Fn(usize, &Cell) -> Result<(), String> + Sync),
}

impl Worker for LocalWorker<'_> {
    fn devices(&self) -> usize {
        self.devices.len()
    }

    fn train(
        &self,
        device: usize,
        run: &Cell,
        control: &Control,
        report: &mut dyn FnMut(Event),
    ) -> Result<bool, WorkFault> {
        Ok(run.go_on(&self.devices[device], control, report)?)
    }

    fn score(&self, device: usize, run: &Cell) -> Result<(), WorkFault> {
        Ok((self.score)(device, run)?)
    }

    fn has_scores(&self, run: &Cell) -> bool {
        run.config.out.join(self.scores).is_file()
    }
}

impl Cell {
    /// Begins the run on `device`, or resumes it; one that is finished is left as it is. Returns whether it is finished;
    /// otherwise it was stopped.
    ///
    /// # Errors
    /// The errors of [`crate::train::run`] and [`crate::train::resume`].
    pub fn go_on(
        &self,
        device: &OpenDevice,
        control: &Control,
        report: &mut dyn FnMut(Event),
    ) -> Result<bool, TrainError> {
        let folder = RunFolder::new(&self.config.out);
        if !is_finished(&folder) {
            one(self, &folder, device, control, report)?;
        }
        Ok(is_finished(&folder))
    }
}

impl Queue {
    /// Works through the queue until no run waits, or until it is stopped. A run that fails does not end the others. Several
    /// devices are worked on side by side. While the queue is paused, it waits. Finished runs whose scores are gone, for instance
    /// with their folder, are done again as far as necessary.
    ///
    /// # Errors
    /// The folder of the queue vanished, or the queue cannot be written.
    pub fn work(&self, worker: &dyn Worker, report: &mut dyn FnMut(QueueEvent)) -> Result<(), TrainError> {
        self.recall(worker)?;
        let devices = worker.devices();
        if devices <= 1 {
            return self.work_on(0, worker, report);
        }
        let (events_in, events) = unbounded();
        thread::scope(|scope| {
            let start = |device| {
                let events: Sender<QueueEvent> = events_in.clone();
                // If nobody listens any more, the queue has ended.
                let go = move || self.work_on(device, worker, &mut |event| drop(events.send(event)));
                thread::Builder::new()
                    .name(format!("himix-queue-{device}"))
                    .stack_size(STACK_BYTES)
                    .spawn_scoped(scope, go)
            };
            let started: Vec<_> = (0..devices).map(start).collect();
            drop(events_in);
            events.iter().for_each(&mut *report);
            let mut outcome = Ok(());
            for thread in started {
                let ended = match thread.map(thread::ScopedJoinHandle::join) {
                    Ok(Ok(ended)) => ended,
                    Ok(Err(panic)) => std::panic::resume_unwind(panic),
                    Err(error) => Err(TrainError::Folder(format!("no thread could be started ({error})"))),
                };
                outcome = outcome.and(ended);
            }
            outcome
        })
    }

    /// Has finished runs wait whose scores are gone.
    fn recall(&self, worker: &dyn Worker) -> Result<(), TrainError> {
        let mut state = self.lock();
        let is_lost = |run: &&mut QueuedRun| {
            let cell = self.0.cells.get(&run.name());
            run.state == RunState::Finished && cell.is_some_and(|cell| !worker.has_scores(cell))
        };
        let mut count = 0;
        for run in state.runs.iter_mut().filter(is_lost) {
            run.state = RunState::Waiting;
            count += 1;
        }
        if count > 0 { self.store(&state) } else { Ok(()) }
    }

    /// Does one run after the other on a device.
    fn work_on(
        &self,
        device: usize,
        worker: &dyn Worker,
        report: &mut dyn FnMut(QueueEvent),
    ) -> Result<(), TrainError> {
        while let Some((cell, control)) = self.take()? {
            let name = &cell.name;
            report(QueueEvent::Begun(name.clone()));
            let trained = worker.train(device, cell, &control, &mut |event| {
                self.note(name, &event);
                report(QueueEvent::Run(name.clone(), event));
            });
            let outcome = trained.and_then(|is_finished| {
                if is_finished {
                    report(QueueEvent::Scoring(name.clone()));
                    worker.score(device, cell)?;
                }
                Ok(is_finished)
            });
            let is_lost = matches!(&outcome, Err(fault) if fault.is_device);
            self.end(name, outcome, report)?;
            if is_lost {
                break;
            }
        }
        Ok(())
    }

    /// The next waiting run, which is then running; `None` if there is none or the queue is stopped.
    fn take(&self) -> Result<Option<(&Cell, Control)>, TrainError> {
        let mut state = self.lock();
        while state.command == RunControl::Pause {
            state = self.0.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if state.command == RunControl::Stop {
            return Ok(None);
        }
        // A run would make its folder anew, without the queue.
        if !self.0.folder.join(FILE).exists() {
            return Err(vanished(&self.0.folder));
        }
        let Some(run) = state.runs.iter_mut().find(|run| run.state == RunState::Waiting) else { return Ok(None) };
        run.state = RunState::Running;
        let name = run.name();
        let control = Control::default();
        state.controls.insert(name.clone(), control.clone());
        self.store(&state)?;
        Ok(self.0.cells.get(&name).map(|cell| (cell, control)))
    }

    /// Notes how far a run is.
    fn note(&self, name: &str, event: &Event) {
        let mut state = self.lock();
        let progress = state.progress.entry(name.to_owned()).or_default();
        match event {
            Event::Started { history, .. } => {
                progress.epochs = history.len();
                progress.dice_per_image =
                    history.iter().rfind(|epoch| epoch.is_best).map(|epoch| epoch.per_image_dice);
            }
            Event::Epoch(epoch) => {
                progress.epochs = epoch.number;
                if epoch.is_best {
                    progress.dice_per_image = Some(epoch.per_image_dice);
                }
            }
            _ => {}
        }
    }

    /// Records how a run ended.
    fn end(
        &self,
        name: &str,
        outcome: Result<bool, WorkFault>,
        report: &mut dyn FnMut(QueueEvent),
    ) -> Result<(), TrainError> {
        let mut state = self.lock();
        state.controls.remove(name);
        let State { runs, command, .. } = &mut *state;
        let event = runs.iter_mut().find(|run| run.name() == name).and_then(|run| ended(run, outcome, *command));
        let stored = self.store(&state);
        drop(state);
        if let Some(event) = event {
            report(event);
        }
        stored
    }
}

/// The state of a run after its end, and the event that says so.
fn ended(run: &mut QueuedRun, outcome: Result<bool, WorkFault>, command: RunControl) -> Option<QueueEvent> {
    let name = run.name();
    match outcome {
        Ok(true) => {
            run.state = RunState::Finished;
            Some(QueueEvent::Finished(name))
        }
        // It was removed while it was trained.
        _ if run.state == RunState::Removed => None,
        Ok(false) if command == RunControl::Stop => {
            run.state = RunState::Waiting;
            None
        }
        Ok(false) => {
            let reason = "it was stopped, and is resumed when the queue is begun again".to_owned();
            (run.state, run.error) = (RunState::Failed, Some(reason.clone()));
            Some(QueueEvent::Failed(name, reason))
        }
        Err(WorkFault { reason, .. }) => {
            (run.state, run.error) = (RunState::Failed, Some(reason.clone()));
            Some(QueueEvent::Failed(name, reason))
        }
    }
}

#[cfg(test)]
mod tests;
