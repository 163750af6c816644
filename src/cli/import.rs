//! `himix import`: makes a model bundle from published checkpoints.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Args;
use himix::model::config::{Axes, Provenance};
use himix::model::key_table::Encoder;
use himix::model::weights::import::{Joined, open_encoder, read_sizes};
use himix::model::weights::load::{self, Missing};
use himix::model::weights::save::Precision;
use himix::model::weights::{TensorSource, backbone, bundle, manifest, roots};
use himix::model::{ModelConfig, Network, Registry};
use himix::text::Tokenizer;
use serde_json::Map;

use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix import --checkpoint authors.ckpt --text BiomedVLP-CXR-BERT-specialized --out my-bundle
  himix import --checkpoint small.ckpt --config config.json --text CXR-BERT --out my-bundle
  himix import --text CXR-BERT --vision convnext-tiny-224 --out fresh-bundle
  himix import --checkpoint unet.pth --config unet.json --out unet
  himix import --backbone R50+ViT-B_16.npz --config transunet.json --out transunet
  himix import --text bert-base-uncased --config lvit.json --out fresh-bundle

With --checkpoint, the folder of --text provides the vocabulary, the sizes of the text encoder unless --config has them, and
the weights of the text encoder only if the checkpoint has none. The keys of the network may have any common prefix
(module., _orig_mod., model., …); other content of the checkpoint is left out and named. With --vision, both encoders are
read from folders as distributed by Hugging Face (config.json with model.safetensors or pytorch_model.bin), and the decoder
has new random weights; with --backbone, the encoder is read from the archive of its authors. With --text and --config alone,
the text encoder is read and everything else is new, for a network without a pretrained vision encoder. A network without text
needs no --text. Such a bundle is marked as untrained, and uses the natural axis order (\"axes\": \"yx\") unless
--config says otherwise.";

/// Make a model bundle from the authors' checkpoint, or from pretrained encoders
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// Checkpoint of the authors' code: a PyTorch Lightning .ckpt, a state dictionary or a .safetensors file
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vision", "backbone", "config"], conflicts_with_all = ["vision", "backbone"])]
    checkpoint: Option<PathBuf>,
    /// Folder of the text encoder (CXR-BERT) as distributed by Hugging Face; for a network that reads text
    #[arg(long, value_name = "DIR")]
    text: Option<PathBuf>,
    /// Folder of the vision encoder (ConvNeXt) as distributed by Hugging Face, or Facebook's file, for a bundle with a
    /// new decoder
    #[arg(long, value_name = "PATH")]
    vision: Option<PathBuf>,
    /// Archive (.npz) of the pretrained backbone of a network without text, such as R50+ViT-B_16.npz of TransUNet, for a
    /// bundle with a new decoder
    #[arg(long, value_name = "FILE", conflicts_with = "vision", requires = "config")]
    backbone: Option<PathBuf>,
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
    let busy = terminal::busy("reading the weights");
    let config = configuration(arguments)?;
    let network = config.network.as_ref();
    let vocabulary = vocabulary(arguments, network)?;
    let (source, missing) = weights(arguments, network)?;
    let device = Device::flex();
    // A new decoder is the same at every import.
    device.seed(0);
    let model = load::load(network, source.as_ref(), missing, &device)?;
    let precision = if arguments.half { Precision::F16 } else { Precision::F32 };
    bundle::write(
        &arguments.out,
        &config,
        model.as_ref(),
        vocabulary.as_deref(),
        Some(source.as_ref()),
        precision,
    )
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

/// Returns the vocabulary of a network that reads text, which must not have more entries than the network; `None` for one
/// that does not.
fn vocabulary(arguments: &ImportArguments, network: &dyn Network) -> Result<Option<PathBuf>, Failure> {
    let Some(text) = network.text() else {
        if let Some(folder) = &arguments.text {
            return Err(Failure::input(format!(
                "{}: the network {} reads no text; leave --text out",
                folder.display(),
                network.name()
            )));
        }
        return Ok(None);
    };
    let folder = text_folder(arguments)?;
    let vocabulary = bundle::find_vocabulary(folder).ok_or_else(|| {
        Failure::input(format!(
            "{}: the folder has no vocabulary (vocab.txt or tokenizer.json); give the folder as distributed by Hugging Face",
            folder.display()
        ))
    })?;
    let (words, rows) = (Tokenizer::from_file(&vocabulary)?.vocabulary_size(), text.vocabulary_size);
    if words > rows {
        return Err(Failure::input(format!(
            "{}: the vocabulary has {words} entries, the model {rows}; give the model's own",
            vocabulary.display()
        )));
    }
    Ok(Some(vocabulary))
}

/// Returns the folder of the text encoder.
fn text_folder(arguments: &ImportArguments) -> Result<&Path, Failure> {
    arguments.text.as_deref().ok_or_else(|| {
        Failure::input(
            "the network reads text; give the folder of its text encoder with --text, or with --config the configuration of a network without text",
        )
    })
}

/// Returns the architecture and the provenance of the bundle.
fn configuration(arguments: &ImportArguments) -> Result<ModelConfig, Failure> {
    let mut config = match &arguments.config {
        Some(path) => bundle::read_config(path)?,
        None => {
            let registry = Registry::default();
            let folder = text_folder(arguments)?;
            let refuse = |error| Failure::input(format!("{}: {error}", folder.display()));
            let known = registry.published().map_err(refuse)?.network.sizes();
            let mut sizes = Map::new();
            for (name, folder) in [("text", Some(folder)), ("vision", arguments.vision.as_deref())] {
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
    let fresh = |description: String| Provenance {
        name: name(&arguments.out),
        trained: false,
        description,
        ..Provenance::default()
    };
    match (&arguments.checkpoint, &arguments.vision, &arguments.backbone) {
        (_, _, Some(backbone)) => {
            let words = format!("Backbone {}; the decoder has never been trained.", name(backbone));
            config.provenance = fresh(words);
        }
        (_, Some(vision), _) => {
            let text = arguments.text.as_deref().map(|text| format!("Text encoder {}, vision", name(text)));
            let encoders = text.unwrap_or_else(|| "Vision".into());
            let words = format!("{encoders} encoder {}; the decoder has never been trained.", name(vision));
            config.provenance = fresh(words);
        }
        (None, None, None) => {
            let text = name(text_folder(arguments)?);
            config.provenance = fresh(format!("Text encoder {text}; everything else has never been trained."));
        }
        (Some(checkpoint), ..) if config.provenance.description.is_empty() => {
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
    let text = || -> Result<Box<dyn TensorSource>, Failure> {
        Ok(open_encoder(text_folder(arguments)?, Encoder::Text, network)?)
    };
    match (&arguments.checkpoint, &arguments.vision, &arguments.backbone) {
        (_, _, Some(backbone)) => Ok((backbone::open(backbone, network)?, Missing::KeepFresh)),
        (Some(checkpoint), ..) => {
            let source = roots::open(checkpoint, network)?;
            let shapes = source.shapes();
            let is_whole =
                network.separate_part().is_none_or(|part| shapes.keys().any(|key| key.starts_with(part)));
            let source = if is_whole { source } else { Box::new(Joined::new(source, [text()?])) };
            Ok((source, Missing::Refuse))
        }
        (None, Some(vision), _) => {
            // A folder with an incomplete encoder is refused, so only the decoder can be missing.
            let vision = open_encoder(vision, Encoder::Vision, network)?;
            let others = network.text().map(|_| text()).transpose()?;
            Ok((Box::new(Joined::new(vision, others)), Missing::KeepFresh))
        }
        (None, None, None) if network.text().is_some() && network.encoder(Encoder::Vision).is_none() => {
            Ok((text()?, Missing::KeepFresh))
        }
        (None, None, None) => Err(Failure::input(format!(
            "the network {} needs more than a text encoder; give a checkpoint with --checkpoint, the folder of its vision encoder with --vision, or the archive of its backbone with --backbone",
            network.name()
        ))),
    }
}
