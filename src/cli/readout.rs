//! `himix train --linear_probe`: fits a mask of its own for every decoder stage of a model that stays as it is.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use himix::data::Dataset;
use himix::device::DeviceChoice;
use himix::infer::{FitProgress, ModelSource, Predictor, fit_linear_probes, write_linear_probes};

use super::{Failure, terminal};

/// What is fitted on what.
pub struct ReadoutArguments<'a> {
    pub model: &'a Path,
    pub data: &'a [PathBuf],
    pub split: &'a str,
    pub limit: usize,
    pub out: Option<&'a Path>,
    pub device: DeviceChoice,
}

/// Fits and writes.
pub fn run(arguments: &ReadoutArguments) -> Result<(), Failure> {
    let mut datasets = Vec::new();
    for root in arguments.data {
        datasets.push(Dataset::open(root, arguments.split)?);
    }
    let mut predictor = Predictor::open(&ModelSource::new(arguments.model), arguments.device)?;
    predictor.take_notices().into_iter().for_each(terminal::note);
    // Before the work, so that it is not lost for want of a place.
    let target = match arguments.out {
        Some(path) => path.to_path_buf(),
        None => predictor.linear_probes_path().ok_or_else(|| {
            Failure::input("this model is not a file of its own; name a file for its stage read-outs with --out")
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
    let fitted = fit_linear_probes(&mut predictor, &datasets, arguments.limit, progress)?;
    bar.finish_and_clear();
    predictor.take_notices().into_iter().for_each(terminal::note);
    let Some(linear_probes) = fitted else { return Ok(()) };
    write_linear_probes(&target, &linear_probes)?;
    terminal::print(&format!("{} written: {}", target.display(), linear_probes.description))
}
