//! The predictor: one model on one device, with caches of the features of images and prompts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batch_case::{BatchCase, Front};
use super::cache::Recent;
use super::domain::{Domain, DomainFigure, pooled};
use super::error::InferError;
use super::finish::{Finish, encode, natural, probability_plane};
use super::info::{ModelInfo, sigma_history, sorted};
use super::inspect::InspectionCache;
use super::inspection::InspectOptions;
use super::prediction::{Milliseconds, Plane, Prediction, StageMap};
use super::thresholds::SuggestedThreshold;
use super::view::View;
use crate::data::{Area, Image, preprocess};
use crate::device::{self, DeviceChoice, OpenDevice};
use crate::logging;
use crate::model::network::{Decoded, Features, TextStates};
use crate::model::overrides::Overrides;
use crate::model::weights::linear_probes::LinearProbes;
use crate::model::weights::presence::PresenceCalibration;
use crate::model::weights::thresholds::KindThresholds;
use crate::model::weights::word_vectors::WordVectors;
use crate::model::weights::{Located, ModelSource, Vocabulary, WeightsError, bundle, manifest};
use crate::model::{Executor, Inputs, Model, ModelConfig, Network, Registry, Tokens, Trace, Traced};
use crate::text::prompt::{Reading, reading};
use crate::text::{Encoding, Tokenizer};

/// The number of images whose features are cached; 2.3 MB each in the full-size model.
const IMAGES_CACHED: usize = 16;
/// The same in a predictor that shares its weights with another and goes through a set: the current image.
const IMAGES_CACHED_SHARED: usize = 1;
/// The number of prompts whose token states of every layer are cached; 1 MB each in the full-size model.
const PROMPTS_CACHED: usize = 128;

/// The number of changed copies of images whose features are cached: those of one image in the ensemble of the uncertainty.
const VIEWS_CACHED: usize = 9;

/// The states of a prompt, once a thread has computed them. The others that need them wait for it.
type Prompted = Arc<Mutex<Option<TextStates>>>;

/// The features of changed copies, by the image and what is changed.
type Views = Recent<([u8; 32], View), Features>;

/// Everything that is on the device.
struct Loaded {
    executor: Box<dyn Executor>,
    device: OpenDevice,
    images: Recent<[u8; 32], Encoded>,
    /// The features of changed copies of images, which all that share the weights have in common: they are computed side by
    /// side.
    views: Arc<Mutex<Views>>,
    prompts: Arc<Mutex<Recent<Vec<i64>, Prompted>>>,
}

/// What is kept of an image.
#[derive(Clone)]
pub(super) struct Encoded {
    features: Features,
    /// How far it is from the training pictures, if the model has a summary of them.
    domain: Option<DomainFigure>,
    /// The threshold for its kind, if the model has one.
    threshold: Option<SuggestedThreshold>,
}

impl Loaded {
    fn prompts(&self) -> MutexGuard<'_, Recent<Vec<i64>, Prompted>> {
        // Every state between two operations of the cache is valid.
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place in the cache of the prompt with these tokens.
    fn prompted(&self, ids: &[i64]) -> Prompted {
        let (ids, mut prompts) = (ids.to_vec(), self.prompts());
        prompts.get(&ids).unwrap_or_else(|| {
            let entry = Prompted::default();
            prompts.put(ids, entry.clone());
            entry
        })
    }

