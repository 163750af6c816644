//! `himix data`: the content of a data set and its problems.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use himix::data::dataset::{self, SETTINGS_FILE, SplitSurvey};
use himix::data::{Orientation, Survey, summary, survey};
use serde_json::{Value, json};

use super::arguments::PairArguments;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix data qata
  himix data my-folder --json

These layouts are recognised: prompt/SPLIT.csv with SPLIT/Images and SPLIT/GTs (the HiMix authors' layout); Train_Folder/img with labelcol
and an .xlsx or .csv table (LViT's layout); images/ and masks/ (Kvasir-SEG as downloaded); images with their masks beside them or in a
subfolder. Tables are CSV in any usual encoding, XLSX or JSON, with the names of the images and their prompts. A folder that is part of a
data set (qata/test, qata/test/Images) is read as that part. A data set that names no splits is divided 8 : 1 : 1 into train, val and test
by a hash of the subject or the file name.

Several masks of an image (x_mask.png, x_mask_1.png) form one ground truth. The file himix-data.toml in the folder of a data set can change
how it is read: orientation = \"as_stored\" or \"upright\" (EXIF), mask_rule = \"found\", \"half\" or \"exactly_255\", several = \"united\" or
\"as_labels\" (several masks of an image), labels = [1, 3] (labels that are foreground).";

/// Check a data set: list its splits, its problems and the subjects in more than one split
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DataArguments {
    /// Folder of the data set, or of a part of it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    reading: PairArguments,
    /// Print the result as one JSON object, with every finding
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &DataArguments) -> Result<(), Failure> {
    let bar = terminal::bar(0, "files");
    let longest = AtomicUsize::new(0);
    let reading = arguments.reading.over(dataset::reading(&arguments.folder)?);
    let found = survey(&arguments.folder, &reading, &|done, count| {
        if longest.fetch_max(done, Ordering::Relaxed) < done {
            bar.set_length(count as u64);
            bar.set_position(done as u64);
        }
    })?;
    bar.finish_and_clear();
    if arguments.json {
        return terminal::print(&format!("{:#}", object(&found)));
    }
    let mut text = format!("{}: {}\n", arguments.folder.display(), found.layout);
    if found.root != arguments.folder {
        text += &format!("  part of the data set {}\n", found.root.display());
    }
    if found.is_hashed {
        text += "  it names no splits; those below are made 8 : 1 : 1 by a hash of subject or name\n";
    }
    let words = found.reading.words();
    if !words.is_empty() {
        text += &format!("  read with: {words}\n");
    }
    for (name, split) in &found.splits {
        match split {
            Err(reason) => text += &format!("  {name}: cannot be used: {reason}\n"),
            Ok(split) => {
                text += &line(name, split);
                let kinds = split.mask_kinds.iter().map(|(kind, count)| format!("{kind} ({count})"));
                if !split.mask_kinds.is_empty() {
                    text += &format!("    masks: {}\n", kinds.collect::<Vec<_>>().join("; "));
                }
                if split.turned > 0 {
                    text += &format!("    {}\n", turned(split.turned, found.reading.orientation));
                }
                summary(&split.findings).iter().for_each(|line| text += &format!("    {line}\n"));
            }
        }
    }
    let shared = &found.shared_subjects;
    if !shared.is_empty() {
        let names: Vec<String> = shared
            .iter()
            .take(3)
            .map(|(subject, splits)| format!("{subject} in {}", splits.join(" and ")))
            .collect();
        let are = if shared.len() == 1 { "subject is" } else { "subjects are" };
        let rest = if shared.len() > names.len() { ", …" } else { "" };
        text += &format!("  {} {are} in more than one split ({}{rest})\n", shared.len(), names.join(", "));
    }
    terminal::print(&text)
}

/// Describes a split on one line.
fn line(name: &str, split: &SplitSurvey) -> String {
    let Some([(low_x, low_y), (high_x, high_y)]) = split.sizes else {
        return format!("  {name}: no usable pair\n");
    };
    let size = match (low_x, low_y) == (high_x, high_y) {
        true => format!("{low_x}x{low_y}"),
        false => format!("{low_x}x{low_y} to {high_x}x{high_y}"),
    };
    let foreground = 100.0 * split.foreground;
    let plural = if split.pairs == 1 { "pair" } else { "pairs" };
    format!(
        "  {name}: {} {plural}, {} different prompts, {} subjects named, {size} pixels, {foreground:.1} % foreground\n",
        split.pairs, split.prompts, split.subjects
    )
}

/// Describes how the EXIF orientation of `count` images is handled.
fn turned(count: usize, orientation: Orientation) -> String {
    let pictures = if count == 1 { "1 image has" } else { &format!("{count} images have") };
    let done = match orientation {
        Orientation::Upright => format!(
            "turned upright; for masks drawn on the stored pixels give --as-stored, or orientation = \"as_stored\" in {SETTINGS_FILE}"
        ),
        Orientation::AsStored => "left as stored".into(),
    };
    format!("{pictures} an EXIF orientation, {done}")
}

fn object(found: &Survey) -> Value {
    let split = |(name, split): &(String, Result<_, String>)| match split {
        Ok(split) => {
            let mut object = json!(split);
            object["name"] = json!(name);
            object
        }
        Err(reason) => json!({ "name": name, "error": reason }),
    };
    let shared =
        found.shared_subjects.iter().map(|(subject, splits)| json!({ "subject": subject, "splits": splits }));
    json!({
        "root": found.root.display().to_string(),
        "layout": found.layout,
        "divided_by_hash": found.is_hashed,
        "reading": found.reading,
        "splits": found.splits.iter().map(split).collect::<Vec<_>>(),
        "shared_subjects": shared.collect::<Vec<_>>(),
    })
}
