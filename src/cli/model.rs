//! The model of a command, opened by whatever opens models.

use himix::device::DeviceChoice;
use himix::infer::{ModelSource, OpenModel, Segmenter};

use super::{Failure, terminal};

/// Opens a model and passes on what there is to say of it; `results` names what means nothing if it is untrained.
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

/// Passes on what the model has to say since the last time.
pub fn notices(model: &mut dyn Segmenter) {
    model.take_notices().into_iter().for_each(terminal::note);
}
