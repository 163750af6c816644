//! `himix prompt describe`: the prompt that a rule proposes for a mask.

use std::path::PathBuf;

use clap::Args;
use himix::data::describe::{self, Kind};
use himix::text::prompt::json;
use serde_json::json;

use super::reading::{ScanArguments, TruthArguments};
use super::{Failure, terminal};

/// The image, its mask, and the form of the output.
#[derive(Debug, Args)]
pub struct DescribeArguments {
    /// Image, volume or DICOM series
    #[arg(long, value_name = "F")]
    image: PathBuf,
    /// Mask of the image; may be repeated, see --several
    #[arg(long, value_name = "G", required = true)]
    mask: Vec<PathBuf>,
    /// Kind of image: xray, ct or endoscopy [default: recognised by its look]
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    #[command(flatten)]
    scan: ScanArguments,
    #[command(flatten)]
    truth: TruthArguments,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &DescribeArguments) -> Result<(), Failure> {
    let seen = arguments.scan.read(&arguments.image)?;
    let truth = arguments.truth.read(&seen, &arguments.mask)?;
    let name = arguments.image.display();
    let Some(mask) = truth.mask(seen.slice) else {
        return Err(Failure::input(format!(
            "{name}: the mask does not cover the slice; choose another with --slice"
        )));
    };
    let found = describe::describe(&seen.image, &mask, arguments.kind)
        .map_err(|error| Failure::input(format!("{name}: {error}")))?;
    let prompt = found.prompt.to_string();
    if !arguments.json {
        return terminal::print(&prompt);
    }
    let mut object = json::prompt(&prompt);
    object["kind"] = json!(found.kind.to_string());
    object["lung_field"] = json!(found.lung_field);
    terminal::print(&format!("{object:#}"))
}
