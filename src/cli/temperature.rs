//! `himix temperature`: fits how certain a model is to how often it is right.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use himix::data::Dataset;
use himix::infer::{OpenModel, TemperatureFit, fit_temperature};
use himix::metrics::CALIBRATION_BINS;
use himix::model::config::Temperature;
use himix::model::weights::bundle;
use serde_json::json;

use super::arguments::{DeviceArguments, ModelArguments};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix temperature --model my-bundle --data qata --split val
  himix temperature --model my-bundle --data qata --data kvasir --write

The logits of a model are divided by its temperature before they become probabilities (Guo et al. 2017). The temperature with the smallest
cross entropy on the pixels of the pairs, at the size of the network, is found. Take pairs that the model was not trained on. With --write it is
kept in the configuration of the bundle, and every probability of the model follows it; presence must then be calibrated again. At
a threshold of exactly 0.5 and at the size of the network masks stay as they are; at other thresholds they change.";

/// Fit how certain a model is to how often it is right
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TemperatureArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of a data set; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// Split of the data sets
    #[arg(long, value_name = "SPLIT", default_value = "val")]
    split: String,
    /// Keep the temperature in the configuration of the model
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Fits the temperature of the model that `open` opens.
pub fn run(arguments: &TemperatureArguments, open: &OpenModel) -> Result<(), Failure> {
    let mut samples = Vec::new();
    for root in &arguments.data {
        let dataset = Dataset::open(root, &arguments.split)?;
        samples.extend(dataset.samples.into_iter().map(|sample| (sample, dataset.reading.clone())));
    }
    let source = arguments.model.source(arguments.vocab.as_ref());
    let located = bundle::locate(&source)?;
    // This is determined before the work, so that the result is not lost because it cannot be stored.
    if arguments.write && located.config_path().is_none() {
        return Err(Failure::input(
            "this model has no configuration of its own; leave out --write, or name a bundle",
        ));
    }
    let device = arguments.device.choice_for(samples.len())?;
    let mut segmenter = model::open(open, &source, device, "probabilities")?;
    let bar = terminal::bar(samples.len(), "images");
    let progress = |done: usize, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let found = fit_temperature(segmenter.as_mut(), &samples, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    // Nothing breaks the progress.
    let Some(TemperatureFit { temperature, is_at_limit, images, reliability, skipped }) = found else {
        return Ok(());
    };
    skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    if is_at_limit {
        let limit = format!(
            "the fit ended at the limit {temperature} of the temperatures ({} to {}), which is no temperature of this model: \
             its pixels are nearly all right, or not better than chance",
            Temperature::RANGE.start(),
            Temperature::RANGE.end()
        );
        if arguments.write {
            return Err(Failure::input(format!(
                "{limit}; nothing was written, name more or other pairs with --data"
            )));
        }
        terminal::note(limit);
    }
    let written = match arguments.write {
        true => located.write_temperature(Temperature::try_from(temperature).map_err(Failure::work)?)?,
        false => None,
    };
    let info = segmenter.info();
    if written.is_some() && info.presence.is_some() {
        terminal::note(
            "presence was calibrated with the probabilities before; calibrate it again with himix presence calibrate",
        );
    }
    let [before, after] = reliability.map(|reliability| reliability.expected_error().unwrap_or_default());
    let had = info.temperature.unwrap_or(1.0);
    if arguments.json {
        let object = json!({
            "temperature": temperature,
            "is_at_limit": is_at_limit,
            "images": images,
            "temperature_before": super::report::number(had),
            "expected_error_before": before,
            "expected_error": after,
            "written": written.as_ref().map(|path| path.to_string_lossy()),
            "skipped": skipped,
        });
        return terminal::print(&format!("{object:#}"));
    }
    let mut text = format!(
        "temperature {temperature} (before: {had}), fitted to {images} images; expected calibration error {before:.4} before \
         and {after:.4} with it ({CALIBRATION_BINS} bins, size of the network)"
    );
    written.iter().for_each(|path| text += &format!("\n{} written", path.display()));
    terminal::print(&text)
}
