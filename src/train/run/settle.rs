//! The data of a run and what its folder records of them.

use crate::train::cases::Cases;
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::event::Event;
use crate::train::folder::RunFolder;
use crate::train::manifest::Manifest;

/// Pairs from which on it is said how many were read.
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
    Ok(Manifest::of(&config.data, folder.path(), train, validation, &mut progress)?)
}

/// Compares the data found with those that the run was begun with, puts them in the same order, and records where they lie now.
/// Gives a note where nothing was recorded, or not how they were read.
///
/// # Errors
/// The data are others.
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
    // In the order of the beginning, at the places of today.
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