    fn views(&self) -> MutexGuard<'_, Views> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One model on one device.
pub struct Predictor {
    registry: Registry,
    located: Arc<Located>,
    /// The tokeniser; `None` if the network reads no text.
    tokenizer: Option<Arc<Tokenizer>>,
    /// The word vectors of sentences; `None` if the network reads none, or makes them of tokens.
    word_vectors: Option<Arc<WordVectors>>,
    loaded: Loaded,
    linear_probes: Option<Arc<LinearProbes>>,
    presence: Option<Arc<PresenceCalibration>>,
    domain: Option<Arc<Domain>>,
    thresholds: Option<Arc<KindThresholds>>,
    pub(super) inspection_cache: InspectionCache,
    info: ModelInfo,
    notices: Vec<String>,
}

fn load(located: &Located, device: OpenDevice) -> Result<Loaded, InferError> {
    let executor = located.load(&device::cpu().device)?.prepare(&device.device);
    let prompts = Arc::new(Mutex::new(Recent::new(PROMPTS_CACHED)));
    let views = Arc::new(Mutex::new(Recent::new(VIEWS_CACHED)));
    Ok(Loaded { executor, device, images: Recent::new(IMAGES_CACHED), views, prompts })
}

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

/// A sentence for a network whose word vectors come from a file: its place in the file takes the place of the ids, or −1
/// if it is none of the file's.
fn encode_sentence(vectors: &WordVectors, prompt: &str) -> Encoding {
    let mut read: Vec<String> = prompt.split_whitespace().map(str::to_owned).collect();
    let total = read.len() + 2;
    let place = vectors.find(prompt);
    let dropped = read.split_off(place.map_or(0, |_| vectors.words().min(read.len())));
    let place = place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1);
    Encoding { ids: vec![place], mask: vec![1], read, dropped, total }
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
        Self::open_on(source, device::open(choice)).inspect_err(|error| {
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
        let (mut loaded, device) = device::with_fallback(device, |device| load(&located, device.clone()))?;
        let mut notices: Vec<String> = device.notice.into_iter().collect();
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
    pub(super) fn twin(&self) -> Option<Self> {
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

    /// Information about the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The configuration of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.located.config
    }

    /// Takes the messages for the user since the last call, for example that the GPU failed and the CPU is used.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// The only sentences that the model can read, because their word vectors come from a file; empty if it reads any
    /// prompt, or none.
    pub fn known_sentences(&self) -> &[String] {
        self.word_vectors.as_ref().map_or(&[], |vectors| vectors.sentences())
    }

    /// The tokens that the network would read of a prompt; empty if it reads no text.
    pub fn encode(&self, prompt: &str) -> Encoding {
        if let Some(vectors) = &self.word_vectors {
            return encode_sentence(vectors, prompt);
        }
        encode(self.tokenizer.as_deref(), self.info.token_limit, prompt)
    }

    /// What the network would read of a prompt, by words; empty if it reads no text.
    pub fn reading(&self, prompt: &str) -> Reading {
        let reading = |tokenizer: &Arc<Tokenizer>| reading(prompt, tokenizer, self.info.token_limit);
        self.tokenizer.as_ref().map_or_else(Reading::default, reading)
    }

    /// Clears the cached features of images and prompts, so that the next prediction computes everything.
    pub fn forget(&mut self) {
        self.loaded.images.clear();
        self.loaded.views().clear();
        self.loaded.prompts().clear();
    }

    /// Segments an image. Only the probability is read back from the device. If a GPU fails, the model is opened
    /// again on the CPU and the prediction is repeated there.
    ///
    /// # Errors
    /// The computation failed.
    pub fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        Ok(self.inspect(image, prompt, None, InspectOptions::default())?.prediction)
    }

    /// Runs `job`. If a GPU fails, the model moves to the CPU permanently and `job` runs again.
    pub(super) fn with_fallback<T>(
        &mut self,
        mut job: impl FnMut(&mut Self) -> Result<T, InferError>,
    ) -> Result<T, InferError> {
        let (value, _) = device::with_fallback(self.loaded.device.clone(), |device| {
            if device.is_gpu != self.loaded.device.is_gpu {
                self.move_to(device)?;
            }
            job(self)
        })?;
        Ok(value)
    }

    fn move_to(&mut self, device: &OpenDevice) -> Result<(), InferError> {
        tracing::warn!("the GPU failed during a prediction; the CPU is used");
        self.inspection_cache = InspectionCache::default();
        self.notices.extend(device.notice.clone());
        self.loaded = load(&self.located, device.clone())?;
        self.info.device.clone_from(&device.name);
        Ok(())
    }

    /// Opens the model on the CPU for the reason in `notice`. What lies on the current device, which hangs, is left there:
    /// dropping it could hang as well.
    pub(super) fn leave_device(&mut self, notice: String) -> Result<(), InferError> {
        let cpu = device::with_notice(notice);
        let loaded = load(&self.located, cpu.clone())?;
        std::mem::forget(std::mem::replace(&mut self.loaded, loaded));
        std::mem::forget(std::mem::take(&mut self.inspection_cache));
        self.notices.extend(cpu.notice);
        self.info.device = cpu.name;
        Ok(())
    }

    /// All intermediate tensors under the names of the reference tensors, with `input.image`, and `input.ids` and
    /// `input.mask`, `input.text` for a network whose word vectors come from a file, or `input.box`.
    ///
    /// # Errors
    /// The weights cannot be read or the computation failed.
    pub fn activations(&self, image: &Image, prompt: &str) -> Result<Vec<Traced>, InferError> {
        // The predictor's own network has folded weights. This needs the plain network, which is loaded for this
        // call only.
        let device = &self.loaded.device;
        let corners = self.corners(image, prompt)?;
        device::guarded(&device.name, || {
            let model = self.located.load(&device.device)?;
            let mut trace = Trace::on();
            let image = self.input(image, &device.device);
            trace.record("input.image", &image);
            let tokens = self.tokens(&self.encode(prompt), &device.device);
            if let Some(Tokens { ids, mask }) = &tokens {
                trace.record("input.ids", &ids.clone().float());
                trace.record("input.mask", &mask.clone().float());
            }
            let vectors = match &self.word_vectors {
                Some(vectors) => Some(self.vectors(vectors, &self.encode(prompt))?),
                None => None,
            };
            if let Some(vectors) = &vectors {
                trace.record("input.text", vectors);
            }
            let boxes = corners
                .map(|corners| Tensor::<2>::from_data(TensorData::new(corners.to_vec(), [1, 4]), &device.device));
            if let Some(boxes) = &boxes {
                trace.record("input.box", boxes);
            }
            let inputs = Inputs::new(image).with_tokens(tokens).with_vectors(vectors).with_boxes(boxes);
            model.forward(inputs, &mut trace);
            Ok(trace.into_tensors())
        })
        .map_err(InferError::from)
        .flatten()
    }

    fn input(&self, image: &Image, device: &Device) -> Tensor<4> {
        let side = self.side();
        let values = preprocess::input_tensor(image, side, self.is_transposed(), self.located.config.input);
        Tensor::from_data(TensorData::new(values, [1, 3, side, side]), device)
    }

    /// The tokens on a device; `None` if the network reads no text.
    fn tokens(&self, encoding: &Encoding, device: &Device) -> Option<Tokens> {
        let tensor = |values: &[i64]| {
            Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device)
        };
        self.tokenizer.as_ref()?;
        Some(Tokens { ids: tensor(&encoding.ids), mask: tensor(&encoding.mask) })
    }

