//! Opens the model of a command.

use std::ops::ControlFlow;

use himix::device::{self, DeviceChoice};
use himix::infer::{ModelSource, OpenModel, Segmenter};

use super::{Failure, terminal};

/// Opens a model and prints its notices; `results` names the output that is meaningless if the model is untrained.
pub fn open(
    open: &OpenModel,
    source: &ModelSource,
    choice: DeviceChoice,
    results: &str,
) -> Result<Box<dyn Segmenter>, Failure> {
    let busy = terminal::busy(match choice {
        DeviceChoice::Cpu => "reading the model",
        _ => "opening the device and reading the model",
    });
    device::reach(choice).map_err(Failure::work)?;
    let mut model = open(source, choice)?;
    drop(busy);
    notices(model.as_mut());
    warm_up(model.as_mut());
    let info = model.info();
    if !info.is_trained {
        terminal::note(format!("{} is untrained; its {results} mean nothing", info.name));
    }
    Ok(model)
}

/// Refuses a model that reads no prompt; `what` says what needs one.
pub fn must_read_text(model: &dyn Segmenter, what: &str) -> Result<(), Failure> {
    let info = model.info();
    if info.reads_text() {
        return Ok(());
    }
    let how = match info.takes_box {
        true => "takes a box and not a text",
        false => "reads no prompt, its mask follows the image alone",
    };
    Err(Failure::input(format!("{} {how}: {what}; choose a model that reads text", info.name)))
}

/// Makes the device of a model ready, and shows how far it is.
fn warm_up(model: &mut dyn Segmenter) {
    let mut bar = None;
    let warmed = model.warm_up(&mut |progress| {
        let bar = bar.get_or_insert_with(|| {
            let words = format!("{} is made ready, which can take minutes the first time", progress.device);
            terminal::long_wait(&words)
        });
        bar.set(progress.percent, progress.step);
        ControlFlow::Continue(())
    });
    // The prediction that follows meets the same failure, moves to the CPU and says so.
    drop(warmed);
}

/// Prints the notices of the model since the last call.
pub fn notices(model: &mut dyn Segmenter) {
    model.take_notices().into_iter().for_each(terminal::note);
}
