//! `himix predict`: segments an image with one or several prompts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use himix::analysis::export::{Format, Formats};
use himix::data::dataset::prompt_list;
use himix::data::describe::{self, Describer};
use himix::data::{Area, Image, Mask};
use himix::infer::{ENSEMBLE, InspectOptions, OpenModel, Segmenter, SlicePrediction, local};
use himix::metrics::Confusion;
use himix::model::weights::save;
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, ModelArguments, threshold};
use super::disagreement::Disagreement;
use super::reading::{ScanArguments, TruthArguments};
use super::report::{self, Outcome};
use super::{Failure, model, pictures, slices, terminal, uncertain};

const EXAMPLES: &str = "\
Examples:
  himix predict --model my-bundle --image chest.png --prompt \"lower left lung\" --out result
  himix predict --model my-bundle --image chest.png --mask truth.png --prompt \"lower left lung\" --json
  himix predict --model my-bundle --image chest.png --prompt \"left lung\" --prompt \"right lung\" --out result
  himix predict --image chest.png --prompts prompts.txt --out result --json
  himix predict --image ct-folder --all-slices --prompt \"left lung\" --out result --format nifti,dicom-seg,csv
  himix predict --image chest.png --prompt \"left lung\" --uncertainty uncertainty.png
  himix predict --model authors.ckpt --config config.json --vocab vocab.txt --image chest.png --prompt \"left lung\"
  himix predict --model medsam --image chest.png --box 120,80,340,300 --out result

The folder of --out receives these files, at the image's size in pixels:
mask.png         the mask, 0 or 255
probability.png  the probability, 16 bit, 65535 for 1
overlay.png      the mask drawn over the image
stage_7.png, …   a map of every decoder stage

With several prompts, each has a folder of its own in it (0, 1, …), and beside these folders lie:
pairwise_dice.csv  the Dice of every pair of masks; with --json every object has its row of it as pairwise_dice
disagreement.png   the share of the prompts that mark a pixel, 16 bit, 65535 where all do

--format says what is written instead:
png        the files above; with --all-slices the mask of every slice: mask_001.png, …
nifti      mask.nii.gz, a label map on the grid of the source, and mask.labels.txt with the name of its label
dicom-seg  mask.dcm, and mask_probability.dcm with the probabilities; for DICOM images only
csv        mask_measurements.csv: areas, diameters, volumes and values
Files of the last three are read again and compared before they get their names.

Dice and IoU are those of this image. \"Left\" and \"right\" in a prompt are sides of the image, not of the patient.";

/// The most prompts of one command, whose masks are all in memory.
const MOST_PROMPTS: usize = 256;

/// Segment an image from a text prompt, or from a box
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PredictArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Image: a PNG, JPEG, TIFF, BMP, WebP, DICOM or NIfTI file, or the folder of a DICOM series
    #[arg(long, value_name = "F")]
    image: PathBuf,
    #[command(flatten)]
    scan: ScanArguments,
    /// Prompt that describes what to segment; may be repeated, one mask is then made for each. A model that reads no
    /// prompt needs none
    #[arg(long = "prompt", value_name = "T", allow_hyphen_values = true)]
    prompts: Vec<String>,
    /// Box in pixels of the image, LEFT,TOP,RIGHT,BOTTOM, for a model that takes one (MedSAM); may be repeated, one mask is
    /// then made for each
    #[arg(long = "box", value_name = "X0,Y0,X1,Y1", value_parser = area, allow_hyphen_values = true, conflicts_with_all = ["prompts", "prompt_file"])]
    boxes: Vec<Area>,
    /// File of further prompts: a text with one prompt a line, or a table (CSV, XLSX, JSON), of which the rows for
    /// this image are taken
    #[arg(long = "prompts", value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Ground-truth mask, with which the prediction is compared; may be repeated, see --several
    #[arg(long = "mask", value_name = "G")]
    masks: Vec<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    device: DeviceArguments,
    /// Folder for the files, created if necessary; without it no files are written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Formats of the files: one or several of png, nifti, dicom-seg and csv, with commas [default: png]
    #[arg(long, value_name = "LIST", requires = "out")]
    format: Option<Formats>,
    /// Own list of codes for DICOM segmentations, before the list of the program (see docs/files.md)
    #[arg(long, value_name = "FILE", requires = "format")]
    segment_codes: Option<PathBuf>,
    /// Segment every slice of a stack instead of one
    #[arg(long, conflicts_with_all = ["slice", "masks", "activations"])]
    all_slices: bool,
    /// PNG file for a map of the uncertainty: how much the probability changes when the image is mirrored or moved by a
    /// little, from ten predictions; 16 bit, at the network's resolution, 65535 for the largest standard deviation, 0.5. For a single prompt only
    #[arg(long, value_name = "FILE", conflicts_with = "all_slices")]
    uncertainty: Option<PathBuf>,
    /// Print the result as one JSON object, or as an array for several prompts
    #[arg(long)]
    json: bool,
    /// .safetensors file for the inputs and every intermediate tensor of the network; for a single prompt only
    #[arg(long, value_name = "FILE")]
    activations: Option<PathBuf>,
}

