//! `himix info`: the metadata of an image file and the values derived from it, with the origin of every value.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::facts::{Fact, Section, facts, text, truth_facts, without_private};
use himix::data::{Image, Limit, Orientation, open};
use himix::device::DeviceChoice;
use himix::infer::{ModelSource, OpenModel, Segmenter};
use serde_json::{Value, json};

use super::reading::TruthArguments;
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix info ct.nii.gz
  himix info ct.nii.gz --mask lesion.nii.gz --labels 2
  himix info slice.dcm --json --identifiers
  himix info chest.png --model my-bundle      how far it is from the pictures that the model was trained on";

/// Print the facts about an image: file, geometry, values and notes, and the mask aligned with it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfoArguments {
    /// Images, volumes or DICOM series
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Slice of a volume or a series whose values are examined, counted from 1 [default: the middle one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slice: Option<u32>,
    /// Ground-truth mask of a single image; may be repeated, see --several
    #[arg(long, value_name = "G")]
    mask: Vec<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    /// Model with a summary of its training pictures (himix domain fit), to say how far the image is from them
    #[arg(long, value_name = "M")]
    model: Option<PathBuf>,
    /// Read an image as it is stored, without applying its EXIF orientation
    #[arg(long)]
    as_stored: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    /// Also print values that can identify a person: name, dates and UIDs
    #[arg(long)]
    identifiers: bool,
}

/// Runs the command; `open` opens the model.
pub fn run(arguments: &InfoArguments, open: &OpenModel) -> Result<(), Failure> {
    if arguments.files.len() > 1 && !arguments.mask.is_empty() {
        return Err(Failure::input("a mask belongs to one image; give a single FILE with --mask"));
    }
    let mut segmenter = match &arguments.model {
        Some(name) => Some(model_with_domain(name, open)?),
        None => None,
    };
    let mut objects = Vec::new();
    for (place, path) in arguments.files.iter().enumerate() {
        let sections = sections(arguments, path, segmenter.as_deref_mut())?;
        if arguments.json {
            objects.push(object(path, &sections));
            continue;
        }
        let gap = if place > 0 { "\n" } else { "" };
        terminal::print(&format!("{gap}{}\n{}", path.display(), text(&sections)))?;
    }
    match arguments.json {
        true => terminal::print(&format!("{:#}", json!({ "files": objects }))),
        false => Ok(()),
    }
}

/// Opens a model that has a summary of its training pictures.
fn model_with_domain(name: &Path, open: &OpenModel) -> Result<Box<dyn Segmenter>, Failure> {
    let segmenter = model::open(open, &ModelSource::new(name), DeviceChoice::Cpu, "features")?;
    if segmenter.info().domain.is_empty() {
        let name = name.display();
        let fit = format!("make one with: himix domain fit --model {name} --data DIR");
        return Err(Failure::input(format!("{name}: the model has no summary of its training pictures; {fit}")));
    }
    Ok(segmenter)
}

/// Says how far an image is from the training pictures of a model.
fn domain(segmenter: &mut dyn Segmenter, image: &Image) -> Result<Section, Failure> {
    // Nothing depends on the prompt.
    let prompt = segmenter.info().whole_image(image.width, image.height);
    let Some(figure) = segmenter.predict(image, &prompt)?.domain else {
        // The notices say why there is none.
        return Err(Failure::input(segmenter.take_notices().join(" ")));
    };
    let name = segmenter.info().name;
    let words = figure.words().map(|words| format!(". {words}")).unwrap_or_default();
    let value = format!("{:.1} to {}{words}", figure.distance, figure.kind);
    let row = Fact::new("Distance to training", value, format!("features of {name}"));
    Ok(Section { title: "Model", rows: vec![row] })
}

fn sections(
    arguments: &InfoArguments,
    path: &Path,
    segmenter: Option<&mut (dyn Segmenter + 'static)>,
) -> Result<Vec<Section>, Failure> {
    let orientation = if arguments.as_stored { Orientation::AsStored } else { Orientation::Upright };
    let volume = open::open_as(path, Limit::default(), orientation, &|_, _| true)?;
    let slice = arguments.slice.map_or(volume.slices / 2, |slice| slice as usize - 1);
    if slice >= volume.slices {
        let (path, slices) = (path.display(), volume.slices);
        return Err(Failure::input(format!("{path}: there is no slice {}; it has {slices}", slice + 1)));
    }
    let mut sections = facts(&volume, slice, &volume.slice(slice));
    if !arguments.mask.is_empty() {
        let named = arguments.slice.map(|_| slice);
        sections.extend(truth_facts(&arguments.truth.lay(volume.grid(), orientation, named, &arguments.mask)?));
    }
    if let Some(segmenter) = segmenter {
        sections.push(domain(segmenter, &volume.default_network_input(slice, None))?);
    }
    Ok(if arguments.identifiers { sections } else { without_private(&sections) })
}

fn object(path: &Path, sections: &[Section]) -> Value {
    json!({ "file": path.display().to_string(), "sections": sections })
}
