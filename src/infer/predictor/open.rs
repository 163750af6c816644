//! Opening a model, and sharing it with another thread.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{IMAGES_CACHED_SHARED, Loaded, Predictor, load};
use crate::device::{self, DeviceChoice, OpenDevice};
use crate::infer::cache::Recent;
use crate::infer::domain::Domain;
use crate::infer::error::InferError;
use crate::infer::info::{ModelInfo, sigma_history, sorted};
use crate::infer::inspect::InspectionCache;
use crate::logging;
use crate::model::weights::word_vectors::WordVectors;
use crate::model::weights::{Located, ModelSource, Vocabulary, WeightsError, bundle, manifest};
use crate::model::{ModelConfig, Network, Registry};
use crate::text::Tokenizer;

/// Opens the tokeniser of a network that reads text.
fn tokenizer(located: &Located) -> Result<Option<Tokenizer>, InferError> {
    let Some(text) = located.config.network.text() else { return Ok(None) };
    let (tokenizer, vocabulary) = match located.vocabulary()? {
        Vocabulary::File(path) => (Tokenizer::from_file(path)?, path.clone()),
        Vocabulary::Text(text) => (Tokenizer::from_vocab_text(text)?, located.source.path().to_path_buf()),
    };
    if tokenizer.vocabulary_size() > text.vocabulary_size {
        let reason = format!(
            "the vocabulary has {} entries, the model {}; name the model's own with --vocab",
            tokenizer.vocabulary_size(),
            text.vocabulary_size
        );
        return Err(WeightsError::file(&vocabulary, reason).into());
    }
    let limit = located.config.network.word_limit();
    Ok(Some(tokenizer.with_unknown_words(located.config.unknown_words).with_word_limit(limit)))
}

/// The number of tokens of a prompt that a network reads, with `[CLS]` and `[SEP]`; 0 if it reads no text.
fn token_limit(network: &dyn Network) -> usize {
    match network.text() {
        Some(text) => text.token_limit,
        None => network.vectors().map_or(0, |vectors| vectors.words + 2),
    }
}

/// The words that can be completed, one on each line.
fn words(tokenizer: Option<&Tokenizer>, vectors: Option<&WordVectors>) -> String {
    if let Some(vectors) = vectors {
        let letters = |word: &str| word.trim_matches(|letter: char| !letter.is_alphabetic()).to_lowercase();
        let words: BTreeSet<String> =
            vectors.sentences().iter().flat_map(|text| text.split_whitespace().map(letters)).collect();
        let words: Vec<String> = words.into_iter().filter(|word| word.chars().count() >= 3).collect();
        return words.join("\n");
    }
    tokenizer.map(|tokenizer| tokenizer.words().join("\n")).unwrap_or_default()
}

/// Reads the summary of the training pictures, if there is one.
fn domain(located: &Located) -> Result<Option<Domain>, InferError> {
    let Some(summary) = located.domain()? else { return Ok(None) };
    let domain = Domain::new(summary).ok_or_else(|| {
        let path = located.domain_path().unwrap_or_default();
        let reason =
            "a covariance cannot be inverted; summarise the training pictures again with `himix domain fit`";
        WeightsError::file(&path, reason)
    })?;
    Ok(Some(domain))
}

/// The names of the kinds of training pictures.
fn kinds(domain: &Domain) -> Vec<String> {
    domain.summary().kinds.iter().map(|kind| kind.name.clone()).collect()
}

impl Predictor {
    /// Opens a model on a device. If a GPU cannot be opened, the CPU is used instead and a notice says so.
    ///
    /// # Errors
    /// The weights, the configuration or the vocabulary cannot be read or do not match.
    pub fn open(source: &ModelSource, choice: DeviceChoice) -> Result<Self, InferError> {
        Self::open_on(source, device::open(choice).for_prediction()).inspect_err(|error| {
            tracing::warn!(kind = logging::kind(error), "a model could not be opened");
        })
    }

