//! `himix figure`: draws the intermediate results of the network in the arrangement of the paper's figures, with
//! their numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use himix::analysis::figure::{self, Case, Content, Figure, FigureError, Format, Model, Options, Picture};
use himix::analysis::maps::MapKind;
use himix::data::dataset::pair;
use himix::data::{Dataset, Mask, PairReading, Sample, summary};
use himix::infer::{InspectOptions, Inspection, ModelInfo, ModelSource, OpenModel};

use super::arguments::{DeviceArguments, ModelArguments, threshold};
use super::reading::{ReadImage, ScanArguments, TruthArguments};
use super::{Failure, model, report, terminal};

const EXAMPLES: &str = "\
Examples:
  himix figure stages --image chest.png --prompt \"lower left lung\" --mask truth.png --out stages.png
  himix figure stages --data qata --split test --limit 3 --map change --out stages.svg
  himix figure refinement --image a.png --image b.png --prompt \"left lung\" --out refinement.png
  himix figure weights --model my-bundle --against other-bundle --out weights.svg
  himix figure spectrum --model my-bundle --out spectrum.png --width 1200

Figures:
stages      the image, a map of every decoder stage, the final mask and the ground truth; one row for each image
refinement  the mask of every stage compared with the ground truth, with its scores; needs stage read-outs
spectrum    the learned spectrum filters; for an image also the features before and after them
weights     the weights of the text layers in every group, compared with equal weights; needs no image
similarity  the similarity of the text layers for a prompt

The extension of --out selects the format: .png, .svg or .csv. The numbers of the figure are always written
beside it as .csv, with all digits. Dice and IoU are per image. \"Left\" and \"right\" in a prompt are sides of the
image, not of the patient.";

/// Draw intermediate results of the network as a figure, with its numbers as a table
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FigureArguments {
    /// Figure to draw; the figures are described below
    #[arg(value_name = "FIGURE")]
    kind: Kind,
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Second model for comparison: the folder of a bundle, or a weights file with its configuration beside it
    #[arg(long, value_name = "M")]
    against: Option<PathBuf>,
    /// Image, DICOM series or volume; may be repeated, with one row each
    #[arg(long = "image", value_name = "F")]
    images: Vec<PathBuf>,
    /// Prompt for all images; may be repeated to give one for each image [default: empty]
    #[arg(long = "prompt", value_name = "T", allow_hyphen_values = true, requires = "images")]
    prompts: Vec<String>,
    /// Ground-truth mask; with several images give one for each
    #[arg(long = "mask", value_name = "G", requires = "images")]
    masks: Vec<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    /// Folder of a data set whose images, prompts and masks are used; they are read as its himix-data.toml says
    #[arg(
        long,
        value_name = "DIR",
        requires = "split",
        conflicts_with_all = ["images", "slice", "as_stored", "labels", "mask_rule", "several", "mask_grid"]
    )]
    data: Option<PathBuf>,
    /// Split of the data set, for instance test
    #[arg(long, value_name = "SPLIT", requires = "data")]
    split: Option<String>,
    /// Largest number of images of the data set, spread evenly over its list
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Map that is drawn of every stage
    #[arg(long, value_name = "MAP", default_value = "activation")]
    map: MapName,
    /// Opacity of the maps over the image, 0 to 1; at 1 the image is hidden
    #[arg(long, value_name = "O", default_value = "1", value_parser = opacity)]
    opacity: f32,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    scan: ScanArguments,
    /// Width of a PNG file in pixels
    #[arg(long, value_name = "PX", default_value = "2400", value_parser = clap::value_parser!(u32).range(200..=12_000))]
    width: u32,
    #[command(flatten)]
    device: DeviceArguments,
    /// File of the figure: .png, .svg or .csv; may be repeated
    #[arg(long = "out", value_name = "FILE", required = true)]
    outs: Vec<PathBuf>,
}

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Stages,
    Refinement,
    Spectrum,
    Weights,
    Similarity,
}

