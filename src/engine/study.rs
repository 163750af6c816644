//! Long work with a model that is not for the picture on the screen: fitting read-outs, sweeping a value over many images, writing a
//! turned model. One at a time, on a thread of its own with a model of its own.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use super::event_sender::{EventSender, guarded};
use super::message::{Event, Ticket};
use crate::data::volume::DisplayWindow;
use crate::data::worklist::Item;
use crate::data::{DataError, Dataset, Image, Limit, Mask, Truth, dicom, open};
use crate::device::DeviceChoice;
use crate::infer::{
    FitProgress, ModelSource, Overrides, Parameter, Predictor, SweepCase, SweepResult, fit_linear_probes, sweep,
    write_linear_probes,
};

/// What is to be done, with which model on which device.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// Matches the answer.
    pub ticket: Ticket,
    /// The model.
    pub source: ModelSource,
    /// Where it shall compute.
    pub device: DeviceChoice,
    /// The work.
    pub work: Study,
}

/// Long work with a model.
#[derive(Clone, Debug)]
pub enum Study {
    /// Fit read-outs on a split of a data set and keep them with the model.
    Fit { data: PathBuf, split: String, limit: usize },
    /// One value over a range.
    Sweep { overrides: Overrides, parameter: Parameter, values: Vec<f32>, threshold: f32, over: SweepOver },
    /// Write the model with other values as a bundle.
    Save { overrides: Overrides, folder: PathBuf },
}

/// What a sweep runs over.
#[derive(Clone, Debug)]
pub enum SweepOver {
    /// A picture that is open, as it is seen.
    Picture { image: Arc<Image>, seen: Option<DisplayWindow>, prompt: String, truth: Option<Arc<Mask>> },
    /// Files; those without a sentence of their own get `prompt`.
    Items { items: Vec<Item>, prompt: String, limit: Limit },
}

/// What becomes of a [`StudyRequest`].
#[derive(Clone, Debug)]
pub enum StudyEvent {
    /// So much of so much is done.
    Progress { done: usize, count: usize },
    /// Read-outs are fitted and kept; what they were fitted on.
    Fitted { description: String },
    /// A sweep is done.
    Swept(Box<SweepResult>),
    /// The bundle is written.
    Saved { folder: PathBuf },
    /// It was broken off.
    Cancelled,
    /// It could not be done; one line that says why and what to do.
    Failed(String),
}

/// Begins a study; setting `cancel` breaks it off before its next image.
pub(super) fn begin(request: StudyRequest, cancel: Arc<AtomicBool>, out: EventSender) -> io::Result<()> {
    Builder::new().name("himix-study".into()).spawn(move || {
        let ticket = request.ticket;
        let report = |event| out.send(Event::Study { ticket, event });
        let outcome = guarded(|| run(&request, &cancel, &report));
        let event = outcome.unwrap_or_else(|reason| Err(format!("The computation stopped ({reason}).")));
        report(event.unwrap_or_else(StudyEvent::Failed));
    })?;
    Ok(())
}

