//! `himix import`: makes a model bundle from published checkpoints.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Args;
use himix::model::config::{Axes, Provenance};
use himix::model::key_table::Encoder;
use himix::model::weights::import::{Joined, open_encoder, read_sizes};
use himix::model::weights::load::{self, Missing};
use himix::model::weights::save::Precision;
use himix::model::weights::{TensorSource, bundle, manifest, roots};
use himix::model::{ModelConfig, Network, Registry};
use himix::text::Tokenizer;
use serde_json::Map;

use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix import --checkpoint authors.ckpt --text BiomedVLP-CXR-BERT-specialized --out my-bundle
  himix import --checkpoint small.ckpt --config config.json --text CXR-BERT --out my-bundle
  himix import --text CXR-BERT --vision convnext-tiny-224 --out fresh-bundle
  himix import --text bert-base-uncased --config lvit.json --out fresh-bundle

With --checkpoint, the folder of --text provides the vocabulary, the sizes of the text encoder unless --config has them, and
the weights of the text encoder only if the checkpoint has none. The keys of the network may have any common prefix
(module., _orig_mod., model., …); other content of the checkpoint is left out and named. With --vision, both encoders are
read from folders as distributed by Hugging Face (config.json with model.safetensors or pytorch_model.bin), and the decoder
has new random weights. With --text and --config alone, the text encoder is read and everything else is new, for a network
without a pretrained vision encoder. Such a bundle is marked as untrained, and uses the natural axis order (\"axes\": \"yx\") unless
--config says otherwise.";

/// Make a model bundle from the authors' checkpoint, or from pretrained encoders
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// Checkpoint of the authors' code: a PyTorch Lightning .ckpt, a state dictionary or a .safetensors file
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vision", "config"], conflicts_with = "vision")]
    checkpoint: Option<PathBuf>,
    /// Folder of the text encoder (CXR-BERT) as distributed by Hugging Face
    #[arg(long, value_name = "DIR")]
    text: PathBuf,
    /// Folder of the vision encoder (ConvNeXt) as distributed by Hugging Face, for a bundle with a new decoder
    #[arg(long, value_name = "DIR")]
    vision: Option<PathBuf>,
    /// Configuration of the architecture (config.json) [default: the published architecture, with the encoders'
    /// own sizes]
    #[arg(long, value_name = "C")]
    config: Option<PathBuf>,
    /// Folder for the bundle; created if necessary
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write 16-bit instead of 32-bit numbers: half the size, about three significant digits
    #[arg(long)]
    half: bool,
}

/// Runs the command.
pub fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let vocabulary = bundle::find_vocabulary(&arguments.text).ok_or_else(|| {
        let folder = arguments.text.display();
        Failure::input(format!(
            "{folder}: the folder has no vocabulary (vocab.txt or tokenizer.json); give the folder as distributed by Hugging Face"
        ))
    })?;
    let busy = terminal::busy("reading the weights");
    let config = configuration(arguments)?;
    let network = config.network.as_ref();
    let (words, text) = (Tokenizer::from_file(&vocabulary)?.vocabulary_size(), network.text());
    if let Some(rows) = text.map(|text| text.vocabulary_size).filter(|rows| words > *rows) {
        return Err(Failure::input(format!(
            "{}: the vocabulary has {words} entries, the model {rows}; give the model's own",
            vocabulary.display()
        )));
    }
    let (source, missing) = weights(arguments, network)?;
    let device = Device::flex();
    // A new decoder is the same at every import.
    device.seed(0);
    let model = load::load(network, source.as_ref(), missing, &device)?;
    let precision = if arguments.half { Precision::F16 } else { Precision::F32 };
    let vocabulary = text.is_some().then_some(vocabulary.as_path());
    bundle::write(&arguments.out, &config, model.as_ref(), vocabulary, Some(source.as_ref()), precision)
        .map_err(Failure::work)?;
    drop(busy);
    source.notices().iter().for_each(terminal::note);
    if !config.provenance.trained {
        terminal::note("the decoder is untrained; its masks have no meaning until the bundle is trained");
    }
    let count = manifest::all(network).map_or(0, |specs| manifest::numbers(&specs));
    let size = std::fs::metadata(arguments.out.join(bundle::WEIGHTS_FILE)).map_or(0, |file| file.len());
    terminal::print(&format!("{} written ({count} numbers, {:.1} MB)", arguments.out.display(), size as f64 / 1e6))
}

/// Returns the architecture and the provenance of the bundle.
fn configuration(arguments: &ImportArguments) -> Result<ModelConfig, Failure> {
    let mut config = match &arguments.config {
        Some(path) => bundle::read_config(path)?,
        None => {
            let registry = Registry::default();
            let refuse = |error| Failure::input(format!("{}: {error}", arguments.text.display()));
            let known = registry.published().map_err(refuse)?.network.sizes();
            let mut sizes = Map::new();
            for (name, folder) in [("text", Some(&arguments.text)), ("vision", arguments.vision.as_ref())] {
                if let (Some(folder), Some(known)) = (folder, known.get(name)) {
                    sizes.insert(name.into(), read_sizes(folder, known)?);
                }
            }
            let mut config = registry.of_sizes(sizes).map_err(refuse)?;
            if arguments.vision.is_some() {
                config.axes = Axes::Yx;
            }
            config
        }
    };
    let text = name(&arguments.text);
    match (&arguments.checkpoint, &arguments.vision) {
        (_, Some(vision)) => {
            let description = format!(
                "Text encoder {text}, vision encoder {}; the decoder has never been trained.",
                name(vision)
            );
            config.provenance =
                Provenance { name: name(&arguments.out), trained: false, description, ..Provenance::default() };
        }
        (None, None) => {
            let description = format!("Text encoder {text}; everything else has never been trained.");
            config.provenance =
                Provenance { name: name(&arguments.out), trained: false, description, ..Provenance::default() };
        }
        (Some(checkpoint), None) if config.provenance.description.is_empty() => {
            config.provenance.description = format!("Imported from {}.", name(checkpoint));
        }
        _ => {}
    }
    Ok(config)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Returns the weights, and what to do about missing ones.
fn weights(
    arguments: &ImportArguments,
    network: &dyn Network,
) -> Result<(Box<dyn TensorSource>, Missing), Failure> {
    let text = || open_encoder(&arguments.text, Encoder::Text, network);
    match (&arguments.checkpoint, &arguments.vision) {
        (Some(checkpoint), _) => {
            let source = roots::open(checkpoint, network)?;
            let shapes = source.shapes();
            let is_whole =
                network.separate_part().is_none_or(|part| shapes.keys().any(|key| key.starts_with(part)));
            let source = if is_whole { source } else { Box::new(Joined::new(source, [text()?])) };
            Ok((source, Missing::Refuse))
        }
        (None, Some(vision)) => {
            // A folder with an incomplete encoder is refused, so only the decoder can be missing.
            let vision = open_encoder(vision, Encoder::Vision, network)?;
            Ok((Box::new(Joined::new(vision, [text()?])), Missing::KeepFresh))
        }
        (None, None) if network.text().is_some() && network.encoder(Encoder::Vision).is_none() => {
            Ok((text()?, Missing::KeepFresh))
        }
        (None, None) => Err(Failure::input(format!(
            "the network {} needs more than a text encoder; give a checkpoint with --checkpoint, or the folder of its vision encoder with --vision",
            network.name()
        ))),
    }
}
