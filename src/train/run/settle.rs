//! The data of a run and their record in its folder.

use crate::train::cases::Cases;
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::event::Event;
use crate::train::folder::RunFolder;
use crate::train::manifest::Manifest;

/// The number of pairs from which progress is reported.
const MANY: usize = 1000;

/// The pairs of the run with hashes of their contents.
pub(super) fn manifest(
    config: &TrainConfig,
    folder: &RunFolder,
    train: &Cases,
    validation: &Cases,
    report: &mut dyn FnMut(Event),
) -> Result<Manifest, TrainError> {
    let mut progress = |done: usize, total: usize| {
        if total >= MANY {
            report(Event::Preparing(format!("recording the contents of {total} pairs, {done} done")));
        }
    };
    Ok(Manifest::of(config, folder.path(), train, validation, &mut progress)?)
}

/// Compares the data found with those with which the run was started, sorts them in the same order, and records
/// their current locations. Returns a message if the data or how they were read had not been recorded.
///
/// # Errors
/// The data differ.
pub(super) fn compare(
    folder: &RunFolder,
    recorded: Option<&Manifest>,
    found: &Manifest,
    train: &mut Cases,
    validation: &mut Cases,
) -> Result<Option<String>, TrainError> {
    let name = folder.path().display();
    let Some(recorded) = recorded else {
        folder.record(found)?;
        let is_of_data = !found.data.is_empty();
        return Ok(is_of_data.then(|| {
            format!(
                "{name}: the run has no record of its data; whether their contents changed could not be compared"
            )
        }));
    };
    if let Some(difference) = recorded.difference(found) {
        return Err(TrainError::Folder(format!(
            "{name}: the data are not those that the run was begun with ({difference}); put these back, name another folder with --data, or start anew"
        )));
    }
    let (in_train, in_validation) = recorded.order_in(found);
    train.arrange(&in_train);
    validation.arrange(&in_validation);
    // The entries keep their original order with the current locations.
    let mut now = recorded.clone();
    for (entry, found) in now.data.iter_mut().zip(&found.data) {
        entry.place = found.place.clone();
        entry.reading = found.reading.clone();
    }
    folder.record(&now)?;
    let is_unknown = recorded.data.iter().any(|entry| entry.reading.is_none());
    Ok(is_unknown.then(|| {
        format!(
            "{name}: the run has no record of how its masks were read; whether that changed could not be compared"
        )
    }))
}
