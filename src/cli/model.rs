//! Opens the model of a command.

use himix::device::DeviceChoice;
use himix::infer::{ModelSource, OpenModel, Segmenter};

use super::{Failure, terminal};

/// Opens a model and prints its notices; `results` names the output that is meaningless if the model is untrained.
pub fn open(
    open: &OpenModel,
    source: &ModelSource,
    device: DeviceChoice,
    results: &str,
) -> Result<Box<dyn Segmenter>, Failure> {
    let busy = terminal::busy("reading the model");
    let mut model = open(source, device)?;
    drop(busy);
    notices(model.as_mut());
    let info = model.info();
    if !info.is_trained {
        terminal::note(format!("{} is untrained; its {results} mean nothing", info.name));
    }
    Ok(model)
}

/// Prints the notices of the model since the last call.
pub fn notices(model: &mut dyn Segmenter) {
    model.take_notices().into_iter().for_each(terminal::note);
}
