//! What a run begins with: architecture, vocabulary, first weights.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;

use super::batches::Form;
use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::folder::RunFolder;
use crate::data::write;
use crate::model::HiMix;
use crate::model::config::{Axes, ModelConfig};
use crate::model::weights::{ModelSource, Vocabulary, bundle};
use crate::text::{Tokenizer, vocabulary};

/// Name of the vocabulary made of the training prompts, inside the run folder.
const VOCABULARY: &str = "vocab.txt";

/// The network and what belongs to it.
pub struct Start {
    /// Architecture.
    pub config: ModelConfig,
    /// File of the vocabulary.
    pub vocabulary: PathBuf,
    /// The network, on a device with gradients.
    pub model: HiMix,
    /// Whether the text encoder stays as it is.
    pub is_text_frozen: bool,
    /// What the network wants to see.
    pub form: Form,
    /// What the user should know of the weights to start from.
    pub notices: Vec<String>,
}

/// The architecture of a run that goes on: its checkpoint's, wherever the files of its settings are by now.
pub fn resumed_architecture(folder: &RunFolder) -> Result<ModelConfig, TrainError> {
    Ok(bundle::locate(&ModelSource::new(folder.last()))?.config)
}

/// The architecture that the settings ask for.
pub fn architecture(config: &TrainConfig) -> Result<ModelConfig, TrainError> {
    if let Some(folder) = &config.start {
        return Ok(bundle::locate(&ModelSource::new(folder))?.config);
    }
    let mut architecture = match &config.architecture {
        Some(path) => bundle::read_config(path)?,
        None => ModelConfig::default(),
    };
    // Trained here, the network sees images the way they are.
    architecture.axes = Axes::Yx;
    Ok(architecture)
}

/// For a new run, or from the checkpoint in `folder`.
pub fn prepare(
    config: &TrainConfig,
    folder: &RunFolder,
    is_resumed: bool,
    cases: &Cases,
    device: &Device,
) -> Result<Start, TrainError> {
    let from = if is_resumed { Some(folder.last()) } else { config.start.clone() };
    let mut notices = Vec::new();
    let (architecture, vocabulary, model) = match from {
        Some(bundle) => {
            let located = bundle::locate(&ModelSource::new(bundle))?;
            let model = located.load(device)?;
            notices.extend_from_slice(located.weights.notices());
            let vocabulary = match located.vocabulary()? {
                Vocabulary::File(path) => path.clone(),
                Vocabulary::Text(text) => {
                    let path = folder.path().join(VOCABULARY);
                    write::bytes(&path, text.as_bytes())?;
                    path
                }
            };
            (located.config, vocabulary, model)
        }
        None => {
            let architecture = architecture(config)?;
            let vocabulary = match &config.vocab {
                Some(path) => path.clone(),
                None => {
                    let path = folder.path().join(VOCABULARY);
                    let sentences = cases.sentences();
                    let words =
                        vocabulary::build(sentences.iter().map(String::as_str), architecture.text.vocab_size);
                    write::bytes(&path, words.as_bytes())?;
                    path
                }
            };
            let model =
                HiMix::new(&architecture, device).map_err(|error| TrainError::Config(error.to_string()))?;
            (architecture, vocabulary, model)
        }
    };
    let tokenizer = Tokenizer::from_file(&vocabulary)?;
    if tokenizer.vocabulary_size() > architecture.text.vocab_size {
        return Err(TrainError::Config(format!(
            "{}: the vocabulary has {} entries, the architecture {}; choose a smaller one or raise text.vocab_size",
            vocabulary.display(),
            tokenizer.vocabulary_size(),
            architecture.text.vocab_size
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
    let is_text_frozen = !config.train_text.unwrap_or(config.start.is_none());
    let mut model = model;
    if is_text_frozen {
        model.text = model.text.freeze();
    }
    let form = Form {
        tokenizer,
        tokens: architecture.token_limit,
        side: architecture.decoder.image_size,
        is_transposed: architecture.axes == Axes::Xy,
    };
    Ok(Start { config: architecture, vocabulary: own, model, is_text_frozen, form, notices })
}
