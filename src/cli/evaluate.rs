//! `himix evaluate`: Dice and IoU over a split of a data set, per image and pooled.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::predictions::{PredictionsWriter, png_name};
use himix::data::{Dataset, fingerprint, summary, write};
use himix::infer::comparison::kept_about;
use himix::infer::{EvaluationSettings, ModelSource, OpenModel, Segmenter, Shown, evaluate, obedience};
use himix::text::capitalised;

use super::arguments::{DeviceArguments, ModelArguments, PairArguments, margin, threshold};
use super::{Failure, model, obedience as figures, pictures, scores, terminal};

const EXAMPLES: &str = "\
Examples:
  himix evaluate --model my-bundle --data qata --split test
  himix evaluate --model my-bundle --data qata --split test --json --csv scores.csv
  himix evaluate --model my-bundle --data qata --split test --shuffle-prompts 1
  himix evaluate --data qata --split test --overlays pictures --worst 10
  himix evaluate --model medsam --data qata --split test --box-from-truth 10
  himix evaluate --model my-bundle --data qata --split test --predictions predictions/my-bundle
  himix evaluate --data qata --split test --obedience

`himix data DIR` lists the splits of a folder and their problems. Scores per image are the mean and the standard deviation over the scores
of all images. Pooled scores are computed once from the pixels of all images together. The two can differ considerably.";

/// Score a model on a split of a data set, per image and pooled
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Split to score, for instance test, or "all" if the data set names no splits
    #[arg(long, value_name = "SPLIT")]
    split: String,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    reading: PairArguments,
    /// Shuffle the prompts among the images with this seed, to measure the influence of the text
    #[arg(long, value_name = "SEED")]
    shuffle_prompts: Option<u64>,
    /// Also score the mask of every decoder stage, per image and pooled; the model must have stage read-outs
    /// (himix train --readout)
    #[arg(long)]
    stages: bool,
    /// Prompt a model that takes a box (MedSAM) with the box around the ground truth of each image, moved outwards by this
    /// number of pixels. The model is then told the place of the answer, which the scores of other models are not
    #[arg(long, value_name = "MARGIN", value_parser = margin, allow_negative_numbers = true, conflicts_with = "shuffle_prompts")]
    box_from_truth: Option<f32>,
    /// Ask for each side and for each zone of each side alone, in every image, and report instead of scores how often at
    /// least half of the mask lies there; for X-rays and CT slices of the chest
    #[arg(long, conflicts_with_all = ["shuffle_prompts", "stages", "csv", "overlays"])]
    obedience: bool,
    #[command(flatten)]
    device: DeviceArguments,
    /// CSV file for the scores of every image
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Folder for a picture of every image with true positives in yellow, false negatives in red and false
    /// positives in green; created if necessary
    #[arg(long, value_name = "DIR")]
    overlays: Option<PathBuf>,
    /// Folder for the probabilities of every image, which himix compare and other programs read; created if necessary
    #[arg(long, value_name = "DIR")]
    predictions: Option<PathBuf>,
    /// Number of cases to list, by ascending Dice
    #[arg(long, value_name = "N", default_value = "5")]
    worst: usize,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Evaluates the model that `open` opens.
