//! `himix export`: writes the weights of a model for the authors' code, or as a half-precision bundle.

use std::path::PathBuf;

use clap::Args;
use himix::model::weights::{Vocabulary, WeightsError, bundle, load, save};

use super::arguments::ModelArguments;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix export --model my-bundle --out himix.safetensors
  himix export --model run/best --half --out my-bundle
  himix export --model authors.ckpt --config config.json --out himix.safetensors
  himix export --model rule --out rule.safetensors      deterministic full-size weights, for tests";

/// Write the weights of a model for the authors' code, or as a half-precision bundle
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The .safetensors file to write, with the keys and the layout of the authors' model in 32-bit numbers;
    /// with --half the folder of the bundle
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write a bundle with 16-bit numbers instead
    #[arg(long)]
    half: bool,
}

/// Runs the command.
pub fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let located = bundle::locate(&arguments.model.source(None))?;
    let network = located.config.network.as_ref();
    let mismatch = load::check(network, located.weights.as_ref())?;
    if !mismatch.is_empty() {
        return Err(WeightsError::mismatch(located.weights.as_ref(), network, mismatch).into());
    }
    located.weights.notices().iter().for_each(terminal::note);
    let busy = terminal::busy("writing the weights");
    if arguments.half {
        let model = located.load(&himix::device::cpu().device)?;
        let vocabulary = match network.text() {
            None => None,
            Some(_) => match located.vocabulary()? {
                Vocabulary::File(path) => Some(path.as_path()),
                Vocabulary::Text(_) => {
                    return Err(Failure::input("the bundled model is of half precision already; name another"));
                }
            },
        };
        let (config, precision) = (&located.config, save::Precision::F16);
        bundle::write(&arguments.out, config, model.as_ref(), vocabulary, None, precision)?;
        drop(busy);
        return terminal::print(&format!("{} written", arguments.out.display()));
    }
    save::export(&arguments.out, network, located.weights.as_ref()).map_err(Failure::work)?;
    drop(busy);
    let size = std::fs::metadata(&arguments.out).map_or(0, |file| file.len());
    terminal::print(&format!("{} written ({:.1} MB)", arguments.out.display(), size as f64 / 1e6))
}
