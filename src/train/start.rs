//! The start of a run: architecture, vocabulary and initial weights.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use serde_json::Value;

use super::architecture::of_path;
use super::batches::Form;
use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::folder::RunFolder;
use super::layer_clusters::layer_clusters;
use super::transfer::{Vocabularies, transfer};
use super::wording::with_augmentation;
use crate::data::write;
use crate::model::config::{Axes, ConfigError, ModelConfig};
use crate::model::weights::{Located, ModelSource, Vocabulary, bundle};
use crate::model::{Ablation, Model, Network, Registry};
use crate::text::{Tokenizer, vocabulary};

/// The name of the vocabulary built from the training prompts, inside the run folder.
const VOCABULARY: &str = "vocab.txt";

/// The network and the related settings.
pub struct Start {
    /// The architecture.
    pub config: ModelConfig,
    /// The file of the vocabulary; `None` if the network reads no text.
    pub vocabulary: Option<PathBuf>,
    /// The network on a device with gradients.
    pub model: Box<dyn Model>,
    /// Whether there is a text encoder that is not trained.
    pub is_text_frozen: bool,
    /// The form in which the network expects its inputs.
    pub form: Form,
    /// Messages for the user about the initial weights.
    pub notices: Vec<String>,
}

/// The architecture of a resumed run, read from its checkpoint because the files named in its settings may have
/// moved.
pub fn resumed_architecture(registry: &Registry, folder: &RunFolder) -> Result<ModelConfig, TrainError> {
    Ok(bundle::locate_in(registry, &ModelSource::new(folder.last()))?.config)
}

/// The architecture that the settings specify. The groups of the variant *clustering*, which depend on the outputs of the
/// text encoder, are not those of the run.
pub fn architecture(registry: &Registry, config: &TrainConfig) -> Result<ModelConfig, TrainError> {
    let architecture = whole(registry, config)?;
    match config.ablation {
        Some(variant) => {
            Ok(ModelConfig { network: varied(&*architecture.network, variant, None)?, ..architecture })
        }
        None => Ok(architecture),
    }
}

fn varied(
    network: &dyn Network,
    variant: Ablation,
    clusters: Option<Vec<Vec<usize>>>,
) -> Result<Arc<dyn Network>, TrainError> {
    network.ablation(variant, clusters).map_err(|error| TrainError::Config(error.to_string()))
}

/// The architecture without the variant of an ablation study.
fn whole(registry: &Registry, config: &TrainConfig) -> Result<ModelConfig, TrainError> {
    let start =
        config.start.as_ref().map(|start| bundle::locate_in(registry, &ModelSource::new(start))).transpose()?;
    let invalid = |error: ConfigError| TrainError::Config(error.to_string());
    let mut architecture = match (&config.architecture, &start) {
        (Some(path), _) => of_path(registry, path)?,
        (None, Some(start)) => match &config.vocab {
            Some(vocab) => with_room_for(registry, &start.config, vocab)?,
            None => start.config.clone(),
        },
        (None, None) => registry.published().map_err(invalid)?,
    };
    // A network trained here receives images without transposing them. Weights from elsewhere may have learned the other order.
    architecture.axes = start.as_ref().map_or(Axes::Yx, |start| start.config.axes);
    if let Some(side) = config.image_size {
        architecture.network = architecture.network.with_image_side(side).map_err(|error| {
            let name = architecture.network.name();
            TrainError::Config(format!("image_size {side}: the network {name} cannot be trained with it: {error}"))
        })?;
    }
    if let Some(start) = &start {
        check_side(start, architecture.network.as_ref())?;
    }
    Ok(architecture)
}

/// Checks that the weights of the initial bundle can be carried over to the image size of `network`.
///
/// # Errors
/// The image sizes differ, and the bundle has parameters whose shape follows from the image size: position embeddings
/// of a fixed grid. In another grid, a row of them belongs to another place.
fn check_side(start: &Located, network: &dyn Network) -> Result<(), TrainError> {
    let (old, new) = (start.config.network.as_ref(), network.image_side());
    let is_same = old.image_side() == new || old.name() != network.name();
    let Some(other) = (if is_same { None } else { old.with_image_side(new).ok() }) else { return Ok(()) };
    // Nothing is computed: the random weights are drawn when they are first read.
    let shapes = |network: &dyn Network| -> Result<Vec<(String, Vec<usize>)>, TrainError> {
        let device = crate::device::cpu().device;
        let model = network.build(&device).map_err(|error| TrainError::Config(error.to_string()))?;
        let mut shapes = Vec::new();
        model.visit_parameters(&mut |path, parameter| shapes.push((network.key(path), parameter.shape())));
        Ok(shapes)
    };
    let (before, after) = (shapes(old)?, shapes(other.as_ref())?);
    match before.iter().zip(&after).find(|(before, after)| before != after) {
        None => Ok(()),
        Some(((key, _), _)) => Err(TrainError::Config(format!(
            "{}: its weights belong to images of {} pixels, because its position embeddings ({key}) have a fixed grid, and the run is for {new} pixels; leave image_size out, or leave start out to begin with random weights",
            start.weights.path().display(),
            old.image_side()
        ))),
    }
}

