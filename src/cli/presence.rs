//! `himix presence`: calibrates how likely it is that what a prompt names is in an image, and scores the calibration.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use himix::data::phantom::Kind;
use himix::data::{Dataset, worklist};
use himix::infer::{
    OpenModel, PresenceCalibration, PresenceCase, PresenceCases, PresenceGroup, PresenceImage, Segmenter,
    calibrate_presence, local, presence_cases, presence_groups, presence_logit,
};
use himix::model::weights::presence;
use serde_json::json;

use super::arguments::{DeviceArguments, ModelArguments};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix presence calibrate --model my-bundle --data qata --normal cxr_normal --phantoms 100
  himix presence evaluate --model my-bundle --phantoms 100 --seed 2 --json

Presence is computed from the probability map: the log-odds of its maximum, the log-odds of the mean of its highest 1 %, the share
of pixels of at least 0.5, and the log-odds of their mean enter a logistic regression. It says what the calibration images say, and of other kinds of images
little. Images without lesion get the prompts of images with lesions. 0.5 stands for even odds.";

/// Calibrate how likely it is that what a prompt names is in an image, or score a calibration
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PresenceArguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fit a model's calibration to images with and without lesion, and write it into the bundle
    Calibrate(CalibrateArguments),
    /// Score the calibration of a model: the area under the ROC curve for each kind of image
    Evaluate(ImageArguments),
}

#[derive(Debug, Args)]
struct CalibrateArguments {
    #[command(flatten)]
    images: ImageArguments,
    /// File for the calibration [default: presence.json in the model's bundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The model and the images.
#[derive(Debug, Args)]
struct ImageArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of a data set; may be repeated. A pair whose mask is empty has no lesion
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Split of the data sets
    #[arg(long, value_name = "SPLIT", default_value = "val")]
    split: String,
    /// Folder of images without lesion; may be repeated. Of a data set, the split is taken
    #[arg(long, value_name = "DIR")]
    normal: Vec<PathBuf>,
    /// Number of phantoms of every kind, each with and without lesion
    #[arg(long, value_name = "N", default_value_t = 0)]
    phantoms: u64,
    /// Seed of the phantoms
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Largest number of pairs of each data set, spread evenly over its list; 0 takes all
    #[arg(long, value_name = "N", default_value_t = 0)]
    limit: usize,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command with the model that `open` opens.
pub fn run(arguments: &PresenceArguments, open: &OpenModel) -> Result<(), Failure> {
    match &arguments.task {
        Task::Calibrate(arguments) => calibrate(arguments, open),
        Task::Evaluate(arguments) => evaluate(arguments, open),
    }
}

fn calibrate(arguments: &CalibrateArguments, open: &OpenModel) -> Result<(), Failure> {
    let (images, origin) = arguments.images.images()?;
    let mut segmenter = arguments.images.open(open, images.len())?;
    // The target is determined before the work, so that the result is not lost because it cannot be stored.
    let target = match &arguments.out {
        Some(path) => path.clone(),
        None => {
            local(segmenter.as_mut(), "its calibration cannot be stored")?.presence_path().ok_or_else(|| {
                Failure::input("this model has no folder of its own; give a file for the calibration with --out")
            })?
        }
    };
    let cases = cases(segmenter.as_mut(), &images)?;
    let calibration = calibrate_presence(&origin, &cases).ok_or_else(|| {
        Failure::input(
            "a calibration needs images of one kind both with and without lesion; add --normal DIR or --phantoms N",
        )
    })?;
    presence::write(&target, &calibration).map_err(Failure::work)?;
    print(arguments.images.json, &calibration, &calibration.groups, &target.display().to_string(), "written")
}

fn evaluate(arguments: &ImageArguments, open: &OpenModel) -> Result<(), Failure> {
    let (images, _) = arguments.images()?;
    let mut segmenter = arguments.open(open, images.len())?;
    let info = segmenter.info();
    let Some(calibration) = info.presence else {
        let name = arguments.model.model.display();
        return Err(Failure::input(format!(
            "{name}: the model is not calibrated for presence; do so with: himix presence calibrate --model {name} --data DIR --normal DIR"
        )));
    };
    let cases = cases(segmenter.as_mut(), &images)?;
    let scores: Vec<f64> = cases.iter().map(|case| presence_logit(&calibration, &case.features)).collect();
    print(arguments.json, &calibration, &presence_groups(&cases, &scores), &info.name, "scored")
}

impl ImageArguments {
    fn open(&self, open: &OpenModel, images: usize) -> Result<Box<dyn Segmenter>, Failure> {
        let source = self.model.source(self.vocab.as_ref());
        let segmenter = model::open(open, &source, self.device.choice_for(images)?, "masks")?;
        model::must_read_text(segmenter.as_ref(), "whether a finding is present is asked with a prompt")?;
        Ok(segmenter)
    }