/// The maps of the stages.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MapName {
    /// Mean over the channels of the stage's output, scaled to 0 to 1 in each map
    Activation,
    /// Grad-CAM of the mask's mean logit, scaled to a maximum of 1
    Attribution,
    /// Probability of the stage's own mask; needs stage read-outs
    Mask,
    /// Difference from the previous stage: of the probabilities, or of the activations without stage read-outs
    Change,
}

impl MapName {
    fn kind(self) -> MapKind {
        match self {
            Self::Activation => MapKind::Activation,
            Self::Attribution => MapKind::Attribution,
            Self::Mask => MapKind::StageMask,
            Self::Change => MapKind::Change,
        }
    }
}

fn opacity(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("the opacity must be a number from 0 to 1".into()),
    }
}

/// An image with its prompt and its mask.
struct Subject {
    name: String,
    prompt: String,
    seen: ReadImage,
    picture: Picture,
    truth: Option<Arc<Mask>>,
}

/// A model with its inspections of all images.
struct Inspections {
    info: ModelInfo,
    inspections: Vec<Inspection>,
}

/// Draws figures of the models that `open` opens.
pub fn run(arguments: &FigureArguments, open: &OpenModel) -> Result<(), Failure> {
    // Fast checks come before a model is read, which is slow.
    let files = files(arguments)?;
    let subjects = subjects(arguments)?;
    let mut sources = vec![arguments.model.source(arguments.vocab.as_ref())];
    sources.extend(arguments.against.as_ref().map(ModelSource::new));
    let mut looks = Vec::new();
    for source in &sources {
        looks.push(look(arguments, open, source, &subjects)?);
    }
    let models = looks.iter().map(|look| Model {
        info: &look.info,
        overrides: None,
        inspections: look.inspections.iter().collect(),
        original: None,
    });
    let cases = subjects.iter().map(|subject| Case {
        name: &subject.name,
        picture: &subject.picture,
        lengths: subject.seen.volume.geometry.lengths(),
        truth: subject.truth.as_deref(),
    });
    let content = Content { models: models.collect(), cases: cases.collect() };
    let figure = drawn(arguments, &content)?;
    let busy = terminal::busy("drawing");
    for path in &files {
        figure.write(path, arguments.width)?;
    }
    drop(busy);
    let lines: Vec<String> = files.iter().map(|path| format!("{} written", path.display())).collect();
    terminal::print(&lines.join("\n"))
}

fn drawn(arguments: &FigureArguments, content: &Content) -> Result<Figure, FigureError> {
    let options = Options {
        threshold: arguments.threshold,
        map: arguments.map.kind(),
        opacity: arguments.opacity,
        ..Options::default()
    };
    match arguments.kind {
        Kind::Stages => figure::stages(content, &options),
        Kind::Refinement => figure::refinement(content, &options),
        Kind::Spectrum => figure::spectrum(content),
        Kind::Weights => figure::weights(content),
        Kind::Similarity => figure::similarity(content),
    }
}

/// Returns the files to write: those that were requested, and a table of numbers beside each.
fn files(arguments: &FigureArguments) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for out in &arguments.outs {
        Format::of(out)?;
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(Failure::input(format!(
                "{}: the folder {} does not exist; make it or choose another",
                out.display(),
                folder.display()
            )));
        }
        for file in [out.clone(), out.with_extension("csv")] {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    let inputs = arguments.images.iter().chain(&arguments.masks);
    let same = |a: &Path, b: &Path| a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b));
    for input in inputs {
        if files.iter().any(|file| same(file, input)) {
            let name = input.display();
            return Err(Failure::input(format!(
                "{name}: the figure would replace its own image; choose another --out"
            )));
        }
    }
    Ok(files)
}

