//! `himix batch`: masks of all images of a folder.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use himix::analysis::batch::{BatchCase, BatchEvent, BatchSettings, BatchSummary, batch};
use himix::analysis::export::Formats;
use himix::data::dataset::{PromptFile, pair};
use himix::data::worklist::Item;
use himix::data::{Area, Limit, Sample, Window, worklist};
use himix::infer::OpenModel;
use serde_json::json;

use super::arguments::{DeviceArguments, ModelArguments, margin, threshold};
use super::reading::parse_window;
use super::slices::codes;
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix batch images --prompt \"left lung\" --out masks
  himix batch images --prompts prompts.csv --out masks --format png,csv
  himix batch ct-studies --prompt \"right lung\" --out masks --format nifti,dicom-seg,csv --json

The images are those that the window lists for the folder: the pairs of a data set, image files, and the series of DICOM files.
Results of batches that lie among them are left out. A stack is segmented in all slices. Without --prompt and --prompts, every
image has the prompts that its data set gives it.

Every image has a folder of its own below --out, with the path that it has below DIR. With several prompts, each has a folder in
it: 0, 1, … The files are, by --format:
png        mask.png; of a stack mask_001.png, …
nifti      mask.nii.gz, and mask.labels.txt with the name of its label
dicom-seg  mask.dcm, and mask_probability.dcm with the probabilities; for DICOM images only
csv        mask_measurements.csv: areas, diameters, volumes and values

manifest.json in the folder of --out says what became of every mask. What is done is skipped, so a batch that was ended, also with
Ctrl-C, goes on where it was when the same command is given again. If image, prompt, model, threshold, window, formats or
segment codes are others than before, the masks are made anew, and files of the same name are replaced. An image that fails gives one line on standard error
and does not end the batch. The exit status is 0 if all masks were made, 1 if some
failed or were written in some of the formats only, and 2 if nothing could begin.";

/// Segment all images of a folder; goes on where an earlier run ended
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BatchArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of the images
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Prompt for all images; may be repeated, one mask of every image is then made for each
    #[arg(long = "prompt", value_name = "T", allow_hyphen_values = true)]
    prompts: Vec<String>,
    /// File of further prompts: a table (CSV, XLSX, JSON) with rows for the images, or a text with one prompt a line for
    /// all of them
    #[arg(long = "prompts", value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Prompt a model that takes a box (MedSAM) with the box around the ground truth of each image, moved outwards by this
    /// number of pixels. The model is then told the place of the answer. Images without ground truth are left out
    #[arg(long, value_name = "MARGIN", value_parser = margin, allow_negative_numbers = true, conflicts_with_all = ["prompts", "prompt_file"])]
    box_from_truth: Option<f32>,
    /// Folder for the results, created if necessary
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Formats of the masks: one or several of png, nifti, dicom-seg and csv, with commas
    #[arg(long, value_name = "LIST", default_value = "png")]
    format: Formats,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    /// Display window for the network's input: level and width in the unit of the values (HU for CT), for
    /// instance -600,1500 [default: the file's own window, else the usual one for its kind of image]
    #[arg(long, value_name = "L,W", allow_hyphen_values = true, value_parser = parse_window)]
    window: Option<Window>,
    /// Own list of codes for DICOM segmentations, before the list of the program (see docs/files.md)
    #[arg(long, value_name = "FILE")]
    segment_codes: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the batch with the model that `open` opens.