    /// Returns the images, and where they come from.
    fn images(&self) -> Result<(Vec<PresenceImage>, String), Failure> {
        let (mut images, mut origins) = (Vec::new(), Vec::new());
        for root in &self.data {
            let dataset = Dataset::open(root, &self.split)?;
            let count = dataset.samples.len();
            let wanted = if self.limit == 0 { count } else { self.limit.min(count) };
            let sample = |index: usize| dataset.samples[index * count / wanted].clone();
            images.extend((0..wanted).map(|index| PresenceImage::Pair(sample(index), dataset.reading.clone())));
            origins.push(format!("{wanted} pairs of {}, split {}", folder_name(&dataset.root), dataset.split));
        }
        for folder in &self.normal {
            let mut items = worklist::list(folder)?;
            items.retain(|item| item.split.as_ref().is_none_or(|split| *split == self.split));
            if items.is_empty() {
                return Err(Failure::input(format!(
                    "{}: the folder has no images of split {}; choose another with --split",
                    folder.display(),
                    self.split
                )));
            }
            origins.push(format!("{} images without lesion of {}", items.len(), folder_name(folder)));
            images.extend(items.into_iter().map(PresenceImage::Healthy));
        }
        for kind in Kind::ALL {
            let phantoms = (0..self.phantoms)
                .flat_map(|index| [true, false].map(|has| PresenceImage::Phantom(kind, self.seed, index, has)));
            images.extend(phantoms);
        }
        if self.phantoms > 0 {
            let count = 2 * self.phantoms;
            origins
                .push(format!("{count} phantoms of every kind (seed {}), half of them without lesion", self.seed));
        }
        if images.is_empty() {
            return Err(Failure::input("there are no images; name them with --data, --normal or --phantoms"));
        }
        Ok((images, origins.join(", ")))
    }
}

fn folder_name(root: &Path) -> String {
    // A folder that is given as "." has no name before it is resolved.
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned()
}

fn cases(segmenter: &mut dyn Segmenter, images: &[PresenceImage]) -> Result<Vec<PresenceCase>, Failure> {
    let bar = terminal::bar(images.len(), "images");
    let progress = |done: usize, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let found = presence_cases(segmenter, images, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter);
    // Nothing breaks the progress.
    let PresenceCases { cases, skipped } = found.unwrap_or_default();
    skipped.into_iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    Ok(cases)
}

fn print(
    is_json: bool,
    calibration: &PresenceCalibration,
    groups: &[PresenceGroup],
    name: &str,
    done: &str,
) -> Result<(), Failure> {
    if is_json {
        let object = json!({
            "calibrated_on": calibration.description,
            "weights": calibration.weights,
            "bias": calibration.bias,
            "groups": groups,
        });
        return terminal::print(&format!("{object:#}"));
    }
    let mut text = format!("{name} {done}; calibrated on {}\n", calibration.description);
    for PresenceGroup { name, with_lesion, without_lesion, auroc } in groups {
        let auroc = auroc.map_or("no AUROC with one of the two".into(), |auroc| format!("AUROC {auroc:.3}"));
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {name}: {with_lesion} with and {without_lesion} without lesion, {auroc}");
    }
    terminal::print(&text)
}
