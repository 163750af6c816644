//! `himix threshold`: chooses the threshold of a model for each kind of image.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use himix::data::Dataset;
use himix::data::describe::Kind;
use himix::infer::{FEWEST_IMAGES, OpenModel, ThresholdFit, fit_thresholds};
use himix::model::weights::bundle;
use himix::model::weights::thresholds::{self, KindThreshold, KindThresholds};
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, ModelArguments};
use super::report::number;
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix threshold --model my-bundle --data qata --split val
  himix threshold --model my-bundle --data qata --data ct --data kvasir --write

For X-rays, CT slices and endoscopy frames, which are told by their look, the threshold from 0.05 to 0.95 with the highest mean Dice score per image is
found. Take pairs that the model was not trained on. With --write the thresholds are kept beside the weights (thresholds.json). The
window then draws masks of images of that kind at their threshold, unless a threshold of one's own is set; the other commands take --threshold
as before.";

/// Choose the threshold of a model for each kind of image
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ThresholdArguments {
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
    /// Keep the thresholds beside the model
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Chooses the thresholds of the model that `open` opens.
pub fn run(arguments: &ThresholdArguments, open: &OpenModel) -> Result<(), Failure> {
    let (mut samples, mut names) = (Vec::new(), Vec::new());
    for root in &arguments.data {
        let dataset = Dataset::open(root, &arguments.split)?;
        samples.extend(dataset.samples.into_iter().map(|sample| (sample, dataset.reading.clone())));
        names.push(root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned());
    }
    let source = arguments.model.source(arguments.vocab.as_ref());
    // This is determined before the work, so that the result is not lost because it cannot be stored.
    let path = bundle::locate(&source)?.thresholds_path();
    if arguments.write && path.is_none() {
        return Err(Failure::input("this model has no folder of its own; leave out --write, or name a bundle"));
    }
    let device = arguments.device.choice_for(samples.len())?;
    let mut segmenter = model::open(open, &source, device, "masks")?;
    let bar = terminal::bar(samples.len(), "images");
    let found = fit_thresholds(segmenter.as_mut(), &samples, |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    // Nothing breaks the progress.
    let Some(ThresholdFit { kinds, too_few, skipped }) = found else { return Ok(()) };
    skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    for (kind, images) in &too_few {
        terminal::note(format!("{kind}: {images} images are too few for a threshold, {FEWEST_IMAGES} are needed"));
    }
    if kinds.is_empty() {
        return Err(Failure::input("no kind of image has enough images; name more pairs with --data"));
    }
    let written = path.filter(|_| arguments.write);
    if let Some(path) = &written {
        let description = format!("{}, split {}", names.join(", "), arguments.split);
        let kinds = kinds.iter().map(|(kind, found)| (kind.to_string(), *found)).collect();
        thresholds::write(path, &KindThresholds { description, kinds })?;
    }
    if arguments.json {
        let one = |(kind, found): &(Kind, KindThreshold)| {
            json!({
                "kind": kind.to_string(),
                "threshold": number(found.threshold),
                "images": found.images,
                "dice_per_image": found.dice,
                "dice_per_image_at_half": found.dice_at_half,
            })
        };
        let object: Value = json!({
            "kinds": kinds.iter().map(one).collect::<Vec<_>>(),
            "written": written.as_ref().map(|path| path.to_string_lossy()),
            "skipped": skipped,
        });
        return terminal::print(&format!("{object:#}"));
    }
    let line = |(kind, found): &(Kind, KindThreshold)| {
        let KindThreshold { threshold, images, dice, dice_at_half } = found;
        format!(
            "{kind:<10} threshold {threshold:.2}: Dice per image {dice:.3} ({dice_at_half:.3} at 0.50), {images} images"
        )
    };
    let mut text = kinds.iter().map(line).collect::<Vec<_>>().join("\n");
    written.iter().for_each(|path| text += &format!("\n{} written", path.display()));
    terminal::print(&text)
}