fn area(text: &str) -> Result<Area, String> {
    Area::from_numbers(text).map_err(|error| error.to_string())
}

/// Runs the prediction with the model that `open` opens.
pub fn run(arguments: &PredictArguments, open: &OpenModel) -> Result<(), Failure> {
    // Fast checks come before the model is read.
    let prompts = prompts(arguments)?;
    // Without a prompt there is one mask, if the model reads none.
    let count = prompts.len().max(1);
    if arguments.activations.is_some() && count > 1 {
        return Err(Failure::input(format!(
            "--activations takes one --prompt, not {count}; run the command once for each"
        )));
    }
    if arguments.uncertainty.is_some() && count > 1 {
        return Err(Failure::input(format!(
            "--uncertainty takes one --prompt, not {count}; run the command once for each"
        )));
    }
    let seen = arguments.scan.read(&arguments.image)?;
    let truth = match arguments.masks.as_slice() {
        [] => None,
        masks => Some(arguments.truth.read(&seen, masks)?),
    };
    let formats = arguments.format.clone().unwrap_or_else(|| Formats::from_iter([Format::Png]));
    slices::check(&arguments.image, &formats, &seen.volume)?;
    let codes = slices::codes(arguments.segment_codes.as_deref())?;
    if arguments.all_slices {
        let source = arguments.model.source(arguments.vocab.as_ref());
        let device = arguments.device.choice_for(count * seen.volume.slices)?;
        let mut segmenter = model::open(open, &source, device, "masks")?;
        let prompts = read_prompts(arguments, segmenter.as_ref(), prompts)?;
        let wanted = slices::Wanted {
            image: &arguments.image,
            volume: &seen.volume,
            window: arguments.scan.window(),
            threshold: arguments.threshold,
            formats: &formats,
            codes: &codes,
            is_json: arguments.json,
        };
        return slices::run(segmenter.as_mut(), &wanted, &prompts, &folders(arguments, count)?);
    }
    let mask_of_slice = truth.as_ref().and_then(|truth| truth.mask(seen.slice));
    let image = seen.image;
    let folders = folders(arguments, count)?;
    let source = arguments.model.source(arguments.vocab.as_ref());
    let passes = if arguments.uncertainty.is_some() { ENSEMBLE } else { count };
    let device = arguments.device.choice_for(passes)?;
    let mut segmenter = model::open(open, &source, device, "masks")?;
    let prompts = read_prompts(arguments, segmenter.as_ref(), prompts)?;
    let info = segmenter.info();
    let describer = Describer::new(&image, None).ok();
    let mut objects = Vec::new();
    let mut texts = Vec::new();
    let mut masks = Vec::new();
    for (prompt, folder) in prompts.iter().zip(folders) {
        // The maps of the stages are written as images.
        let wanted = InspectOptions { maps: folder.is_some(), ..InspectOptions::default() };
        let prediction = segmenter.inspect(&image, prompt, None, wanted)?.prediction;
        model::notices(segmenter.as_mut());
        report::notes(&info, &prediction, !arguments.json).into_iter().for_each(terminal::note);
        let mask = prediction.mask(arguments.threshold);
        let mut files = match folder {
            Some(folder) => {
                let truth = mask_of_slice.as_deref();
                let mut files = match formats.has(Format::Png) {
                    true => pictures::write_all(&folder, &image, &prediction, truth, arguments.threshold)?,
                    false => Vec::new(),
                };
                let others = formats.iter().filter(|format| *format != Format::Png).collect();
                let with_probability = formats.has(Format::DicomSeg);
                let found =
                    vec![SlicePrediction::of(&prediction, seen.slice, arguments.threshold, with_probability)];
                let export = slices::Wanted {
                    image: &arguments.image,
                    volume: &seen.volume,
                    window: arguments.scan.window(),
                    threshold: arguments.threshold,
                    formats: &others,
                    codes: &codes,
                    is_json: arguments.json,
                };
                files.extend(export.write(&folder, found, prompt, &info)?);
                files
            }
            None => Vec::new(),
        };
        if let Some(path) = &arguments.activations {
            write_activations(path, segmenter.as_mut(), &image, prompt)?;
            files.push(path.clone());
        }
        let ensemble = match &arguments.uncertainty {
            Some(path) => {
                files.push(path.clone());
                Some(uncertain::write(path, segmenter.as_mut(), &image, prompt)?)
            }
            None => None,
        };
        let judged = Mask { width: image.width, height: image.height, values: mask };
        let judge = |describer: &Describer| describe::judge(prediction.sentence(), describer, &judged).ok();
        let judgement = describer.as_ref().and_then(judge);
        let mask = judged.values;
        let foreground = mask.iter().filter(|value| **value != 0).count();
        let outcome = Outcome {
            image: &arguments.image,
            info: &info,
            prediction: &prediction,
            threshold: arguments.threshold,
            foreground_fraction: foreground as f64 / mask.len() as f64,
            counts: mask_of_slice.as_ref().map(|truth| Confusion::of(&mask, &truth.values)),
            truth: truth.as_ref(),
            judgement: judgement.as_ref(),
            files: &files,
        };
        if arguments.json {
            let mut object = outcome.json();
            if let Some(ensemble) = &ensemble {
                object["uncertainty"] = uncertain::object(ensemble);
            }
            objects.push(object);
        } else {
            texts.push(outcome.text() + &ensemble.as_ref().map(uncertain::text).unwrap_or_default());
        }
        if count > 1 {
            masks.push(mask);
        }
    }
    if count > 1 {
        let disagreement = Disagreement::of(&masks).map_err(Failure::work)?;
        let out = arguments.out.as_ref();
        let files = out.map(|out| disagreement.write(out, [image.width, image.height], &prompts)).transpose()?;
        let map = files.as_ref().map(|[_, map]| map.to_string_lossy());
        for (object, row) in objects.iter_mut().zip(&disagreement.dice) {
            object["pairwise_dice"] = json!(row);
            object["disagreement_map"] = json!(map);
        }
        let written = files.iter().flatten().map(|file| format!("{:<16}{}\n", "written", file.display()));
        texts.push(disagreement.text() + &written.collect::<String>());
    }
    if arguments.json {
        let value = if objects.len() == 1 { objects.remove(0) } else { Value::Array(objects) };
        terminal::print(&format!("{value:#}"))
    } else {
        terminal::print(&texts.join("\n"))
    }
}

