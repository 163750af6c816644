//! `himix domain`: summarises the features of training pictures, so that a picture of another kind can be told.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use himix::data::phantom::Kind;
use himix::data::worklist;
use himix::infer::{
    Domain, DomainFigure, DomainImage, DomainPictures, DomainRows, OpenModel, Segmenter, domain_rows, fit_domain,
    kind_words, local,
};
use himix::model::weights::{bundle, domain};
use serde_json::json;

use super::arguments::{DeviceArguments, ModelArguments};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix domain fit --model my-bundle --data qata --data kvasir --phantoms 200
  himix domain evaluate --model my-bundle --data qata --split test --data photographs --json

Each folder is a kind of pictures. The features of a picture are the means and standard deviations of the channels of the vision encoder.
They are standardised and projected on the directions in which the training pictures vary most; what is outside of them is one number more.
Mean and covariance of each kind give the Mahalanobis distance. The pictures that are held out set the distance beyond which a picture is
unlike the training pictures, as predict and the window say. A picture that is near may still have a wrong mask.";

/// Summarise the features of a model's training pictures, or see how pictures are told from them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DomainArguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Summarise the training pictures of a model, and write the summary into the bundle
    Fit(FitArguments),
    /// Count how many pictures of each folder are unlike the training pictures
    Evaluate(EvaluateArguments),
}

#[derive(Debug, Args)]
struct FitArguments {
    #[command(flatten)]
    pictures: PictureArguments,
    /// Data set with splits; may be repeated
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Split of the training pictures
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    split: String,
    /// Split of the pictures that are held out, which set the threshold
    #[arg(long, value_name = "SPLIT", default_value = "val")]
    held_out: String,
    /// Largest share of the held-out pictures of a kind, 0 to 1, that may count as unlike
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    false_alarms: f64,
    /// File for the summary [default: domain.json in the model's bundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct EvaluateArguments {
    #[command(flatten)]
    pictures: PictureArguments,
    /// Folder of a data set or of pictures; may be repeated
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Split of the folders that have splits
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    split: String,
}

/// The model and the pictures.
#[derive(Debug, Args)]
struct PictureArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Number of phantoms of every kind
    #[arg(long, value_name = "N", default_value_t = 0)]
    phantoms: u64,
    /// Seed of the phantoms; those that are held out have the next one
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Largest number of pictures of each folder and split, spread evenly over its list; 0 takes all
    #[arg(long, value_name = "N", default_value_t = 0)]
    limit: usize,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Reads a share from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is from 0 to 1".into()),
    }
}

/// Runs the command with the model that `open` opens.
pub fn run(arguments: &DomainArguments, open: &OpenModel) -> Result<(), Failure> {
    match &arguments.task {
        Task::Fit(arguments) => fit(arguments, open),
        Task::Evaluate(arguments) => evaluate(arguments, open),
    }
}

fn fit(arguments: &FitArguments, open: &OpenModel) -> Result<(), Failure> {
    let FitArguments { pictures, data, split, held_out, false_alarms, out } = arguments;
    if split == held_out {
        return Err(Failure::input(
            "pictures that are held out must not be training pictures; name another split with --held-out",
        ));
    }
    let training = pictures.sets(data, split, true, pictures.seed)?;
    let others = pictures.sets(data, held_out, true, pictures.seed + 1)?;
    let count = training.iter().chain(&others).map(|(_, images)| images.len()).sum();
    let mut segmenter = pictures.open(open, count)?;
    // The target is determined before the work, so that the result is not lost because it cannot be stored.
    let target = match out {
        Some(path) => path.clone(),
        None => local(segmenter.as_mut(), "its summary cannot be stored")?.domain_path().ok_or_else(|| {
            Failure::input("this model has no folder of its own; give a file for the summary with --out")
        })?,
    };
    let mut kinds = Vec::new();
    for ((name, training), (_, others)) in training.into_iter().zip(others) {
        let training = rows(segmenter.as_mut(), &training)?;
        let held_out = rows(segmenter.as_mut(), &others)?;
        kinds.push(DomainPictures { name, training, held_out });
    }
    let origin: Vec<String> =
        kinds.iter().map(|kind| format!("{} pictures of {}", kind.training.len(), kind.name)).collect();
    let summary = fit_domain(&origin.join(", "), &kinds, *false_alarms)
        .map_err(|reason| Failure::input(format!("{reason}; name other pictures with --data or --phantoms")))?;
    domain::write(&target, &summary).map_err(Failure::work)?;
    let found = summary.kinds.iter().map(|kind| {
        json!({ "name": kind.name, "pictures": kind.pictures, "held_out": kind.held_out, "threshold": kind.threshold })
    });
    if pictures.json {
        let found: Vec<_> = found.collect();
        return terminal::print(&format!("{:#}", json!({ "summary_of": summary.description, "kinds": found })));
    }
    let mut text = format!("{} written; summary of {}\n", target.display(), summary.description);
    for kind in &summary.kinds {
        let (name, held_out, threshold) = (&kind.name, kind.held_out, kind.threshold);
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {name}: threshold {threshold:.2} (set by {held_out} held-out pictures)");
    }
    terminal::print(&text)
}

