//! The predictor: one model on one device, with caches of what images and prompts look like to it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::cache::Recent;
use super::error::InferError;
use super::info::{ModelInfo, parameter_count, sigma_history, sorted};
use super::inspect::InspectionCache;
use super::prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
use crate::data::{Image, preprocess};
use crate::device::{self, DeviceChoice, OpenDevice};
use crate::logging;
use crate::model::config::Axes;
use crate::model::overrides::Overrides;
use crate::model::prepared::{Decoded, Features, Prepared};
use crate::model::weights::linear_probes::LinearProbes;
use crate::model::weights::{Located, ModelSource, Vocabulary, WeightsError, bundle};
use crate::model::{HiMix, ModelConfig, Trace, Traced};
use crate::text::{Encoding, Tokenizer};

/// Images whose features are kept; 2.3 MB each in the full-size model.
const IMAGES_CACHED: usize = 16;
/// Prompts whose token states are kept, of every layer; 1 MB each in the full-size model.
const PROMPTS_CACHED: usize = 128;

/// Everything on the device.
struct Loaded {
    prepared: Prepared,
    device: OpenDevice,
    images: Recent<[u8; 32], Features>,
    prompts: Recent<Vec<i64>, Vec<Tensor<3>>>,
}

/// One model on one device.
pub struct Predictor {
    located: Located,
    tokenizer: Tokenizer,
    loaded: Loaded,
    linear_probes: Option<LinearProbes>,
    pub(super) inspection_cache: InspectionCache,
    info: ModelInfo,
    notices: Vec<String>,
}

fn load(located: &Located, device: OpenDevice) -> Result<Loaded, InferError> {
    let prepared = Prepared::new(located.load(&device.device)?, &located.config);
    Ok(Loaded { prepared, device, images: Recent::new(IMAGES_CACHED), prompts: Recent::new(PROMPTS_CACHED) })
}

/// Runs `job`, turning a panic of the compute library into its message. A GPU that fails does so by panicking.
pub(super) fn guarded<T>(device: &str, job: impl FnOnce() -> T) -> Result<T, InferError> {
    catch_unwind(AssertUnwindSafe(job)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let reason = text.unwrap_or_else(|| "no reason given".into());
        InferError::Compute { device: device.to_owned(), reason: reason.lines().next().unwrap_or("").to_owned() }
    })
}

impl Predictor {
    /// Opens a model on a device. A GPU that cannot be opened is replaced by the CPU, which a notice says.
    pub fn open(source: &ModelSource, choice: DeviceChoice) -> Result<Self, InferError> {
        Self::open_on(source, device::open(choice)).inspect_err(|error| {
            tracing::warn!(kind = logging::kind(error), "a model could not be opened");
        })
    }

    /// Opens a model on a device that is open already.
    pub fn open_on(source: &ModelSource, device: OpenDevice) -> Result<Self, InferError> {
        let located = bundle::locate(source)?;
        let (tokenizer, vocabulary) = match located.vocabulary()? {
            Vocabulary::File(path) => (Tokenizer::from_file(path)?, path.clone()),
            Vocabulary::Text(text) => (Tokenizer::from_vocab_text(text)?, source.path().to_path_buf()),
        };
        let is_bundled = matches!(located.vocabulary()?, Vocabulary::Text(_));
        if tokenizer.vocabulary_size() > located.config.text.vocab_size {
            let reason = format!(
                "the vocabulary has {} entries, the model {}; name the model's own with --vocab",
                tokenizer.vocabulary_size(),
                located.config.text.vocab_size
            );
            return Err(WeightsError::file(&vocabulary, reason).into());
        }
        let mut notices: Vec<String> = device.notice.clone().into_iter().collect();
        notices.extend_from_slice(located.weights.notices());
        let is_gpu = device.is_gpu;
        let name = device.name.clone();
        let loaded = match guarded(&name, || load(&located, device)) {
            Ok(loaded) => loaded?,
            Err(error) if is_gpu => {
                tracing::warn!(
                    kind = logging::kind(&error),
                    "the GPU failed while a model was loaded; the CPU is used"
                );
                notices.push(format!("{error}. The CPU is used."));
                load(&located, device::cpu())?
            }
            Err(error) => return Err(error),
        };
        let linear_probes = located.linear_probes().unwrap_or_else(|error| {
            notices.push(error.to_string());
            None
        });
        let provenance = &located.config.provenance;
        let parameters = parameter_count(&located.config);
        tracing::info!(is_bundled, parameters, device = loaded.device.name, "model opened");
        let info = ModelInfo {
            name: provenance.name.clone(),
            is_trained: provenance.trained,
            provenance: provenance.description.clone(),
            token_limit: located.config.token_limit,
            parameters,
            device: loaded.device.name.clone(),
            notices: notices.clone(),
            overrides: loaded.prepared.decoder().overrides().clone(),
            linear_probes: linear_probes.as_ref().map(|linear_probes| linear_probes.description.clone()),
            history: sigma_history(located.source.path()),
            subjects: sorted(&provenance.subjects),
        };
        Ok(Self {
            located,
            tokenizer,
            loaded,
            linear_probes,
            inspection_cache: InspectionCache::default(),
            info,
            notices,
        })
    }