    /// The vectors of the words of a sentence, on the device.
    ///
    /// # Errors
    /// There are none of this sentence, or they cannot be read.
    fn vectors(&self, vectors: &WordVectors, encoding: &Encoding) -> Result<Tensor<3>, InferError> {
        let place = encoding.ids.first().and_then(|place| usize::try_from(*place).ok()).ok_or_else(|| {
            let count = vectors.sentences().len();
            InferError::Refused(format!(
                "this model knows {count} sentences by their word vectors, and the prompt is none of them; type one of them, such as \"{}\", or import the model with its text encoder",
                vectors.sentences().first().map(String::as_str).unwrap_or_default()
            ))
        })?;
        let values = vectors.read(place)?;
        let size = values.len() / vectors.words().max(1);
        let data = TensorData::new(values, [1, vectors.words(), size]);
        Ok(Tensor::from_data(data, &self.loaded.device.device))
    }

    /// Whether images of a set can be computed in one pass with other prompts: neither word vectors nor boxes are tokens.
    pub(super) fn can_batch(&self) -> bool {
        self.word_vectors.is_none() && !self.info.takes_box
    }

    /// The corners of the box that a prompt describes, in pixels of the network's input; `None` for a network that takes no
    /// box.
    fn corners(&self, image: &Image, prompt: &str) -> Result<Option<[f32; 4]>, InferError> {
        if !self.info.takes_box {
            return Ok(None);
        }
        let (width, height) = (image.width, image.height);
        let area = prompt.parse::<Area>()?.clipped(width, height)?;
        Ok(Some(area.in_input(width, height, self.side(), self.is_transposed())))
    }