    /// Opens a model on a device that is already open.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_on(source: &ModelSource, device: OpenDevice) -> Result<Self, InferError> {
        Self::open_in(&Registry::default(), source, device)
    }

    /// Opens a model whose network is in `registry`.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_in(registry: &Registry, source: &ModelSource, device: OpenDevice) -> Result<Self, InferError> {
        let located = bundle::locate_in(registry, source)?;
        let tokenizer = tokenizer(&located)?;
        let word_vectors = located.word_vectors()?;
        let was_gpu = device.is_gpu;
        let mut notices: Vec<String> = Vec::new();
        let (mut loaded, _) = device::with_fallback(device, |device| {
            notices.extend(device.notice.clone());
            load(&located, device.clone())
        })?;
        if was_gpu && !loaded.device.is_gpu {
            tracing::warn!("the GPU failed while a model was loaded; the CPU is used");
        }
        notices.extend_from_slice(located.weights.notices());
        let linear_probes = located.linear_probes().unwrap_or_else(|error| {
            notices.push(error.to_string());
            None
        });
        // A prediction works without the calibration, so that a damaged one is a notice.
        let presence = located.presence().unwrap_or_else(|error| {
            notices.push(error.to_string());
            None
        });
        let domain = domain(&located).unwrap_or_else(|error| {
            notices.push(error.to_string());
            None
        });
        let thresholds = located.thresholds().unwrap_or_else(|error| {
            notices.push(error.to_string());
            None
        });
        let ModelConfig { network, provenance, unknown_words, temperature, .. } = &located.config;
        let overrides = loaded.executor.staged().map(|staged| staged.overrides().clone());
        let (is_bundled, parameters) = (source.is_bundled(), manifest::parameter_count(network.as_ref()));
        tracing::info!(is_bundled, parameters, device = loaded.device.name, "model opened");
        let info = ModelInfo {
            name: provenance.name.clone(),
            is_trained: provenance.trained,
            provenance: provenance.description.clone(),
            token_limit: token_limit(network.as_ref()),
            takes_box: network.takes_box(),
            vocabulary: words(tokenizer.as_ref(), word_vectors.as_ref()),
            unknown_words: *unknown_words,
            temperature: Some(temperature.get()).filter(|temperature| *temperature != 1.0),
            stages: network.stages().iter().map(|stage| stage.grid).collect(),
            parameters,
            operations: network.cost().operations,
            device: loaded.device.name.clone(),
            is_half: loaded.device.is_half,
            notices: notices.clone(),
            overrides: overrides.unwrap_or_default(),
            linear_probes: linear_probes.as_ref().map(|linear_probes| linear_probes.description.clone()),
            presence: presence.clone(),
            domain: domain.as_ref().map(kinds).unwrap_or_default(),
            history: sigma_history(located.source.path()),
            subjects: sorted(&provenance.subjects),
        };
        Ok(Self {
            registry: registry.clone(),
            located: Arc::new(located),
            tokenizer: tokenizer.map(Arc::new),
            word_vectors: word_vectors.map(Arc::new),
            loaded,
            linear_probes: linear_probes.map(Arc::new),
            presence: presence.map(Arc::new),
            domain: domain.map(Arc::new),
            thresholds: thresholds.map(Arc::new),
            inspection_cache: InspectionCache::default(),
            info,
            notices,
        })
    }

    /// The same model for another thread, with the same weights in the same memory. Prompts that one of them has
    /// encoded are known to the other, and the image that was used last is known to the new one. `None` on a GPU,
    /// which computes for one thread at a time, and if the network cannot share its weights.
    pub fn share(&self) -> Option<Self> {
        if self.device().is_gpu { None } else { self.twin() }
    }

    /// The same on any device. Only one of them may compute at a time on a GPU.
    pub(in crate::infer) fn twin(&self) -> Option<Self> {
        let Loaded { executor, device, images, views, prompts } = &self.loaded;
        let mut shared_images = Recent::new(IMAGES_CACHED_SHARED);
        if let Some((key, encoded)) = images.latest() {
            shared_images.put(*key, encoded.clone());
        }
        let loaded = Loaded {
            executor: executor.share()?,
            device: device.clone(),
            images: shared_images,
            views: views.clone(),
            prompts: prompts.clone(),
        };
        Some(Self {
            registry: self.registry.clone(),
            located: self.located.clone(),
            tokenizer: self.tokenizer.clone(),
            word_vectors: self.word_vectors.clone(),
            loaded,
            linear_probes: self.linear_probes.clone(),
            presence: self.presence.clone(),
            domain: self.domain.clone(),
            thresholds: self.thresholds.clone(),
            inspection_cache: InspectionCache::default(),
            info: self.info.clone(),
            notices: Vec::new(),
        })
    }
}