fn run(request: &StudyRequest, cancel: &AtomicBool, report: &dyn Fn(StudyEvent)) -> Result<StudyEvent, String> {
    let mut predictor = Predictor::open(&request.source, request.device).map_err(|error| error.to_string())?;
    let step = |done: usize, count: usize| {
        report(StudyEvent::Progress { done, count });
        if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match &request.work {
        Study::Fit { data, split, limit } => {
            let path =
                predictor.linear_probes_path().ok_or("Stage read-outs are saved beside the model, and the bundled model is not a file. Export it as a bundle first.")?;
            let dataset = Dataset::open(data, split).map_err(|error| error.to_string())?;
            let progress = |progress| match progress {
                FitProgress::Images(done, count) => step(done, count),
                FitProgress::Stages(done, count) => step(done, count),
            };
            let fitted = fit_linear_probes(&mut predictor, &[dataset], *limit, progress)
                .map_err(|error| error.to_string())?;
            let Some(linear_probes) = fitted else { return Ok(StudyEvent::Cancelled) };
            write_linear_probes(&path, &linear_probes).map_err(|error| error.to_string())?;
            Ok(StudyEvent::Fitted { description: linear_probes.description })
        }
        Study::Sweep { overrides, parameter, values, threshold, over } => {
            let (cases, count): (Box<dyn Iterator<Item = _>>, usize) = match over {
                SweepOver::Picture { image, seen, prompt, truth } => {
                    let image = match seen {
                        Some(seen) => Arc::new(image.windowed(seen.window, seen.is_inverted)),
                        None => image.clone(),
                    };
                    let case = SweepCase { image, prompt: prompt.clone(), truth: truth.clone() };
                    (Box::new(std::iter::once(Ok(case))), 1)
                }
                SweepOver::Items { items, prompt, limit } => {
                    (Box::new(items.iter().map(|item| read(item, prompt, *limit))), items.len())
                }
            };
            let swept = sweep(&mut predictor, overrides, *parameter, values, *threshold, cases, |done| {
                step(done, count * values.len())
            })
            .map_err(|error| error.to_string())?;
            Ok(swept.map_or(StudyEvent::Cancelled, |result| StudyEvent::Swept(Box::new(result))))
        }
        Study::Save { overrides, folder } => {
            predictor.save_turned(overrides, folder).map_err(|error| error.to_string())?;
            Ok(StudyEvent::Saved { folder: folder.clone() })
        }
    }
}

/// A case of a list, of a stack its middle slice, as the network sees it first. A mask that cannot be read or is of another size is an error: scores would silently be of fewer cases.
fn read(item: &Item, prompt: &str, limit: Limit) -> Result<SweepCase, String> {
    let read = || -> Result<_, DataError> {
        let volume = match item.files.as_slice() {
            [] | [_] => open::open_as(&item.path, limit, item.reading.orientation, &|_, _| true)?,
            files => dicom::open_series(files, limit, &|_| true)?,
        };
        let slice = volume.slices / 2;
        let image = volume.default_network_input(slice, None);
        if item.truth.is_empty() {
            return Ok((image, None));
        }
        let truth = Truth::read(&item.truth, volume.grid(), &item.reading.truth(limit))?;
        Ok((image, truth.mask(slice)))
    };
    let (image, truth) = read().map_err(|error| error.to_string())?;
    let prompt = item.prompt.clone().unwrap_or_else(|| prompt.to_owned());
    Ok(SweepCase { image: Arc::new(image), prompt, truth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PairReading;

    /// An uncompressed NIfTI volume of 2x2 pixels and so many slices, all of `value`.
    fn volume(folder: &tempfile::TempDir, name: &str, slices: u16, value: u8) -> PathBuf {
        let mut bytes = vec![0; 352];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &348_i32.to_le_bytes());
        [3, 2, 2, slices].iter().enumerate().for_each(|(axis, side)| put(40 + 2 * axis, &side.to_le_bytes()));
        put(70, &2_u16.to_le_bytes());
        put(72, &8_u16.to_le_bytes());
        put(108, &352_f32.to_le_bytes());
        put(344, b"n+1\0");
        bytes.resize(352 + 4 * usize::from(slices), value);
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    #[test]
    fn a_stack_of_masks_must_have_the_slices_of_its_scan() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = volume(&folder, "scan.nii", 5, 9);
        let case = |slices| {
            let truth = vec![volume(&folder, "mask.nii", slices, 1)];
            let (name, path) = ("scan".to_owned(), path.clone());
            let reading = PairReading::default();
            let item = Item { name, path, files: Vec::new(), truth, prompt: None, split: None, reading };
            read(&item, "lung", Limit::default())
        };
        assert_eq!(case(5).expect("a case").truth.expect("a mask").foreground(), 4);
        let error = case(2).err().expect("another number of slices");
        assert!(error.contains("mask.nii") && error.contains("has 2 slices but the image 5"), "{error}");
    }
}