    /// What the network makes of a prompt, a text or a box.
    fn prompted(
        &mut self,
        image: &Image,
        prompt: &str,
        encoding: &Encoding,
        times: &mut Milliseconds,
    ) -> Result<TextStates, InferError> {
        match self.corners(image, prompt)? {
            // Two tokens take less time to compute than to look up.
            Some(corners) => Ok(self.loaded.executor.encode_box(corners)),
            None => self.text_states(encoding, times),
        }
    }

    /// The side length in pixels of the network's input and of its mask.
    pub(super) fn side(&self) -> usize {
        self.located.config.network.image_side()
    }

    /// The temperature by which the logits are divided.
    fn temperature(&self) -> f32 {
        self.located.config.temperature.get()
    }

    pub(super) fn is_transposed(&self) -> bool {
        self.located.config.is_transposed()
    }

    /// Runs the encoders if image or prompt are new, and the decoder with `overrides`.
    pub(super) fn pass(&mut self, image: &Image, prompt: &str, overrides: &Overrides) -> Result<Pass, InferError> {
        let start = Instant::now();
        let mut milliseconds = Milliseconds::default();
        // A box that cannot be used is refused before the image is encoded.
        self.corners(image, prompt)?;
        let Encoded { features, domain, threshold } = self.features(image, &mut milliseconds)?;
        let encoding = self.encode(prompt);
        let states = self.prompted(image, prompt, &encoding, &mut milliseconds)?;

        let start_decoder = Instant::now();
        let decoded = self.decode(&features, &states, overrides);
        Ok(Pass { features, domain, threshold, states, decoded, encoding, milliseconds, start, start_decoder })
    }

    fn decode(&mut self, features: &Features, states: &TextStates, overrides: &Overrides) -> Decoded {
        let executor = &mut self.loaded.executor;
        match executor.staged() {
            Some(staged) => staged.decode_with(features, states, overrides),
            None => Decoded { logits: executor.decode(features, states), stages: Vec::new() },
        }
    }

    /// The logits of an image of a set that is computed alone, row by row as the network gives them. Only the states of
    /// its prompt are cached.
    pub(super) fn logits_of(&mut self, case: &BatchCase, overrides: &Overrides) -> Result<Vec<f32>, InferError> {
        let side = self.side();
        let data = TensorData::new(case.image.clone(), [1, 3, side, side]);
        let features = self.loaded.executor.encode_image(Tensor::from_data(data, &self.loaded.device.device));
        let states = self.text_states(&case.encoding, &mut Milliseconds::default())?;
        let decoded = self.decode(&features, &states, overrides);
        self.values(decoded.logits.reshape([-1]))
    }

    /// What other threads need to prepare the images of a set and to finish their predictions.
    pub(super) fn front(&self) -> Front {
        Front {
            info: self.info.clone(),
            tokenizer: self.tokenizer.clone(),
            presence: self.presence.clone(),
            temperature: self.temperature(),
            side: self.side(),
            is_transposed: self.is_transposed(),
            form: self.located.config.input,
        }
    }

    /// The features of an image, and how far it is from the training pictures, from the cache if it is known.
    pub(super) fn features(&mut self, image: &Image, times: &mut Milliseconds) -> Result<Encoded, InferError> {
        let key = image.content_key();
        if let Some(encoded) = self.loaded.images.get(&key) {
            return Ok(encoded);
        }
        let start = Instant::now();
        let features = self.loaded.executor.encode_image(self.input(image, &self.loaded.device.device));
        self.sync()?;
        let domain = self.domain_figure(&features)?;
        let threshold = self.thresholds.as_ref().and_then(|known| SuggestedThreshold::of(known, image));
        let encoded = Encoded { features, domain, threshold };
        self.loaded.images.put(key, encoded.clone());
        times.vision = elapsed_ms(start);
        Ok(encoded)
    }

    /// The probability of a changed copy of an image ([`Segmenter::view`](super::Segmenter::view)). The copy is made and
    /// encoded only if its features are not known, and nothing is enlarged to the size of the image.
    ///
    /// # Errors
    /// See [`Self::predict`].
    pub fn view(&mut self, image: &Image, view: View, prompt: &str) -> Result<Plane, InferError> {
        self.with_fallback(|predictor| predictor.view_once(image, view, prompt))
    }