/// The same architecture with embeddings for the entries of another vocabulary.
fn with_room_for(registry: &Registry, config: &ModelConfig, vocab: &Path) -> Result<ModelConfig, TrainError> {
    let invalid = |reason: String| TrainError::Config(format!("{}: {reason}", vocab.display()));
    let entries = Tokenizer::from_file(vocab)?.vocabulary_size();
    let mut object: Value = serde_json::from_str(&config.to_json()).map_err(|error| invalid(error.to_string()))?;
    // LViT's text encoder is described apart from its network.
    let places = ["/text/vocab_size", "/text_encoder/sizes/vocab_size"];
    let place = places.into_iter().find(|place| object.pointer(place).is_some());
    match place.and_then(|place| object.pointer_mut(place)) {
        Some(size) => *size = Value::from(entries),
        None => {
            return Err(invalid(format!(
                "the network {} has no vocabulary; leave vocab out",
                config.network.name()
            )));
        }
    }
    registry.parse(&object.to_string()).map_err(|error| invalid(error.to_string()))
}

/// Whether the settings want another architecture or vocabulary than that of the initial bundle, if there is one.
fn is_adapted(config: &TrainConfig, from: &Located, architecture: &ModelConfig) -> Result<bool, TrainError> {
    let (old, new) = (&from.config, architecture);
    let is_other = old.network.name() != new.network.name()
        || old.network.sizes() != new.network.sizes()
        || old.unknown_words != new.unknown_words;
    let Some(vocab) = config.vocab.as_ref().filter(|_| !is_other) else { return Ok(is_other) };
    let old = tokenizer_of(from)?.map(|tokenizer| tokenizer.entries());
    Ok(old != Some(Tokenizer::from_file(vocab)?.entries()))
}

/// The settings with the decision whether the text encoder is trained, if the run starts from a bundle of another
/// architecture or vocabulary: its new parts would stay random.
pub fn settled(registry: &Registry, config: &TrainConfig) -> Result<TrainConfig, TrainError> {
    let mut config = config.clone();
    if let (Some(start), None, true) =
        (&config.start, config.train_text, config.architecture.is_some() || config.vocab.is_some())
    {
        let from = bundle::locate_in(registry, &ModelSource::new(start))?;
        let mut wanted = whole(registry, &config)?;
        // The size of the image alone is nothing to the text encoder.
        if config.image_size.is_some()
            && let Ok(network) = wanted.network.with_image_side(from.config.network.image_side())
        {
            wanted.network = network;
        }
        if is_adapted(&config, &from, &wanted)? {
            config.train_text = Some(true);
        }
    }
    Ok(config)
}

/// Prepares the start of a new run, or of a resumed run from the checkpoint in `folder`.
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
    let (mut architecture, is_adapted) = match &located {
        Some(located) if is_resumed => (located.config.clone(), false),
        Some(located) => {
            let wanted = whole(registry, config)?;
            match is_adapted(config, located, &wanted)? {
                true => (wanted, true),
                false => (located.config.clone(), false),
            }
        }
        None => (whole(registry, config)?, false),
    };
    let words = match architecture.network.text() {
        Some(text) => {
            let given = config.vocab.as_deref().filter(|_| located.is_none() || is_adapted);
            let path = vocabulary_file(config, folder, given, located.as_ref(), cases, text.vocabulary_size)?;
            let tokenizer = Tokenizer::from_file(&path)?
                .with_unknown_words(architecture.unknown_words)
                .with_word_limit(architecture.network.word_limit());
            Some((tokenizer, path, text.token_limit))
        }
        None if architecture.network.vectors().is_some() => {
            return Err(TrainError::Config(
                "this network reads word vectors that were made elsewhere, and a run has sentences only; give it a text encoder (text_encoder in its config.json)"
                    .into(),
            ));
        }
        None => None,
    };
    let mut notices = located.as_ref().map(|located| located.weights.notices().to_vec()).unwrap_or_default();
    let mut model = match &located {
        Some(located) if is_adapted => {
            let (model, notice) =
                adapted(located, &architecture, words.as_ref().map(|(tokenizer, ..)| tokenizer), device)?;
            notices.push(notice);
            model
        }
        Some(located) => located.load(device)?,
        None => architecture.network.build(device).map_err(|error| TrainError::Config(error.to_string()))?,
    };
    let (side, is_transposed) = (architecture.network.image_side(), architecture.is_transposed());
    let (text, vocabulary) = match words {
        Some((tokenizer, path, tokens)) => (Some((tokenizer, tokens)), Some(path)),
        None => (None, None),
    };
    let takes_box = architecture.network.takes_box();
    let form = Form { text, side, is_transposed, takes_box, input: architecture.input };
    if let Some(variant) = config.ablation.filter(|_| !is_resumed) {
        let clusters = match variant {
            Ablation::Clustering => {
                if config.start.is_none() {
                    notices.push(
                        "the layers are grouped by the outputs of a text encoder with random weights; start from a trained one to compare with the published table".into(),
                    );
                }
                let count = architecture.network.stages().len();
                let clusters = layer_clusters(&*model, &form, &cases.sentences(false), count, device)?;
                notices.push(format!("groups of text layers by clustering: {clusters:?}"));
                Some(clusters)
            }
            _ => None,
        };
        architecture.network = varied(&*architecture.network, variant, clusters)?;
        model = with_weights_of(&*model, architecture.network.as_ref(), device)?;
    }
    let is_text_frozen = form.text.is_some() && config.freezes_text();
    let model = if is_text_frozen { model.freeze_text() } else { model };
    Ok(Start { config: architecture, vocabulary, model, is_text_frozen, form, notices })
}

