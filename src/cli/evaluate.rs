//! `himix evaluate`: Dice and IoU over a split of a data set, per image and pooled.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use himix::data::{Dataset, MaskRule, write};
use himix::infer::{Evaluation, EvaluationSettings, Predictor, evaluate};
use serde_json::json;

use super::arguments::{DeviceArguments, ModelArguments, threshold};
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix evaluate --model my-bundle --data qata --split test
  himix evaluate --model my-bundle --data qata --split test --json --csv scores.csv
  himix evaluate --model my-bundle --data qata --split test --shuffle-prompts 1

The data set lies as the authors' does: DIR/prompt/SPLIT.csv with the columns Image and Description, images in
DIR/SPLIT/Images, masks in DIR/SPLIT/GTs. Per image: every image's score, then mean and standard deviation. Pooled: the
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
    /// Split to score: the name of a table in DIR/prompt
    #[arg(long, value_name = "SPLIT")]
    split: String,
    /// Probability from which on a pixel is foreground, 0 to 1
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    /// What is foreground in a mask file: above half of the range, or exactly 255 as the authors read it
    #[arg(long, value_name = "RULE", default_value = "half")]
    mask_rule: MaskRuleName,
    /// Give every image the sentence of another one, dealt out by this number
    #[arg(long, value_name = "SEED")]
    shuffle_prompts: Option<u64>,
    #[command(flatten)]
    device: DeviceArguments,
    /// Write the scores of every image as a table
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MaskRuleName {
    Half,
    #[value(name = "exactly-255")]
    Exactly255,
}

/// Evaluates.
pub fn run(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let dataset = Dataset::open(&arguments.data, &arguments.split)?;
    let source = arguments.model.source(arguments.vocab.as_ref());
    let busy = terminal::busy("reading the model");
    let mut predictor = Predictor::open(&source, arguments.device.choice())?;
    drop(busy);
    predictor.take_notices().into_iter().for_each(terminal::note);
    if !predictor.info().is_trained {
        terminal::note(format!("{} is untrained; its scores mean nothing", predictor.info().name));
    }
    let mask_rule = match arguments.mask_rule {
        MaskRuleName::Half => MaskRule::Half,
        MaskRuleName::Exactly255 => MaskRule::Exactly255,
    };
    let settings =
        EvaluationSettings { threshold: arguments.threshold, mask_rule, shuffle_seed: arguments.shuffle_prompts };
    let bar = terminal::bar(dataset.samples.len(), "images");
    let evaluation = evaluate(&mut predictor, &dataset, settings, |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    predictor.take_notices().into_iter().for_each(terminal::note);
    if let Some(path) = &arguments.csv {
        write_table(path, &evaluation)?;
    }
    if arguments.json {
        terminal::print(&format!("{:#}", object(&evaluation)))
    } else {
        let device = &predictor.info().device;
        terminal::print(&text(arguments, &evaluation, device))
    }
}

fn object(evaluation: &Evaluation) -> serde_json::Value {
    let pooled = evaluation.pooled();
    let threshold = f64::from(evaluation.settings.threshold);
    let mut object = json!({
        "count": evaluation.images.len(),
        "threshold": (threshold * 1e6).round() / 1e6,
        "pooled": { "dice": pooled.dice(), "iou": pooled.iou() },
        "per_image": { "dice": evaluation.dice_per_image(), "iou": evaluation.iou_per_image() },
    });
    if let Some(seed) = evaluation.settings.shuffle_seed {
        object["shuffled"] = json!({ "seed": seed, "same_sentence": evaluation.same_sentence });
    }
    object
}

fn text(arguments: &EvaluateArguments, evaluation: &Evaluation, device: &str) -> String {
    let pooled = evaluation.pooled();
    let (dice, iou) = (evaluation.dice_per_image(), evaluation.iou_per_image());
    let count = evaluation.images.len();
    let mut lines = vec![format!(
        "{}, split {}: {count} images at threshold {} on {device}",
        arguments.data.display(),
        arguments.split,
        arguments.threshold
    )];
    if evaluation.settings.shuffle_seed.is_some() {
        let same = evaluation.same_sentence;
        lines.push(format!(
            "prompts shuffled among the images ({same} of them were dealt a sentence equal to their own)"
        ));
    }
    lines.push(format!(
        "pooled      Dice {:6.2} %            IoU {:6.2} %",
        100.0 * pooled.dice(),
        100.0 * pooled.iou()
    ));
    lines.push(format!(
        "per image   Dice {:6.2} ± {:5.2} %    IoU {:6.2} ± {:5.2} %   (mean ± standard deviation)",
        100.0 * dice.mean,
        100.0 * dice.std,
        100.0 * iou.mean,
        100.0 * iou.std
    ));
    if let Some(path) = &arguments.csv {
        lines.push(format!("{} written", path.display()));
    }
    lines.join("\n")
}

fn write_table(path: &Path, evaluation: &Evaluation) -> Result<(), Failure> {
    Ok(write::file(path, |out| {
        let mut table = csv::Writer::from_writer(out);
        let header = ["image", "prompt", "dice_per_image", "iou_per_image"];
        let counted = ["true_positive", "false_positive", "false_negative"];
        table.write_record(header.iter().chain(&counted))?;
        for image in &evaluation.images {
            let counts = &image.counts;
            table.write_record([
                image.name.as_str(),
                image.prompt.as_str(),
                &format!("{:.6}", counts.dice()),
                &format!("{:.6}", counts.iou()),
                &counts.true_positive.to_string(),
                &counts.false_positive.to_string(),
                &counts.false_negative.to_string(),
            ])?;
        }
        table.flush()
    })?)
}