    fn view_once(&mut self, image: &Image, view: View, prompt: &str) -> Result<Plane, InferError> {
        let prompt = view.prompt(prompt, [image.width, image.height]);
        // The size of a copy is that of the image.
        self.corners(image, &prompt)?;
        let mut times = Milliseconds::default();
        let features = self.view_features(image, view, &mut times)?;
        let states = self.prompted(image, &prompt, &self.encode(&prompt), &mut times)?;
        let decoded = self.decode(&features, &states, &self.overrides().clone());
        let logits = self.values(decoded.logits.reshape([-1]))?;
        Ok(probability_plane(logits, self.temperature(), self.side(), self.is_transposed()))
    }

    fn view_features(
        &mut self,
        image: &Image,
        view: View,
        times: &mut Milliseconds,
    ) -> Result<Features, InferError> {
        if view.is_original() {
            return Ok(self.features(image, times)?.features);
        }
        let key = (image.content_key(), view);
        let known = self.loaded.views().get(&key);
        if let Some(features) = known {
            return Ok(features);
        }
        let input = self.input(&view.image(image), &self.loaded.device.device);
        let features = self.loaded.executor.encode_image(input);
        self.sync()?;
        self.loaded.views().put(key, features.clone());
        Ok(features)
    }

    /// How far an image with these features is from the training pictures. A summary that does not belong to the network
    /// is not used any more, and a notice says so.
    fn domain_figure(&mut self, features: &Features) -> Result<Option<DomainFigure>, InferError> {
        let Some(domain) = self.domain.clone() else { return Ok(None) };
        let figure = domain.figure(&self.pooled(features)?);
        Ok(figure.map_err(|reason| self.forget_domain(&reason)).ok())
    }

    fn forget_domain(&mut self, reason: &str) {
        let path = self.domain_path().unwrap_or_default();
        self.notices.push(WeightsError::file(&path, reason.to_owned()).to_string());
        self.domain = None;
        self.info.domain.clear();
    }

    /// The means and standard deviations of the channels of an image's features, by which its kind is told
    /// ([`Domain`]).
    ///
    /// # Errors
    /// The computation failed.
    pub fn pooled_features(&mut self, image: &Image) -> Result<Vec<f32>, InferError> {
        self.with_fallback(|predictor| {
            let Encoded { features, .. } = predictor.features(image, &mut Milliseconds::default())?;
            predictor.pooled(&features)
        })
    }

    /// Pools features on the CPU, so that the numbers hardly depend on the device.
    fn pooled(&self, features: &Features) -> Result<Vec<f32>, InferError> {
        let read = |feature: &Tensor<2>| Ok((self.values(feature.clone())?, feature.dims()[1]));
        Ok(pooled(&features.iter().map(read).collect::<Result<Vec<_>, InferError>>()?))
    }

    /// The text encoder's outputs for a prompt, from the cache if its tokens are known; empty if the network reads
    /// no text.
    pub(super) fn text_states(
        &mut self,
        encoding: &Encoding,
        times: &mut Milliseconds,
    ) -> Result<TextStates, InferError> {
        if self.word_vectors.is_none() && self.tokenizer.is_none() {
            return Ok(TextStates::new());
        }
        let start = Instant::now();
        let entry = self.loaded.prompted(&encoding.ids);
        // The cache is not locked during the computation, so that only a thread with the same prompt waits for it. After a
        // panic there are no states.
        let mut known = entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(states) = known.as_ref() {
            return Ok(states.clone());
        }
        let states = match &self.word_vectors {
            Some(vectors) => {
                let vectors = self.vectors(vectors, encoding)?;
                self.loaded.executor.encode_vectors(vectors)
            }
            None => {
                let tokens = self.tokens(encoding, &self.loaded.device.device);
                let Some(tokens) = tokens else { return Ok(TextStates::new()) };
                self.loaded.executor.encode_text(tokens)
            }
        };
        self.sync()?;
        *known = Some(states.clone());
        times.text = elapsed_ms(start);
        Ok(states)
    }