pub fn run(arguments: &BatchArguments, open: &OpenModel) -> Result<(), Failure> {
    let (mut cases, without) = cases(arguments)?;
    let source = arguments.model.source(arguments.vocab.as_ref());
    let settings = BatchSettings {
        model: source.clone(),
        threshold: arguments.threshold,
        window: arguments.window,
        formats: arguments.format.clone(),
        limit: Limit::default(),
        codes: codes(arguments.segment_codes.as_deref())?,
    };
    let device = arguments.device.choice_for(cases.iter().map(|case| case.prompts.len().max(1)).sum())?;
    let mut segmenter = model::open(open, &source, device, "masks")?;
    let info = segmenter.info();
    if arguments.box_from_truth.is_some() && !info.takes_box {
        let name = arguments.model.model.display();
        return Err(Failure::input(format!("{name}: the model takes no box; leave --box-from-truth out")));
    }
    if !info.is_prompted() {
        if !arguments.prompts.is_empty() || arguments.prompt_file.is_some() {
            terminal::note(format!("{} reads no prompt: the masks follow the images alone", info.name));
        }
        cases.iter_mut().for_each(|case| case.prompts = vec![String::new()]);
    } else if let Some(without) = without {
        return Err(without);
    }
    let bar = terminal::bar(0, "masks");
    let report = |event: BatchEvent<'_>| {
        match event {
            BatchEvent::Progress { done, count } => {
                bar.set_length(count as u64);
                bar.set_position(done as u64);
            }
            BatchEvent::Partial { image, reason } => {
                bar.suspend(|| terminal::note(format!("not in all formats: {image}: {reason}")))
            }
            BatchEvent::Failed { image, reason } => {
                bar.suspend(|| terminal::note(format!("failed: {image}: {reason}")))
            }
        }
        ControlFlow::Continue(())
    };
    let summary = batch(segmenter.as_mut(), &arguments.folder, &cases, &settings, &arguments.out, report)?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    let BatchSummary { images, done, known, partial, failed, manifest, .. } = &summary;
    if arguments.json {
        let mut object = json!({
            "images": images,
            "done": done,
            "skipped": known,
            "partial": partial,
            "failed": failed,
            "manifest": manifest.to_string_lossy(),
        });
        if let Some(margin) = arguments.box_from_truth {
            object["box_from_truth"] = json!({ "margin_pixels": margin });
        }
        terminal::print(&format!("{object:#}"))?;
    } else {
        if let Some(margin) = arguments.box_from_truth {
            terminal::note(super::scores::told(margin));
        }
        terminal::print(&format!(
            "{images} images: {done} masks made, {known} were done before, {partial} in some of the formats only, {failed} failed\n\
             {} written\n",
            manifest.display()
        ))?;
    }
    let masks = |count: usize| if count == 1 { "1 mask".to_owned() } else { format!("{count} masks") };
    let lacking = format!("{} could not be written in all formats", masks(*partial));
    match (failed, partial) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::work(format!("{lacking}; the manifest has the reasons"))),
        (_, 0) => Err(Failure::work(format!("{} failed; the manifest has the reasons", masks(*failed)))),
        _ => Err(Failure::work(format!("{} failed and {lacking}; the manifest has the reasons", masks(*failed)))),
    }
}

/// Returns the images of the folder with their prompts, and what to say to a model that reads prompts if there are none.
fn cases(arguments: &BatchArguments) -> Result<(Vec<BatchCase>, Option<Failure>), Failure> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        return Err(Failure::input(format!(
            "{}: this is no folder; give the folder of the images",
            folder.display()
        )));
    }
    let items = worklist::list(folder)?;
    let file = arguments.prompt_file.as_deref().map(PromptFile::read).transpose()?;
    let (mut remarks, mut missing) = (BTreeSet::new(), None);
    let mut cases = Vec::with_capacity(items.len());
    for item in items {
        let mut prompts = arguments.prompts.clone();
        let name = item.path.file_name().unwrap_or_default().to_string_lossy();
        match file.as_ref().map(|file| file.prompts(&name)) {
            Some(Ok(list)) => {
                prompts.extend(list.prompts);
                remarks.extend(list.remarks);
            }
            Some(Err(error)) => missing = missing.or(Some(error)),
            None => {}
        }
        if let Some(margin) = arguments.box_from_truth {
            match box_of_truth(&item, margin) {
                Ok(area) => prompts.push(area.to_string()),
                Err(reason) => {
                    remarks.insert(format!("left out: {name}: {reason}"));
                    continue;
                }
            }
        } else if prompts.is_empty() && file.is_none() {
            prompts.extend(item.prompt.clone());
            prompts.extend(item.variants.iter().cloned());
        }
        let mut known = HashSet::new();
        prompts.retain(|prompt| known.insert(prompt.clone()));
        cases.push(BatchCase { item, prompts });
    }
    let without = cases.iter().all(|case| case.prompts.is_empty()).then(|| {
        let what = match arguments.box_from_truth {
            Some(_) => "no image has a ground truth to draw a box around; give boxes as prompts with --prompts",
            None => "its images have no prompts; give one with --prompt or --prompts",
        };
        let none = format!("{}: {what}", folder.display());
        missing.map_or_else(|| Failure::input(none), Failure::from)
    });
    remarks.into_iter().for_each(terminal::note);
    Ok((cases, without))
}

/// Returns the box around the ground truth of an image, or why there is none.
fn box_of_truth(item: &Item, margin: f32) -> Result<Area, String> {
    if item.truth.is_empty() {
        return Err("there is no ground truth, and so no box around it".into());
    }
    let sample = Sample {
        image: item.path.clone(),
        masks: item.truth.clone(),
        prompt: String::new(),
        variants: Vec::new(),
        name: item.name.clone(),
    };
    let pair = pair::read(&sample, &item.reading).map_err(|error| error.to_string())?;
    Area::around(&pair.mask, margin)
        .ok_or_else(|| "the ground truth is empty, so that there is no box around it".into())
}
