//! The predictor: one model on one device, with caches of what images and prompts look like to it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::cache::Recent;
use super::prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
use crate::data::{DataError, Image, preprocess};
use crate::device::{self, DeviceChoice, OpenDevice};
use crate::model::config::Axes;
use crate::model::prepared::{Features, Prepared, StageTexts};
use crate::model::weights::{Located, ModelSource, Vocabulary, WeightsError, bundle};
use crate::model::{ModelConfig, Trace, Traced};
use crate::text::{Encoding, TextError, Tokenizer};

/// Images whose features are kept; 2.3 MB each in the full-size model.
const IMAGES_KEPT: usize = 16;
/// Prompts whose fused text is kept; 0.2 MB each in the full-size model.
const PROMPTS_KEPT: usize = 256;

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The model could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary could not be read or is not the model's.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The image could not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The computation failed.
    #[error("the prediction failed on {device} ({reason}); choose another device or restart")]
    Compute {
        /// The device.
        device: String,
        /// What it said.
        reason: String,
    },
}

/// What is loaded, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelInfo {
    /// Name of the bundle.
    pub name: String,
    /// False where the decoder was never trained, so that its masks mean nothing.
    pub is_trained: bool,
    /// Where the weights come from.
    pub provenance: String,
    /// Tokens of a prompt that it reads, special ones included.
    pub token_limit: usize,
    /// Numbers that make up the network.
    pub parameters: usize,
    /// Device that computes.
    pub device: String,
    /// What the user should know of the opening.
    pub notices: Vec<String>,
}

/// Everything on the device.
struct Loaded {
    prepared: Prepared,
    device: OpenDevice,
    images: Recent<[u8; 32], Features>,
    prompts: Recent<Vec<i64>, StageTexts>,
}

/// One model on one device.
pub struct Predictor {
    located: Located,
    tokenizer: Tokenizer,
    loaded: Loaded,
    info: ModelInfo,
    notices: Vec<String>,
}

fn load(located: &Located, device: OpenDevice) -> Result<Loaded, InferError> {
    let prepared = Prepared::new(located.load(&device.device)?);
    Ok(Loaded { prepared, device, images: Recent::new(IMAGES_KEPT), prompts: Recent::new(PROMPTS_KEPT) })
}

