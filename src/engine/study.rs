//! Long tasks with a model that do not concern the displayed image: fitting linear probes, sweeping a value over
//! many images, writing a modified model. One task runs at a time, on a separate thread with a separate model.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;

use super::guard::guarded;
use super::job::Failure;
use super::model_job::network_input;
use super::pending::Reply;
use super::priority::{PREDICTION, lower};
use crate::data::volume::DisplayWindow;
use crate::data::worklist::Item;
use crate::data::{DataError, Dataset, Image, Limit, Mask, Truth, dicom, open};
use crate::device::DeviceChoice;
use crate::infer::{
    InferError, InspectOptions, ModelSource, OpenModel, Overrides, Parameter, ReadCase, SweepCase, SweepResult,
    local, sweep,
};
use crate::train::{FitProgress, StageOutput, fit_linear_probes, write_linear_probes};

/// A task with its model and device.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// The model.
    pub source: ModelSource,
    /// The device to compute on.
    pub device: DeviceChoice,
    /// The task.
    pub work: Study,
}

/// A long task with a model.
#[derive(Clone, Debug)]
pub enum Study {
    /// Fits linear probes on a split of a data set and stores them with the model.
    Fit { data: PathBuf, split: String, limit: usize },
    /// Sweeps one value over a range.
    Sweep { overrides: Overrides, parameter: Parameter, values: Vec<f32>, threshold: f32, over: SweepOver },
    /// Writes the model with other values as a bundle.
    Save { overrides: Overrides, folder: PathBuf },
}

/// The images of a sweep.
#[derive(Clone, Debug)]
pub enum SweepOver {
    /// An open image with its display window.
    Picture { image: Arc<Image>, seen: Option<DisplayWindow>, prompt: String, truth: Option<Arc<Mask>> },
    /// Files; those without their own prompt use `prompt`.
    Items { items: Vec<Item>, prompt: String, limit: Limit },
}

/// The answer to a [`StudyRequest`].
#[derive(Clone, Debug)]
pub enum StudyAnswer {
    /// The linear probes were fitted and stored; `description` names the data they were fitted on.
    Fitted { description: String },
    /// The sweep is finished.
    Swept(Box<SweepResult>),
    /// The bundle was written.
    Saved { folder: PathBuf },
}

/// Starts a task with a model opened by `open`. If it is cancelled, it ends before its next image.
///
/// # Errors
/// The thread could not be started.
pub(super) fn begin(request: StudyRequest, open: OpenModel, reply: Reply<StudyAnswer>) -> io::Result<()> {
    Builder::new().name("himix-study".into()).spawn(move || {
        // The threads that compute the images of a set have the priority of the thread that starts them.
        lower(PREDICTION);
        let outcome = guarded(|| run(&request, &open, &reply));
        let stopped = |reason| Err(Failure::Failed(format!("The computation stopped ({reason}).")));
        reply.answer(outcome.unwrap_or_else(stopped));
    })?;
    Ok(())
}

fn run(request: &StudyRequest, open: &OpenModel, reply: &Reply<StudyAnswer>) -> Result<StudyAnswer, Failure> {
    let words = |error: InferError| error.to_string();
    let mut model = open(&request.source, request.device).map_err(words)?;
    let step = |done: usize, count: usize| {
        reply.progress(done, count);
        if reply.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match &request.work {
        Study::Fit { data, split, limit } => {
            let predictor = local(model.as_mut(), "its read-outs cannot be fitted").map_err(words)?;
            let path = predictor.linear_probes_path().ok_or_else(|| {
                "Stage read-outs are saved beside the model, and the bundled model is not a file. Export it as a bundle first."
                    .to_owned()
            })?;
            let dataset = Dataset::open(data, split).map_err(|error| error.to_string())?;
            let progress = |progress| match progress {
                FitProgress::Images(done, count) => step(done, count),
                FitProgress::Stages(done, count) => step(done, count),
            };
            let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
            let look = |image: &Image, prompt: &str| {
                let inspection = predictor.inspect(image, prompt, None, wanted).map_err(words)?;
                let outputs = inspection.stages.into_iter().map(|stage| StageOutput {
                    grid: stage.grid,
                    channels: stage.channels,
                    values: stage.output,
                });
                Ok(outputs.collect())
            };
            let fitted =
                fit_linear_probes(&[dataset], *limit, look, progress).map_err(|error| error.to_string())?;
            let linear_probes = fitted.ok_or(Failure::Cancelled)?;
            write_linear_probes(&path, &linear_probes).map_err(|error| error.to_string())?;
            Ok(StudyAnswer::Fitted { description: linear_probes.description })
        }
        Study::Sweep { overrides, parameter, values, threshold, over } => {
            let cases: Vec<ReadCase> = match over {
                SweepOver::Picture { image, seen, prompt, truth } => {
                    let image = network_input(image, *seen);
                    let case = move || {
                        let (image, truth) = (image.clone(), truth.clone());
                        Ok(SweepCase { image, prompt: prompt.clone(), truth })
                    };
                    vec![Box::new(case)]
                }
                SweepOver::Items { items, prompt, limit } => {
                    items.iter().map(|item| Box::new(move || read(item, prompt, *limit)) as ReadCase).collect()
                }
            };
            let progress = |done| step(done, cases.len() * values.len());
            let swept = sweep(model.as_mut(), overrides, *parameter, values, *threshold, &cases, progress);
            Ok(StudyAnswer::Swept(Box::new(swept.map_err(words)?.ok_or(Failure::Cancelled)?)))
        }
        Study::Save { overrides, folder } => {
            let predictor = local(model.as_mut(), "its weights cannot be written").map_err(words)?;
            predictor.save_modified(overrides, folder).map_err(words)?;
            Ok(StudyAnswer::Saved { folder: folder.clone() })
        }
    }
}

/// Reads a case of a list as the network's input, with the default display window; of a stack, the middle slice. A
/// mask that cannot be read or has another size is an error, because the scores would otherwise silently cover
/// fewer cases.
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

    /// An uncompressed NIfTI volume of 2×2 pixels and `slices` slices with the constant `value`.
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
            let (files, variants) = (Vec::new(), Vec::new());
            let item = Item { name, path, files, truth, prompt: None, variants, split: None, reading };
            read(&item, "lung", Limit::default())
        };
        assert_eq!(case(5).expect("a case").truth.expect("a mask").foreground(), 4);
        let error = case(2).err().expect("another number of slices");
        assert!(error.contains("mask.nii") && error.contains("has 2 slices but the image 5"), "{error}");
    }
}