    /// Reads the mask of a pass back and, if `has_maps` is set, the maps of the stages.
    pub(super) fn prediction(
        &self,
        image: &Image,
        prompt: &str,
        pass: &Pass,
        overrides: &Overrides,
        has_maps: bool,
    ) -> Result<Prediction, InferError> {
        let (side, is_transposed) = (self.side(), self.is_transposed());
        let logits = self.values(pass.decoded.logits.clone().reshape([-1]))?;
        let mut stages = Vec::new();
        for (stage, grid) in pass.decoded.stages.iter().zip(&self.info.stages).filter(|_| has_maps) {
            let side = 2 * grid;
            let values = natural(self.values(stage.output.clone().mean_dim(1))?, side, is_transposed);
            let map = Plane { width: side, height: side, values }.normalised();
            stages.push(StageMap { grid: *grid, map });
        }
        let milliseconds = Milliseconds { decoder: elapsed_ms(pass.start_decoder), ..pass.milliseconds };
        let finish = Finish {
            image,
            prompt,
            logits,
            temperature: self.temperature(),
            side,
            is_transposed,
            stages,
            encoding: &pass.encoding,
            reading: self.reading(prompt),
            limit: self.info.token_limit,
            presence: self.presence.as_deref(),
            domain: pass.domain.clone(),
            threshold: pass.threshold.clone(),
            overrides,
            device: &self.loaded.device.name,
            milliseconds,
            start: pass.start,
        };
        Ok(finish.prediction())
    }

    /// The values of a tensor in row-major order.
    pub(super) fn values<const D: usize>(&self, tensor: Tensor<D>) -> Result<Vec<f32>, InferError> {
        let data = tensor.try_into_data().map_err(|error| self.compute_error(error.to_string()))?;
        Ok(data.iter::<f32>().collect())
    }

    fn sync(&self) -> Result<(), InferError> {
        self.loaded.device.device.sync().map_err(|error| self.compute_error(error.to_string()))
    }

    fn compute_error(&self, reason: String) -> InferError {
        InferError::Compute { device: self.loaded.device.name.clone(), reason }
    }

    /// The linear probes of the stages, if the model has them.
    pub fn linear_probes(&self) -> Option<&LinearProbes> {
        self.linear_probes.as_deref()
    }

    /// The networks among which the model's was found.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The device on which the model computes.
    pub(super) fn device(&self) -> &OpenDevice {
        &self.loaded.device
    }

    /// Adds a message for the user.
    pub(super) fn add_notice(&mut self, notice: String) {
        self.notices.push(notice);
    }

    /// Replaces the messages that were not taken yet.
    pub(super) fn set_notices(&mut self, notices: Vec<String>) {
        self.notices = notices;
    }

    /// Puts an executor in front of the model's own, for a test that watches it.
    #[cfg(test)]
    pub(super) fn watch(&mut self, wrap: impl FnOnce(Box<dyn Executor>) -> Box<dyn Executor>) {
        self.loaded.executor = wrap(self.loaded.executor.share().expect("a network that shares its weights"));
    }

    /// The files of the model.
    pub(super) fn located(&self) -> &Located {
        &self.located
    }

    /// The path where the linear probes are or would be stored; `None` if the model is not a file, such as the
    /// bundled model.
    pub fn linear_probes_path(&self) -> Option<PathBuf> {
        self.located.linear_probes_path()
    }

    /// The path where the calibration of presence is or would be stored; `None` if the model is not a file, such as
    /// the bundled model.
    pub fn presence_path(&self) -> Option<PathBuf> {
        self.located.presence_path()
    }

    /// The path where the summary of the training pictures is or would be stored; `None` if the model is not a file, such
    /// as the bundled model.
    pub fn domain_path(&self) -> Option<PathBuf> {
        self.located.domain_path()
    }

    /// The device on which gradients are computed.
    pub(super) fn gradient_device(&self) -> Device {
        self.loaded.device.device.clone().autodiff()
    }

    /// Loads the network as published, without folding.
    pub(super) fn load_plain(&self, device: &Device) -> Result<Box<dyn Model>, InferError> {
        Ok(self.located.load(device)?)
    }
}

/// The results of a pass through the network.
pub(super) struct Pass {
    pub(super) features: Features,
    domain: Option<DomainFigure>,
    threshold: Option<SuggestedThreshold>,
    pub(super) states: TextStates,
    pub(super) decoded: Decoded,
    encoding: Encoding,
    milliseconds: Milliseconds,
    start: Instant,
    start_decoder: Instant,
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