/// Runs `job`, turning a panic of the compute library into its message. A GPU that fails does so by panicking.
fn guarded<T>(device: &str, job: impl FnOnce() -> T) -> Result<T, InferError> {
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
        Self::open_on(source, device::open(choice))
    }

    /// Opens a model on a device that is open already.
    pub fn open_on(source: &ModelSource, device: OpenDevice) -> Result<Self, InferError> {
        let located = bundle::locate(source)?;
        let (tokenizer, vocabulary) = match located.vocabulary()? {
            Vocabulary::File(path) => (Tokenizer::from_file(path)?, path.clone()),
            Vocabulary::Text(text) => (Tokenizer::from_vocab_text(text)?, source.model.clone()),
        };
        if tokenizer.vocabulary_size() > located.config.text.vocab_size {
            let reason = format!(
                "the vocabulary has {} entries, the model {}; name the model's own with --vocab",
                tokenizer.vocabulary_size(),
                located.config.text.vocab_size
            );
            return Err(WeightsError::file(&vocabulary, reason).into());
        }
        let mut notices: Vec<String> = device.notice.clone().into_iter().collect();
        let is_gpu = device.is_gpu;
        let name = device.name.clone();
        let loaded = match guarded(&name, || load(&located, device)) {
            Ok(loaded) => loaded?,
            Err(error) if is_gpu => {
                notices.push(format!("{error}. The CPU is used."));
                load(&located, device::cpu())?
            }
            Err(error) => return Err(error),
        };
        let provenance = &located.config.provenance;
        let info = ModelInfo {
            name: provenance.name.clone(),
            is_trained: provenance.trained,
            provenance: provenance.description.clone(),
            token_limit: located.config.token_limit,
            parameters: parameter_count(&located.config),
            device: loaded.device.name.clone(),
            notices: notices.clone(),
        };
        Ok(Self { located, tokenizer, loaded, info, notices })
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
        let name = self.loaded.device.name.clone();
        let outcome = guarded(&name, || self.attempt(image, prompt)).flatten();
        match outcome {
            Err(error @ InferError::Compute { .. }) if self.loaded.device.is_gpu => {
                self.fall_back(&error)?;
                let name = self.loaded.device.name.clone();
                guarded(&name, || self.attempt(image, prompt)).flatten()
            }
            other => other,
        }
    }

    fn fall_back(&mut self, error: &InferError) -> Result<(), InferError> {
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

    fn is_transposed(&self) -> bool {
        self.located.config.axes == Axes::Xy
    }

    fn attempt(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        let start = Instant::now();
        let compute = |error: String, device: &str| InferError::Compute { device: device.into(), reason: error };
        let device = self.loaded.device.device.clone();
        let name = self.loaded.device.name.clone();
        let sync = || device.sync().map_err(|error| compute(error.to_string(), &name));
        let mut milliseconds = Milliseconds::default();

        let key = image.content_key();
        let features = match self.loaded.images.get(&key) {
            Some(features) => features,
            None => {
                let start = Instant::now();
                let features = self.loaded.prepared.see(self.input(image, &device));
                sync()?;
                self.loaded.images.put(key, features.clone());
                milliseconds.vision = elapsed_ms(start);
                features
            }
        };

        let start_text = Instant::now();
        let encoding = self.encode(prompt);
        let text = match self.loaded.prompts.get(&encoding.ids) {
            Some(text) => text,
            None => {
                let (ids, mask) = token_tensors(&encoding, &device);
                let text = self.loaded.prepared.read(ids, mask);
                sync()?;
                self.loaded.prompts.put(encoding.ids.clone(), text.clone());
                milliseconds.text = elapsed_ms(start_text);
                text
            }
        };

        let start_decoder = Instant::now();
        let decoded = self.loaded.prepared.decode(&features, text);
        let side = self.located.config.decoder.image_size;
        let transposed = self.is_transposed();
        let read = |data: Result<TensorData, String>, side: usize| -> Result<Vec<f32>, InferError> {
            let data = data.map_err(|error| compute(error, &name))?;
            let values: Vec<f32> = data.iter::<f32>().collect();
            Ok(if transposed { preprocess::untranspose(&values, side) } else { values })
        };
        let model_values = read(sigmoid(decoded.logits).try_into_data().map_err(|error| error.to_string()), side)?;
        let mut stages = Vec::with_capacity(decoded.stages.len());
        for (index, stage) in decoded.stages.into_iter().enumerate() {
            let grid = self.located.config.stage_grid(index);
            let values = read(stage.mean_dim(1).try_into_data().map_err(|error| error.to_string()), 2 * grid)?;
            stages.push(StageMap { grid, map: normalised(values, 2 * grid) });
        }
        milliseconds.decoder = elapsed_ms(start_decoder);

        let values = preprocess::plane_to_image(&model_values, side, false, image.width, image.height);
        let prediction = Prediction {
            prompt: prompt.to_owned(),
            probability_model: Plane { width: side, height: side, values: model_values },
            probability: Plane { width: image.width, height: image.height, values },
            stages,
            parameters: self.stage_parameters(),
            tokens: TokensRead { read: encoding.read, dropped: encoding.dropped, limit: self.info.token_limit },
            milliseconds: Milliseconds { total: elapsed_ms(start), ..milliseconds },
            device: name.clone(),
        };
        Ok(prediction)
    }

    fn stage_parameters(&self) -> Vec<StageParameters> {
        let (sigmas, weights) = (&self.loaded.prepared.sigmas, &self.loaded.prepared.layer_weights);
        sigmas
            .iter()
            .zip(weights)
            .enumerate()
            .map(|(index, (sigma, weights))| StageParameters {
                grid: self.located.config.stage_grid(index),
                sigma: *sigma,
                layer_weights: weights.clone(),
            })
            .collect()
    }
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn token_tensors(encoding: &Encoding, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let tensor =
        |values: &[i64]| Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device);
    (tensor(&encoding.ids), tensor(&encoding.mask))
}

/// Scaled to 0…1; a constant map is 0 everywhere.
fn normalised(mut values: Vec<f32>, side: usize) -> Plane {
    let (low, high) =
        values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let range = high - low;
    values.iter_mut().for_each(|v| *v = if range > 0.0 { (*v - low) / range } else { 0.0 });
    Plane { width: side, height: side, values }
}

fn parameter_count(config: &ModelConfig) -> usize {
    crate::model::weights::keys::parameters(config)
        .map_or(0, |specs| specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum())
}