/// Reads the images, their masks and prompts; empty for a figure of the model alone.
fn subjects(arguments: &FigureArguments) -> Result<Vec<Subject>, Failure> {
    if let (Some(root), Some(split)) = (&arguments.data, &arguments.split) {
        return of_dataset(arguments, root, split);
    }
    let count = arguments.images.len();
    if count == 0 && matches!(arguments.kind, Kind::Stages | Kind::Refinement | Kind::Similarity) {
        return Err(Failure::input(
            "this figure needs images; give one with --image, or a data set with --data and --split",
        ));
    }
    let prompts = &arguments.prompts;
    if prompts.len() > 1 && prompts.len() != count {
        let (prompts, images) = (prompts.len(), count);
        return Err(Failure::input(format!(
            "--prompt is given {prompts} times for {images} images; give one for all or one for each"
        )));
    }
    let masks = &arguments.masks;
    if !masks.is_empty() && masks.len() != count {
        let masks = masks.len();
        return Err(Failure::input(format!(
            "--mask is given {masks} times for {count} images; give one for each or none"
        )));
    }
    let prompt = |index: usize| prompts.get(index).or(prompts.first()).cloned().unwrap_or_default();
    let images = arguments.images.iter().enumerate();
    images
        .map(|(index, path)| subject(arguments, path, prompt(index), masks.get(index).map(PathBuf::as_path)))
        .collect()
}

fn of_dataset(arguments: &FigureArguments, root: &Path, split: &str) -> Result<Vec<Subject>, Failure> {
    let dataset = Dataset::open(root, split)?;
    summary(&dataset.findings).into_iter().for_each(terminal::note);
    let count = dataset.samples.len();
    let wanted = (arguments.limit as usize).min(count);
    let samples = (0..wanted).map(|index| &dataset.samples[index * count / wanted]);
    samples.map(|sample| of_sample(arguments, sample, &dataset.reading)).collect()
}

fn of_sample(arguments: &FigureArguments, sample: &Sample, reading: &PairReading) -> Result<Subject, Failure> {
    let pair = pair::read(sample, reading)?;
    let seen = arguments.scan.of_image(pair.image, &sample.image)?;
    let (name, prompt, picture) = (sample.name.clone(), sample.prompt.clone(), Picture::of(&seen.image));
    Ok(Subject { name, prompt, picture, seen, truth: Some(Arc::new(pair.mask)) })
}

fn subject(
    arguments: &FigureArguments,
    path: &Path,
    prompt: String,
    mask: Option<&Path>,
) -> Result<Subject, Failure> {
    let seen = arguments.scan.read(path)?;
    let truth = mask.map(|mask| arguments.truth.read(&seen, &[mask.to_owned()])).transpose()?;
    let truth = truth.and_then(|truth| truth.mask(seen.slice));
    let mut name =
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    if seen.volume.slices > 1 {
        name += &format!(", slice {}", seen.slice + 1);
    }
    Ok(Subject { name, prompt, picture: Picture::of(&seen.image), seen, truth })
}

/// Opens a model, inspects every image with it, and closes it.
fn look(
    arguments: &FigureArguments,
    open: &OpenModel,
    source: &ModelSource,
    subjects: &[Subject],
) -> Result<Inspections, Failure> {
    let device = arguments.device.choice_for(subjects.len())?;
    let mut segmenter = model::open(open, source, device, "masks")?;
    let info = segmenter.info();
    let needs_linear_probes = match arguments.kind {
        Kind::Refinement => true,
        Kind::Stages => arguments.map.kind() == MapKind::StageMask,
        Kind::Spectrum | Kind::Weights | Kind::Similarity => false,
    };
    if needs_linear_probes && info.linear_probes.is_none() {
        let name = source.path().display();
        let fit = format!("fit them with: himix train --readout --model {name} --data DIR");
        return Err(Failure::input(format!("{name}: the model has no stage read-outs (linear probes); {fit}")));
    }
    let wanted = InspectOptions {
        stages: arguments.kind != Kind::Weights,
        attribution: arguments.kind == Kind::Stages && arguments.map.kind() == MapKind::Attribution,
        spectra: arguments.kind == Kind::Spectrum,
        similarity: arguments.kind == Kind::Similarity,
        ..InspectOptions::default()
    };
    let bar = terminal::bar(subjects.len(), "images");
    let mut inspections = Vec::new();
    for subject in subjects.iter().filter(|_| wanted.stages) {
        let inspection = segmenter.inspect(&subject.seen.image, &subject.prompt, None, wanted)?;
        report::notes(&info, &inspection.prediction, true).into_iter().for_each(terminal::note);
        inspections.push(inspection);
        bar.inc(1);
    }
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    Ok(Inspections { info, inspections })
}