/// Returns the prompts of the command and of its file, in this order, or its boxes.
fn prompts(arguments: &PredictArguments) -> Result<Vec<String>, Failure> {
    let mut prompts = arguments.prompts.clone();
    prompts.extend(arguments.boxes.iter().map(Area::to_string));
    if let Some(path) = &arguments.prompt_file {
        let image = arguments.image.file_name().unwrap_or(arguments.image.as_os_str()).to_string_lossy();
        let list = prompt_list(path, &image)?;
        list.remarks.into_iter().for_each(terminal::note);
        prompts.extend(list.prompts);
    }
    if prompts.len() > MOST_PROMPTS {
        let count = prompts.len();
        return Err(Failure::input(format!(
            "{count} prompts are too many for one command; give at most {MOST_PROMPTS}"
        )));
    }
    Ok(prompts)
}

/// Returns the prompts as the model reads them: a single empty one if it reads none.
fn read_prompts(
    arguments: &PredictArguments,
    segmenter: &dyn Segmenter,
    prompts: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let info = segmenter.info();
    if !arguments.boxes.is_empty() && !info.takes_box {
        return Err(Failure::input(format!("{} takes no box; leave --box out", info.name)));
    }
    if info.is_prompted() {
        let missing = match info.takes_box {
            true => "takes a box; give it with --box",
            false => "reads a prompt; give it with --prompt or --prompts",
        };
        return match prompts.is_empty() {
            true => Err(Failure::input(format!("{} {missing}", info.name))),
            false => Ok(prompts),
        };
    }
    let ignored = format!("{} reads no prompt: the mask follows the image alone", info.name);
    match prompts.len() {
        0 => {}
        1 => terminal::note(ignored),
        count => {
            return Err(Failure::input(format!(
                "{ignored}, so that {count} prompts have the same; leave them out"
            )));
        }
    }
    Ok(vec![String::new()])
}

/// Returns the folder of each prompt's image files, after creating it; `None` if nothing is to be written.
fn folders(arguments: &PredictArguments, count: usize) -> Result<Vec<Option<PathBuf>>, Failure> {
    let Some(out) = &arguments.out else { return Ok(vec![None; count]) };
    (0..count)
        .map(|index| {
            let folder = if count == 1 { out.clone() } else { out.join(index.to_string()) };
            std::fs::create_dir_all(&folder).map_err(|error| {
                Failure::work(format!(
                    "{}: the folder cannot be created ({error}); choose another",
                    folder.display()
                ))
            })?;
            Ok(Some(folder))
        })
        .collect()
}

fn write_activations(
    path: &Path,
    segmenter: &mut dyn Segmenter,
    image: &Image,
    prompt: &str,
) -> Result<(), Failure> {
    let predictor = local(segmenter, "its tensors cannot be read")?;
    let mut tensors = BTreeMap::new();
    for tensor in predictor.activations(image, prompt)? {
        let values = tensor.values.try_into_data().map_err(|error| {
            let reason = himix::device::reason(&error.to_string());
            Failure::work(format!(
                "{} cannot be read back from the device ({reason}); try --device cpu",
                tensor.name
            ))
        })?;
        tensors.insert(tensor.name, (tensor.shape, values.iter::<f32>().collect()));
    }
    save::save_tensors(path, tensors).map_err(Failure::work)
}
