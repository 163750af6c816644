//! The predictor: one model on one device, with caches of the features of images and prompts.

mod open;
mod pass;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;

use super::cache::Recent;
use super::domain::{Domain, DomainFigure};
use super::error::InferError;
use super::finish::encode;
use super::info::ModelInfo;
use super::inspect::InspectionCache;
use super::inspection::InspectOptions;
use super::prediction::Prediction;
use super::thresholds::SuggestedThreshold;
use super::view::View;
use crate::data::Image;
use crate::device::{self, OpenDevice};
use crate::model::network::{Features, TextStates};
use crate::model::weights::Located;
use crate::model::weights::linear_probes::LinearProbes;
use crate::model::weights::presence::PresenceCalibration;
use crate::model::weights::thresholds::KindThresholds;
use crate::model::weights::word_vectors::WordVectors;
use crate::model::{Executor, Model, ModelConfig, Registry, Target};
use crate::text::prompt::{Reading, reading};
use crate::text::{Encoding, Tokenizer};
pub(super) use pass::Pass;

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
    let target = Target { device: device.device.clone(), is_half: device.is_half };
    let executor = located.load(&device::cpu().device)?.prepare(&target);
    let prompts = Arc::new(Mutex::new(Recent::new(PROMPTS_CACHED)));
    let views = Arc::new(Mutex::new(Recent::new(VIEWS_CACHED)));
    Ok(Loaded { executor, device, images: Recent::new(IMAGES_CACHED), views, prompts })
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

impl Predictor {
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

    /// Runs `job`. If a GPU fails, the model moves to the CPU permanently, or to the other precision of the GPU where that
    /// may help, and `job` runs again.
    pub(super) fn with_fallback<T>(
        &mut self,
        mut job: impl FnMut(&mut Self) -> Result<T, InferError>,
    ) -> Result<T, InferError> {
        let (value, _) = device::with_fallback(self.loaded.device.clone(), |device| {
            let own = &self.loaded.device;
            if (device.is_gpu, device.is_half) != (own.is_gpu, own.is_half) {
                self.move_to(device)?;
            }
            job(self)
        })?;
        Ok(value)
    }

    fn move_to(&mut self, device: &OpenDevice) -> Result<(), InferError> {
        tracing::warn!(is_gpu = device.is_gpu, "the GPU failed during a prediction");
        self.inspection_cache = InspectionCache::default();
        self.notices.extend(device.notice.clone());
        if device.is_gpu {
            // The weights of both precisions together may not fit into the memory of a card.
            self.loaded = load(&self.located, device::cpu())?;
            device.device.memory_cleanup();
        }
        self.loaded = load(&self.located, device.clone())?;
        self.info.device.clone_from(&device.name);
        self.info.is_half = device.is_half;
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
        self.info.is_half = false;
        Ok(())
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
