//! Runs a training, on a GPU under the eyes of the caller: a driver that hangs never returns from a call, and the thread
//! that made the call cannot be ended. It is left behind, and the run ends with words.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, unbounded};

use super::config::TrainConfig;
use super::control::Control;
use super::error::TrainError;
use super::event::{Epoch, Event};
use super::run::{resume, run};
use crate::device::OpenDevice;

/// The time without a sign of life after which a hardware GPU is taken for hung. Tuning a single operation, within
/// which there is none, takes less than two minutes.
const PATIENCE: Duration = Duration::from_secs(600);
/// The stack of the thread in bytes: the library walks through the graph of a pass recursively.
const STACK_BYTES: usize = 16 << 20;
/// The time between two looks at the run.
const LOOK: Duration = Duration::from_secs(1);

/// A training run.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// A new run with these settings.
    New(Box<TrainConfig>),
    /// The run in a folder, with the current locations of its data as in [`resume`].
    Resume(PathBuf, Vec<PathBuf>),
}

/// Runs `task` until its end or a stop, reporting through `report`. A hardware GPU that does not answer for ten minutes
/// ends the run.
///
/// # Errors
/// See [`run`] and [`resume`]; [`TrainError::Device`] if a GPU failed or does not answer.
pub fn start(
    task: &Task,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    let task = task.clone();
    supervised(device, control, report, move |device, control, report| begin(&task, device, control, report))
}

/// Does `job`, on a hardware GPU under the eyes of the caller: it is given up if the card does not answer for ten minutes.
pub(super) fn supervised<E: Send + 'static, T: Send + 'static>(
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(E),
    job: impl FnOnce(&OpenDevice, &Control, &mut dyn FnMut(E)) -> Result<T, TrainError> + Send + 'static,
) -> Result<T, TrainError> {
    if !device.is_gpu || device.is_software {
        return job(device, control, report);
    }
    let open = device.clone();
    let job = move |control: &Control, report: &mut dyn FnMut(E)| job(&open, control, report);
    watched(&device.name, PATIENCE, control, report, job).flatten()
}

fn begin(
    task: &Task,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    match task {
        Task::New(config) => run(config, device, control, report),
        Task::Resume(folder, data) => resume(folder, data, device, control, report),
    }
}

/// A message of the thread of a run.
enum Message<E, T> {
    Event(Box<E>),
    Done(Result<T, Box<dyn Any + Send>>),
}

/// Runs `job` on a thread of its own and passes its events on, until it ends or has not checked `control` for
/// `patience`.
fn watched<E: Send + 'static, T: Send + 'static>(
    device: &str,
    patience: Duration,
    control: &Control,
    report: &mut dyn FnMut(E),
    job: impl FnOnce(&Control, &mut dyn FnMut(E)) -> T + Send + 'static,
) -> Result<T, TrainError> {
    let fault = |reason: String| TrainError::Device { device: device.to_owned(), reason };
    let (out, messages) = unbounded();
    let hand = control.clone();
    let go = move || {
        // If nobody listens any more, the run was given up.
        let mut tell = |event: E| drop(out.send(Message::Event(Box::new(event))));
        let outcome = catch_unwind(AssertUnwindSafe(|| job(&hand, &mut tell)));
        drop(out.send(Message::Done(outcome)));
    };
    let started = Builder::new().name("himix-train-gpu".into()).stack_size(STACK_BYTES).spawn(go);
    started.map_err(|error| fault(format!("no thread could be started: {error}")))?;
    let mut last = Instant::now();
    loop {
        match messages.recv_timeout(LOOK.min(patience)) {
            Ok(Message::Event(event)) => {
                last = Instant::now();
                report(*event);
            }
            Ok(Message::Done(Ok(outcome))) => return Ok(outcome),
            Ok(Message::Done(Err(panic))) => resume_unwind(panic),
            Err(RecvTimeoutError::Timeout) if control.silence().min(last.elapsed()) >= patience => {
                control.abandon();
                let minutes = patience.as_secs().div_ceil(60).max(1);
                return Err(fault(format!("it has not answered for {minutes} min")));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(fault("the thread of the run ended".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;
    use crate::train::RunControl;

    const SHORT: Duration = Duration::from_millis(200);

    #[test]
    fn events_and_outcome_are_those_of_the_job() {
        let mut events = Vec::new();
        let job = |_: &Control, report: &mut dyn FnMut(Event)| {
            report(Event::Paused);
            report(Event::Checkpoint);
            7
        };
        let outcome = watched("card", SHORT, &Control::default(), &mut |event| events.push(event), job);
        assert_eq!((outcome.ok(), events), (Some(7), vec![Event::Paused, Event::Checkpoint]));
    }

    #[test]
    fn a_driver_that_never_answers_ends_the_run_with_words() {
        let job = |control: &Control, _: &mut dyn FnMut(Event)| {
            control.command();
            sleep(Duration::from_secs(3600));
        };
        let control = Control::default();
        let outcome = watched("card", SHORT, &control, &mut |_: Event| (), job);
        assert!(control.is_abandoned() && control.command() == RunControl::Stop);
        let text = outcome.expect_err("it is given up").to_string();
        assert!(text.contains("card failed (it has not answered for 1 min)"), "{text}");
        assert!(text.contains("himix train --resume") && text.contains("--device cpu"), "{text}");
    }

    #[test]
    fn a_long_run_that_shows_signs_and_a_pause_are_no_hang() {
        let control = Control::default();
        let hand = control.clone();
        let job = move |control: &Control, report: &mut dyn FnMut(Event)| {
            for _ in 0..6 {
                sleep(SHORT / 3);
                control.command();
            }
            control.ask(RunControl::Pause);
            report(Event::Paused);
            control.wait()
        };
        let waits = std::thread::spawn(move || {
            sleep(6 * SHORT);
            hand.ask(RunControl::Run);
        });
        let outcome = watched("card", SHORT, &control, &mut |_: Event| (), job);
        assert_eq!(outcome.ok(), Some(RunControl::Run));
        assert!(waits.join().is_ok());
    }

    #[test]
    fn a_panic_is_passed_on() {
        let job = |_: &Control, _: &mut dyn FnMut(Event)| -> u8 { panic!("the fake panics") };
        let outcome = catch_unwind(|| watched("card", SHORT, &Control::default(), &mut |_: Event| (), job));
        assert_eq!(outcome.err().and_then(|panic| panic.downcast_ref::<&str>().copied()), Some("the fake panics"));
    }
}