/// A model of `network` with the parameters of `from` that have the same path and shape. The variants of a study thus begin
/// with the same weights; only what the whole network does not have in this form, such as the weights of other groups of
/// layers, has its own initial values.
fn with_weights_of(
    from: &dyn Model,
    network: &dyn Network,
    device: &Device,
) -> Result<Box<dyn Model>, TrainError> {
    let mut known: HashMap<String, (Vec<usize>, Vec<f32>)> = HashMap::new();
    from.visit_parameters(&mut |path, parameter| {
        known.insert(path.to_owned(), (parameter.shape(), parameter.values()));
    });
    let model = network.build(device).map_err(|error| TrainError::Config(error.to_string()))?;
    Ok(model.map_parameters(&mut |path, slot| {
        if let Some((shape, values)) = known.remove(path)
            && shape == slot.shape()
        {
            slot.load(values);
        }
    }))
}

/// The network of `architecture` with the weights of the initial bundle as far as they fit, and what to say about them.
fn adapted(
    from: &Located,
    architecture: &ModelConfig,
    tokenizer: Option<&Tokenizer>,
    device: &Device,
) -> Result<(Box<dyn Model>, String), TrainError> {
    let old = tokenizer_of(from)?;
    let vocabularies = old.as_ref().zip(tokenizer).map(|(from, to)| Vocabularies { from, to });
    let (model, transfer) =
        transfer(architecture.network.as_ref(), from.weights.as_ref(), vocabularies.as_ref(), device)?;
    Ok((model, transfer.notice(&from.config.provenance.name)))
}

/// The vocabulary of a bundle.
fn tokenizer_of(from: &Located) -> Result<Option<Tokenizer>, TrainError> {
    Ok(match &from.vocabulary {
        Some(Vocabulary::File(path)) => Some(Tokenizer::from_file(path)?),
        Some(Vocabulary::Text(text)) => Some(Tokenizer::from_vocab_text(text)?),
        None => None,
    })
}

/// The vocabulary as a file in the run folder: the `given` one, that of the initial bundle, or one built from the prompts of
/// `cases` with at most `most` entries.
///
/// # Errors
/// The vocabulary cannot be read or written or has more than `most` entries.
fn vocabulary_file(
    config: &TrainConfig,
    folder: &RunFolder,
    given: Option<&Path>,
    from: Option<&Located>,
    cases: &Cases,
    most: usize,
) -> Result<PathBuf, TrainError> {
    let written = |text: &str| -> Result<PathBuf, TrainError> {
        let path = folder.path().join(VOCABULARY);
        write::bytes(&path, text.as_bytes())?;
        Ok(path)
    };
    // A bundle whose network reads no text has no vocabulary to start from.
    let from = from.filter(|located| located.config.network.text().is_some());
    let vocabulary = match (given, from) {
        (Some(path), _) => path.to_owned(),
        (None, Some(located)) => match located.vocabulary()? {
            Vocabulary::File(path) => path.clone(),
            Vocabulary::Text(text) => written(text)?,
        },
        (None, None) => {
            let sentences = with_augmentation(cases.sentences(config.reword > 0.0), config);
            written(&vocabulary::build(sentences.iter().map(String::as_str), most))?
        }
    };
    let entries = Tokenizer::from_file(&vocabulary)?.vocabulary_size();
    if entries > most {
        return Err(TrainError::Config(format!(
            "{}: the vocabulary has {entries} entries, the architecture {most}; choose a smaller one, or raise vocab_size in the sizes of its text encoder",
            vocabulary.display()
        )));
    }
    // The folder of the checkpoint is replaced during the run; the vocabulary must be kept.
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

#[cfg(test)]
mod tests;
