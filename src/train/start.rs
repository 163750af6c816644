//! What a run begins with: architecture, vocabulary, first weights.

use std::path::PathBuf;

use burn::tensor::Device;

use super::batches::Form;
use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::folder::RunFolder;
use crate::data::write;
use crate::model::config::{Axes, ModelConfig};
use crate::model::weights::{Located, ModelSource, Vocabulary, bundle};
use crate::model::{Model, Registry};
use crate::text::{Tokenizer, vocabulary};

/// Name of the vocabulary made of the training prompts, inside the run folder.
const VOCABULARY: &str = "vocab.txt";

/// The network and what belongs to it.
pub struct Start {
    /// Architecture.
    pub config: ModelConfig,
    /// File of the vocabulary; `None` where the network reads no text.
    pub vocabulary: Option<PathBuf>,
    /// The network, on a device with gradients.
    pub model: Box<dyn Model>,
    /// Whether there is a text encoder that stays as it is.
    pub is_text_frozen: bool,
    /// What the network wants to see.
    pub form: Form,
    /// What the user should know of the weights to start from.
    pub notices: Vec<String>,
}

/// The architecture of a run that goes on: its checkpoint's, wherever the files of its settings are by now.
pub fn resumed_architecture(registry: &Registry, folder: &RunFolder) -> Result<ModelConfig, TrainError> {
    Ok(bundle::locate_in(registry, &ModelSource::new(folder.last()))?.config)
}

/// The architecture that the settings ask for.
pub fn architecture(registry: &Registry, config: &TrainConfig) -> Result<ModelConfig, TrainError> {
    if let Some(folder) = &config.start {
        return Ok(bundle::locate_in(registry, &ModelSource::new(folder))?.config);
    }
    let mut architecture = match &config.architecture {
        Some(path) => bundle::read_config_in(registry, path)?,
        None => registry.published().map_err(|error| TrainError::Config(error.to_string()))?,
    };
    // Trained here, the network sees images the way they are.
    architecture.axes = Axes::Yx;
    Ok(architecture)
}

/// For a new run, or from the checkpoint in `folder`.
pub fn prepare(
    registry: &Registry,
    config: &TrainConfig,
    folder: &RunFolder,
    is_resumed: bool,
    cases: &Cases,
    device: &Device,
) -> Result<Start, TrainError> {
    let from = if is_resumed { Some(folder.last()) } else { config.start.clone() };
    let located = from.map(|from| bundle::locate_in(registry, &ModelSource::new(from))).transpose()?;
    let (architecture, model, notices) = match &located {
        Some(located) => (located.config.clone(), located.load(device)?, located.weights.notices().to_vec()),
        None => {
            let architecture = architecture(registry, config)?;
            let model =
                architecture.network.build(device).map_err(|error| TrainError::Config(error.to_string()))?;
            (architecture, model, Vec::new())
        }
    };
    let words = match architecture.network.text() {
        Some(text) => {
            let path = vocabulary_file(config, folder, located.as_ref(), cases, text.vocabulary_size)?;
            Some((Tokenizer::from_file(&path)?, path, text.token_limit))
        }
        None => None,
    };
    let is_text_frozen = words.is_some() && !config.train_text.unwrap_or(config.start.is_none());
    let model = if is_text_frozen { model.freeze_text() } else { model };
    let (side, is_transposed) = (architecture.network.image_side(), architecture.is_transposed());
    let (text, vocabulary) = match words {
        Some((tokenizer, path, tokens)) => (Some((tokenizer, tokens)), Some(path)),
        None => (None, None),
    };
    let form = Form { text, side, is_transposed };
    Ok(Start { config: architecture, vocabulary, model, is_text_frozen, form, notices })
}

/// The vocabulary as a file of the run folder: that of the bundle to start from, that which the settings name, or one made of the
/// prompts of `cases` with at most `most` entries.
///
/// # Errors
/// It has more entries than that.
fn vocabulary_file(
    config: &TrainConfig,
    folder: &RunFolder,
    from: Option<&Located>,
    cases: &Cases,
    most: usize,
) -> Result<PathBuf, TrainError> {
    let written = |text: &str| -> Result<PathBuf, TrainError> {
        let path = folder.path().join(VOCABULARY);
        write::bytes(&path, text.as_bytes())?;
        Ok(path)
    };
    let vocabulary = match from {
        Some(located) => match located.vocabulary()? {
            Vocabulary::File(path) => path.clone(),
            Vocabulary::Text(text) => written(text)?,
        },
        None => match &config.vocab {
            Some(path) => path.clone(),
            None => written(&vocabulary::build(cases.sentences().iter().map(String::as_str), most))?,
        },
    };
    let entries = Tokenizer::from_file(&vocabulary)?.vocabulary_size();
    if entries > most {
        return Err(TrainError::Config(format!(
            "{}: the vocabulary has {entries} entries, the architecture {most}; choose a smaller one or raise text.vocab_size",
            vocabulary.display()
        )));
    }
    // The checkpoint's own folder is replaced while the run goes on; the vocabulary must outlive it.
    let own = folder.path().join(if vocabulary.extension().is_some_and(|end| end == "json") {
        "tokenizer.json"
    } else {
        VOCABULARY
    });
    if own != vocabulary {
        let text = std::fs::read(&vocabulary).map_err(|error| {
            TrainError::Folder(format!("{}: the vocabulary cannot be read ({error})", vocabulary.display()))
        })?;
        write::bytes(&own, &text)?;
    }
    Ok(own)
}