fn evaluate(arguments: &EvaluateArguments, open: &OpenModel) -> Result<(), Failure> {
    let pictures = &arguments.pictures;
    let sets = pictures.sets(&arguments.data, &arguments.split, false, pictures.seed)?;
    let located = bundle::locate(&pictures.model.source(pictures.vocab.as_ref()))?;
    let (name, path) = (pictures.model.model.display(), located.domain_path().unwrap_or_default());
    let domain = located.domain()?.and_then(Domain::new).ok_or_else(|| {
        let fit = format!("make one with: himix domain fit --model {name} --data DIR");
        Failure::input(format!("{name}: the model has no summary of its training pictures; {fit}"))
    })?;
    let mut segmenter = pictures.open(open, sets.iter().map(|(_, images)| images.len()).sum())?;
    let (mut objects, mut text) = (Vec::new(), String::new());
    for (name, images) in sets {
        let rows = rows(segmenter.as_mut(), &images)?;
        let figures = rows.iter().map(|row| domain.figure(row)).collect::<Result<Vec<DomainFigure>, String>>();
        let figures = figures.map_err(|reason| Failure::input(format!("{}: {reason}", path.display())))?;
        let unlike = figures.iter().filter(|figure| figure.is_unlike).count();
        let mut distances: Vec<f32> = figures.iter().map(|figure| figure.distance).collect();
        distances.sort_by(f32::total_cmp);
        let median = distances.get(distances.len() / 2).copied();
        objects.push(json!({
            "name": name, "pictures": figures.len(), "unlike": unlike, "median_distance": median,
        }));
        let median = median.map(|median| format!(", median distance {median:.2}")).unwrap_or_default();
        // Writing into a string does not fail.
        let _ = writeln!(text, "{name}: {unlike} of {} unlike the training pictures{median}", figures.len());
    }
    if pictures.json {
        let object = json!({ "summary_of": domain.summary().description, "sets": objects });
        return terminal::print(&format!("{object:#}"));
    }
    terminal::print(&text)
}

impl PictureArguments {
    fn open(&self, open: &OpenModel, images: usize) -> Result<Box<dyn Segmenter>, Failure> {
        let source = self.model.source(self.vocab.as_ref());
        model::open(open, &source, self.device.choice_for(images)?, "features")
    }

    /// Returns the pictures of every folder and the phantoms, with their names. A picture without a split belongs to
    /// every split, unless `must_have_split`.
    fn sets(
        &self,
        data: &[PathBuf],
        split: &str,
        must_have_split: bool,
        seed: u64,
    ) -> Result<Vec<(String, Vec<DomainImage>)>, Failure> {
        let mut sets = Vec::new();
        for folder in data {
            let mut items = worklist::list(folder)?;
            if must_have_split && items.iter().all(|item| item.split.is_none()) {
                return Err(Failure::input(format!(
                    "{}: the folder has pictures without splits, and some must be held out from the fit; name a data set \
                     with the splits {split} and another one (docs/training.md has the layouts), for instance with the \
                     folders train and val",
                    folder.display()
                )));
            }
            items.retain(|item| item.split.as_ref().map_or(!must_have_split, |own| own == split));
            if items.is_empty() {
                let folder = folder.display();
                return Err(Failure::input(format!(
                    "{folder}: the folder has no pictures of split {split}; `himix data {folder}` lists its splits"
                )));
            }
            let wanted = if self.limit == 0 { items.len() } else { self.limit.min(items.len()) };
            let chosen = (0..wanted).map(|index| DomainImage::File(items[index * items.len() / wanted].clone()));
            sets.push((folder_name(folder), chosen.collect()));
        }
        for kind in Kind::ALL.into_iter().filter(|_| self.phantoms > 0) {
            let images = (0..self.phantoms).map(|index| DomainImage::Phantom(kind, seed, index)).collect();
            sets.push((format!("phantom {}", kind_words(kind)), images));
        }
        if sets.is_empty() {
            return Err(Failure::input("there are no pictures; name them with --data or --phantoms"));
        }
        Ok(sets)
    }
}

fn folder_name(root: &Path) -> String {
    // A folder that is given as "." has no name before it is resolved.
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned()
}

fn rows(segmenter: &mut dyn Segmenter, images: &[DomainImage]) -> Result<Vec<Vec<f32>>, Failure> {
    let bar = terminal::bar(images.len(), "images");
    let progress = |done: usize, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let found = domain_rows(segmenter, images, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter);
    // Nothing breaks the progress.
    let DomainRows { rows, skipped } = found.unwrap_or_default();
    skipped.into_iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    Ok(rows)
}
