//! `himix evaluate`: Dice and IoU over a split of a data set, per image and pooled.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::{Dataset, summary, write};
use himix::infer::{EvaluationSettings, Predictor, evaluate};

use super::arguments::{DeviceArguments, ModelArguments, PairArguments, threshold};
use super::{Failure, pictures, scores, terminal};

const EXAMPLES: &str = "\
Examples:
  himix evaluate --model my-bundle --data qata --split test
  himix evaluate --model my-bundle --data qata --split test --json --csv scores.csv
  himix evaluate --model my-bundle --data qata --split test --shuffle-prompts 1
  himix evaluate --data qata --split test --overlays pictures --worst 10

`himix data DIR` tells which splits a folder has and what is wrong with it. Per image: every image's score, then mean and standard deviation. Pooled: the
pixels of all images counted together. The two differ by points.";

/// Score a model on a split of a data set, per image and pooled
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), where it does not lie beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Split to score
    #[arg(long, value_name = "SPLIT")]
    split: String,
    /// Probability from which on a pixel is foreground, 0 to 1
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    reading: PairArguments,
    /// Give every image the sentence of another one, dealt out by this number
    #[arg(long, value_name = "SEED")]
    shuffle_prompts: Option<u64>,
    /// Score the mask of every decoder stage too; the model must have read-outs (himix train --readout)
    #[arg(long)]
    stages: bool,
    #[command(flatten)]
    device: DeviceArguments,
    /// Write the scores of every image as a table
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write every image with its comparison laid over: true positive yellow, false negative red, false positive green
    #[arg(long, value_name = "DIR")]
    overlays: Option<PathBuf>,
    /// Cases to list, the worst first
    #[arg(long, value_name = "N", default_value = "5")]
    worst: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Evaluates.
pub fn run(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let mut dataset = Dataset::open(&arguments.data, &arguments.split)?;
    dataset.reading = arguments.reading.over(dataset.reading);
    summary(&dataset.findings).into_iter().for_each(terminal::note);
    let source = arguments.model.source(arguments.vocab.as_ref());
    let busy = terminal::busy("reading the model");
    let mut predictor = Predictor::open(&source, arguments.device.choice())?;
    drop(busy);
    predictor.take_notices().into_iter().for_each(terminal::note);
    if !predictor.info().is_trained {
        terminal::note(format!("{} is untrained; its scores mean nothing", predictor.info().name));
    }
    if arguments.stages && predictor.linear_probes().is_none() {
        let name = arguments.model.model.display();
        let fit = format!("fit them with: himix train --readout --model {name} --data DIR");
        return Err(Failure::input(format!("{name}: the model has no stage read-outs (linear probes); {fit}")));
    }
    let settings = EvaluationSettings {
        threshold: arguments.threshold,
        shuffle_seed: arguments.shuffle_prompts,
        stages: arguments.stages,
    };
    if let Some(folder) = &arguments.overlays {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::work(format!("{}: the folder cannot be made ({error}); choose another", folder.display()))
        })?;
    }
    let bar = terminal::bar(dataset.samples.len(), "images");
    let progress = |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let evaluation = evaluate(&mut predictor, &dataset, settings, progress, |name, image, predicted, truth| {
        let Some(folder) = &arguments.overlays else { return Ok(()) };
        let path = folder.join(Path::new(name).with_extension("png"));
        write::png_rgb(&path, image.width, image.height, &pictures::overlay(image, predicted, Some(truth)))
    })?;
    bar.finish_and_clear();
    predictor.take_notices().into_iter().for_each(terminal::note);
    evaluation.skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    if let Some(path) = &arguments.csv {
        scores::write_table(path, &evaluation)?;
    }
    if arguments.json {
        return terminal::print(&format!("{:#}", scores::object(&evaluation, arguments.worst)));
    }
    let mut text = format!(
        "{}, split {}: {} images at threshold {} on {}\n",
        arguments.data.display(),
        arguments.split,
        evaluation.images.len(),
        arguments.threshold,
        predictor.info().device
    );
    text += &scores::text(&evaluation, arguments.worst);
    let grids = (0..predictor.config().stage_count()).map(|stage| predictor.config().stage_grid(stage));
    text += &scores::stages_text(&evaluation, &grids.collect::<Vec<_>>());
    let written = arguments.csv.iter().chain(&arguments.overlays);
    written.for_each(|path| text += &format!("\n{} written", path.display()));
    terminal::print(&text)
}