    /// What is loaded.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The architecture.
    pub fn config(&self) -> &ModelConfig {
        &self.located.config
    }

    /// What the user should know since the last call, for example that the GPU failed and the CPU took over.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// What the network would read of a prompt.
    pub fn encode(&self, prompt: &str) -> Encoding {
        self.tokenizer.encode(prompt, self.located.config.token_limit)
    }

    /// Forgets the features of images and prompts, so that the next prediction computes everything.
    pub fn forget(&mut self) {
        self.loaded.images.clear();
        self.loaded.prompts.clear();
    }

    /// Segments. Where a GPU fails, the model is opened again on the CPU and the prediction made there.
    pub fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        self.with_fall_back(|predictor| {
            let overrides = predictor.overrides().clone();
            let pass = predictor.pass(image, prompt, &overrides)?;
            predictor.prediction(image, prompt, &pass, &overrides)
        })
    }

    /// Does `job`; where a GPU fails at it, once more on the CPU.
    pub(super) fn with_fall_back<T>(
        &mut self,
        mut job: impl FnMut(&mut Self) -> Result<T, InferError>,
    ) -> Result<T, InferError> {
        let name = self.loaded.device.name.clone();
        let outcome = guarded(&name, || job(self)).flatten();
        match outcome {
            Err(error @ InferError::Compute { .. }) if self.loaded.device.is_gpu => {
                self.fall_back(&error)?;
                let name = self.loaded.device.name.clone();
                guarded(&name, || job(self)).flatten()
            }
            other => other,
        }
    }

    fn fall_back(&mut self, error: &InferError) -> Result<(), InferError> {
        tracing::warn!(kind = logging::kind(error), "the GPU failed during a prediction; the CPU is used");
        self.inspection_cache = InspectionCache::default();
        self.notices.push(format!("{error}. The CPU is used from now on."));
        self.loaded = load(&self.located, device::cpu())?;
        self.info.device.clone_from(&self.loaded.device.name);
        Ok(())
    }

    /// Every intermediate tensor, by the names of the references, with `input.image`, `input.ids`, `input.mask`.
    pub fn activations(&self, image: &Image, prompt: &str) -> Result<Vec<Traced>, InferError> {
        // The predictor's own network is folded; this needs the plain one, which is read anew and given back after.
        guarded(&self.loaded.device.name, || {
            let device = &self.loaded.device.device;
            let model = self.located.load(device)?;
            let mut trace = Trace::on();
            let input = self.input(image, device);
            let (ids, mask) = token_tensors(&self.encode(prompt), device);
            trace.record("input.image", &input);
            trace.record("input.ids", &ids.clone().float());
            trace.record("input.mask", &mask.clone().float());
            model.forward(input, ids, mask, &mut trace);
            Ok(trace.into_tensors())
        })
        .flatten()
    }

    fn input(&self, image: &Image, device: &Device) -> Tensor<4> {
        let side = self.located.config.decoder.image_size;
        let values = preprocess::input_tensor(image, side, self.is_transposed());
        Tensor::from_data(TensorData::new(values, [1, 3, side, side]), device)
    }

    pub(super) fn is_transposed(&self) -> bool {
        self.located.config.axes == Axes::Xy
    }

    /// Encoders, where image or prompt are new, and the decoder with `overrides`.
    pub(super) fn pass(&mut self, image: &Image, prompt: &str, overrides: &Overrides) -> Result<Pass, InferError> {
        let start = Instant::now();
        let device = self.loaded.device.device.clone();
        let mut milliseconds = Milliseconds::default();

        let key = image.content_key();
        let features = match self.loaded.images.get(&key) {
            Some(features) => features,
            None => {
                let start = Instant::now();
                let features = self.loaded.prepared.encode_image(self.input(image, &device));
                self.sync()?;
                self.loaded.images.put(key, features.clone());
                milliseconds.vision = elapsed_ms(start);
                features
            }
        };

        let start_text = Instant::now();
        let encoding = self.encode(prompt);
        let states = match self.loaded.prompts.get(&encoding.ids) {
            Some(states) => states,
            None => {
                let (ids, mask) = token_tensors(&encoding, &device);
                let states = self.loaded.prepared.encode_text(ids, mask);
                self.sync()?;
                self.loaded.prompts.put(encoding.ids.clone(), states.clone());
                milliseconds.text = elapsed_ms(start_text);
                states
            }
        };

        let start_decoder = Instant::now();
        let own = self.loaded.prepared.decoder();
        let modified = match self.inspection_cache.modified.take() {
            _ if own.overrides() == overrides => None,
            Some(modified) => {
                Some(if modified.overrides() == overrides { modified } else { modified.with_overrides(overrides) })
            }
            None => Some(own.with_overrides(overrides)),
        };
        let decoder = modified.as_ref().unwrap_or(own);
        let decoded = decoder.decode(&features, decoder.fuse(&states));
        self.inspection_cache.modified = modified;
        Ok(Pass { features, states, decoded, encoding, milliseconds, start, start_decoder })
    }

    /// Reads a pass back.
    pub(super) fn prediction(
        &self,
        image: &Image,
        prompt: &str,
        pass: &Pass,
        overrides: &Overrides,
    ) -> Result<Prediction, InferError> {
        let side = self.located.config.decoder.image_size;
        let natural = |values: Vec<f32>, side: usize| {
            if self.is_transposed() { preprocess::untranspose(&values, side) } else { values }
        };
        let model_values = natural(self.values(sigmoid(pass.decoded.logits.clone()))?, side);
        let mut stages = Vec::with_capacity(pass.decoded.stages.len());
        for (index, stage) in pass.decoded.stages.iter().enumerate() {
            let grid = self.located.config.stage_grid(index);
            let values = natural(self.values(stage.clone().mean_dim(1))?, 2 * grid);
            stages.push(StageMap { grid, map: Plane { width: 2 * grid, height: 2 * grid, values }.normalised() });
        }
        let decoder = elapsed_ms(pass.start_decoder);

        let values = preprocess::plane_to_image(&model_values, side, false, image.width, image.height);
        let Encoding { read, dropped, .. } = pass.encoding.clone();
        Ok(Prediction {
            prompt: prompt.to_owned(),
            probability_model: Plane { width: side, height: side, values: model_values },
            probability: Plane { width: image.width, height: image.height, values },
            stages,
            parameters: stage_parameters(overrides),
            tokens: TokensRead { read, dropped, limit: self.info.token_limit },
            milliseconds: Milliseconds { decoder, total: elapsed_ms(pass.start), ..pass.milliseconds },
            device: self.loaded.device.name.clone(),
        })
    }

    /// The numbers of a tensor, row-major.
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

    /// Where the network is folded.
    pub(super) fn prepared(&self) -> &Prepared {
        &self.loaded.prepared
    }

    /// The stages' read-outs, where the model has them.
    pub fn linear_probes(&self) -> Option<&LinearProbes> {
        self.linear_probes.as_ref()
    }

    /// The model's files.
    pub(super) fn located(&self) -> &Located {
        &self.located
    }

    /// Uses these read-outs from now on.
    pub(super) fn use_linear_probes(&mut self, linear_probes: LinearProbes) {
        self.linear_probes = Some(linear_probes);
    }

    /// Where the read-outs lie or would be kept; none where the model is no file, as the one that the program carries.
    pub fn linear_probes_path(&self) -> Option<PathBuf> {
        self.located.linear_probes_path()
    }

    /// The device on which gradients are computed.
    pub(super) fn gradient_device(&self) -> Device {
        self.loaded.device.device.clone().autodiff()
    }

    /// The network as it is written down, read anew.
    pub(super) fn load_plain(&self, device: &Device) -> Result<HiMix, InferError> {
        Ok(self.located.load(device)?)
    }
}

/// What a pass through the network leaves.
pub(super) struct Pass {
    pub(super) features: Features,
    pub(super) states: Vec<Tensor<3>>,
    pub(super) decoded: Decoded,
    encoding: Encoding,
    milliseconds: Milliseconds,
    start: Instant,
    start_decoder: Instant,
}

/// σ and layer weights of each stage as the dials stand.
pub(super) fn stage_parameters(overrides: &Overrides) -> Vec<StageParameters> {
    let stages = overrides.stages.iter().zip(overrides.layer_weights());
    stages
        .map(|(stage, layer_weights)| StageParameters {
            grid: stage.grid,
            sigma: stage.sigma.filter(|_| stage.is_filtered),
            layer_weights,
        })
        .collect()
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn token_tensors(encoding: &Encoding, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let tensor =
        |values: &[i64]| Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device);
    (tensor(&encoding.ids), tensor(&encoding.mask))
}
