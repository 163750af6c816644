//! `himix train --readout`: fits a linear read-out for every decoder stage of a model that stays unchanged.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use himix::data::{Dataset, Image};
use himix::device::DeviceChoice;
use himix::infer::{InspectOptions, ModelSource, OpenModel, local};
use himix::train::{FitProgress, StageOutput, fit_linear_probes, write_linear_probes};

use super::train::failure;
use super::{Failure, model, terminal};

/// The model to fit read-outs for, and the images to fit them on.
pub struct ReadoutArguments<'a> {
    pub model: &'a Path,
    pub data: &'a [PathBuf],
    pub split: &'a str,
    pub limit: usize,
    pub out: Option<&'a Path>,
    pub device: DeviceChoice,
}

/// Fits and writes the read-outs of the model that `open` opens.
pub fn run(arguments: &ReadoutArguments, open: &OpenModel) -> Result<(), Failure> {
    let mut datasets = Vec::new();
    for root in arguments.data {
        datasets.push(Dataset::open(root, arguments.split)?);
    }
    let mut segmenter = open(&ModelSource::new(arguments.model), arguments.device)?;
    model::notices(segmenter.as_mut());
    let predictor = local(segmenter.as_mut(), "its read-outs cannot be fitted")?;
    // The target is determined before the work, so that the result is not lost because it cannot be stored.
    let target = match arguments.out {
        Some(path) => path.to_path_buf(),
        None => predictor.linear_probes_path().ok_or_else(|| {
            Failure::input("this model has no folder of its own; give a file for its stage read-outs with --out")
        })?,
    };
    let bar = terminal::bar_with_message(0);
    let progress = |step| {
        match step {
            FitProgress::Images(done, count) => {
                bar.set_length(count as u64);
                bar.set_position(done as u64);
                bar.set_message("images");
            }
            FitProgress::Stages(done, count) => bar.set_message(format!("fitting stage {} of {count}", done + 1)),
        }
        ControlFlow::Continue(())
    };
    let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
    let look = |image: &Image, prompt: &str| {
        let inspection = predictor.inspect(image, prompt, None, wanted).map_err(|error| error.to_string())?;
        let outputs = inspection.stages.into_iter().map(|stage| StageOutput {
            grid: stage.grid,
            channels: stage.channels,
            values: stage.output,
        });
        Ok(outputs.collect())
    };
    let fitted = fit_linear_probes(&datasets, arguments.limit, look, progress).map_err(failure)?;
    bar.finish_and_clear();
    predictor.take_notices().into_iter().for_each(terminal::note);
    let Some(linear_probes) = fitted else { return Ok(()) };
    write_linear_probes(&target, &linear_probes).map_err(failure)?;
    terminal::print(&format!("{} written: {}", target.display(), linear_probes.description))
}