pub fn run(arguments: &EvaluateArguments, open: &OpenModel) -> Result<(), Failure> {
    let (data, split) = (&arguments.data, &arguments.split);
    let with_prompts = match Dataset::open(data, split) {
        // What is wrong with the prompts does not matter to every network, and the model has to be read to know it.
        Err(_) if Dataset::open_without_prompts(data, split).is_ok() => None,
        opened => Some(opened?),
    };
    let source = arguments.model.source(arguments.vocab.as_ref());
    let mut segmenter = model::open(open, &source, arguments.device.choice()?, "scores")?;
    let info = segmenter.info();
    let needs_prompts = info.is_prompted() && arguments.box_from_truth.is_none();
    let mut dataset = match (needs_prompts, with_prompts) {
        (true, Some(dataset)) => dataset,
        (true, None) => Dataset::open(data, split)?,
        (false, _) => Dataset::open_without_prompts(data, split)?,
    };
    dataset.reading = arguments.reading.over(dataset.reading);
    summary(&dataset.findings).into_iter().for_each(terminal::note);
    if arguments.shuffle_prompts.is_some() {
        model::must_read_text(segmenter.as_ref(), "there are no prompts to shuffle")?;
    }
    if arguments.stages && segmenter.info().linear_probes.is_none() {
        let name = arguments.model.model.display();
        let fit = format!("fit them with: himix train --readout --model {name} --data DIR");
        return Err(Failure::input(format!("{name}: the model has no stage read-outs (linear probes); {fit}")));
    }
    if arguments.obedience {
        model::must_read_text(segmenter.as_ref(), "there are no words to obey")?;
        return obey(arguments, segmenter.as_mut(), &dataset);
    }
    if info.takes_box && arguments.box_from_truth.is_none() {
        let name = arguments.model.model.display();
        return Err(Failure::input(format!(
            "{name}: the model takes a box and not a text; give --box-from-truth MARGIN to prompt it with the boxes of the ground truth"
        )));
    }
    let settings = EvaluationSettings {
        threshold: arguments.threshold,
        shuffle_seed: arguments.shuffle_prompts,
        stages: arguments.stages,
        box_from_truth: arguments.box_from_truth,
    };
    if arguments.box_from_truth.is_some() && !segmenter.info().takes_box {
        let name = arguments.model.model.display();
        return Err(Failure::input(format!("{name}: the model takes no box; leave --box-from-truth out")));
    }
    if let Some(folder) = &arguments.overlays {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::work(format!("{}: the folder cannot be created ({error}); choose another", folder.display()))
        })?;
    }
    let mut writer = match &arguments.predictions {
        Some(folder) => Some(writer(folder, &source, segmenter.as_ref(), &dataset, arguments)?),
        None => None,
    };
    let bar = terminal::bar(dataset.samples.len(), "images");
    let progress = |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let evaluation = evaluate(
        segmenter.as_mut(),
        &dataset,
        settings,
        progress,
        |Shown { sample, prompt, image, predicted, probability, truth }| {
            if let Some(writer) = &mut writer {
                let fingerprint = fingerprint::of_file(&sample.image, &|_| true)?;
                writer.add(
                    [&sample.name, prompt, &fingerprint],
                    [image.width, image.height],
                    &probability.values,
                )?;
            }
            let Some(folder) = &arguments.overlays else { return Ok(()) };
            let path = folder.join(png_name(&sample.name));
            write::png_rgb(&path, image.width, image.height, &pictures::overlay(image, predicted, Some(truth)))
        },
    )?;
    if let Some(writer) = &mut writer {
        evaluation.skipped.iter().for_each(|skipped| writer.leave_out(&skipped.name, &skipped.reason));
        writer.finish()?;
    }
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    evaluation.skipped.iter().for_each(|skipped| terminal::note(format!("left out: {}", skipped.reason)));
    if let Some(path) = &arguments.csv {
        scores::write_table(path, &evaluation)?;
    }
    if arguments.json {
        return terminal::print(&format!("{:#}", scores::object(&evaluation, arguments.worst)));
    }
    let info = segmenter.info();
    let mut text = format!(
        "{}, split {}: {} images at threshold {} on {}\n",
        arguments.data.display(),
        arguments.split,
        evaluation.images.len(),
        arguments.threshold,
        info.device
    );
    text += &scores::text(&evaluation, arguments.worst);
    text += &scores::stages_text(&evaluation, &info.stages);
    let written = arguments.csv.iter().chain(&arguments.overlays).chain(&arguments.predictions);
    written.for_each(|path| text += &format!("\n{} written", path.display()));
    terminal::print(&text)
}

/// Opens the folder of the predictions.
fn writer(
    folder: &Path,
    source: &ModelSource,
    model: &dyn Segmenter,
    dataset: &Dataset,
    arguments: &EvaluateArguments,
) -> Result<PredictionsWriter, Failure> {
    if arguments.shuffle_prompts.is_some() {
        return Err(Failure::input(
            "predictions of shuffled prompts are not kept; leave out --predictions or --shuffle-prompts",
        ));
    }
    let mut about = kept_about(source, model, dataset, arguments.threshold)?;
    if let Some(margin) = arguments.box_from_truth {
        // Whoever compares the predictions has to know it.
        about.description =
            format!("{} {}.", about.description, capitalised(&scores::told(margin))).trim().to_owned();
    }
    let cases: Vec<(&str, &str)> =
        dataset.samples.iter().map(|sample| (sample.name.as_str(), sample.prompt.as_str())).collect();
    Ok(PredictionsWriter::open(folder, about, &cases)?)
}

/// Measures how often the masks obey the words of a place.
fn obey(arguments: &EvaluateArguments, segmenter: &mut dyn Segmenter, dataset: &Dataset) -> Result<(), Failure> {
    let bar = terminal::bar(dataset.samples.len(), "images");
    let found = obedience(segmenter, dataset, arguments.threshold, |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    model::notices(segmenter);
    // Nothing breaks the progress.
    let Some(found) = found else { return Ok(()) };
    found.skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    if arguments.json {
        let mut object = figures::object(&found);
        object["threshold"] = super::report::number(arguments.threshold).into();
        return terminal::print(&format!("{object:#}"));
    }
    terminal::print(&format!(
        "{}, split {}, threshold {}, {}\n{}",
        arguments.data.display(),
        arguments.split,
        arguments.threshold,
        segmenter.info().device,
        figures::text(&found)
    ))
}
