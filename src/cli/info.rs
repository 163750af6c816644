//! `himix info`: what a file says of itself and what was derived of it, each with where it comes from.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::facts::{Section, facts, text, truth_facts, without_private};
use himix::data::{Limit, Orientation, open};
use serde_json::{Value, json};

use super::reading::TruthArguments;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix info ct.nii.gz
  himix info ct.nii.gz --mask lesion.nii.gz --labels 2
  himix info slice.dcm --json --identifiers";

/// Say what is known of an image: geometry, values, file, oddities, and the mask that is laid on it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfoArguments {
    /// Images, volumes, series
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Slice of a volume or a series whose values are looked at, from 1; the middle one by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slice: Option<u32>,
    /// Mask of the image; several are parts of one
    #[arg(long, value_name = "G")]
    mask: Vec<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    /// Leave a picture as it is stored, whatever orientation its EXIF data asks for
    #[arg(long)]
    as_stored: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print what can identify a person too: name, dates, UIDs
    #[arg(long)]
    identifiers: bool,
}

/// Says it.
pub fn run(arguments: &InfoArguments) -> Result<(), Failure> {
    if arguments.files.len() > 1 && !arguments.mask.is_empty() {
        return Err(Failure::input("a mask belongs to one image; give one FILE with --mask"));
    }
    let mut objects = Vec::new();
    for (place, path) in arguments.files.iter().enumerate() {
        let sections = sections(arguments, path)?;
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

fn sections(arguments: &InfoArguments, path: &Path) -> Result<Vec<Section>, Failure> {
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
    Ok(if arguments.identifiers { sections } else { without_private(&sections) })
}

fn object(path: &Path, sections: &[Section]) -> Value {
    json!({ "file": path.display().to_string(), "sections": sections })
}
