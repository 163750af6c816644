//! A pass through the network, with what is cached of images and prompts, and the prediction made of it.

use std::sync::PoisonError;
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Encoded, Predictor};
use crate::data::{Area, Image, preprocess};
use crate::device::{self, Fault};
use crate::infer::batch_case::{BatchCase, Front};
use crate::infer::domain::{DomainFigure, pooled};
use crate::infer::error::InferError;
use crate::infer::finish::{Finish, natural, probability_plane};
use crate::infer::prediction::{Milliseconds, Plane, Prediction, StageMap};
use crate::infer::thresholds::SuggestedThreshold;
use crate::infer::view::View;
use crate::model::network::{Decoded, Features, TextStates};
use crate::model::overrides::Overrides;
use crate::model::weights::WeightsError;
use crate::model::weights::word_vectors::WordVectors;
use crate::model::{Inputs, Tokens, Trace, Traced};
use crate::text::Encoding;

/// The results of a pass through the network.
pub(in crate::infer) struct Pass {
    pub(in crate::infer) features: Features,
    domain: Option<DomainFigure>,
    threshold: Option<SuggestedThreshold>,
    pub(in crate::infer) states: TextStates,
    pub(in crate::infer) decoded: Decoded,
    encoding: Encoding,
    milliseconds: Milliseconds,
    start: Instant,
    start_decoder: Instant,
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

impl Predictor {
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

    /// Whether images of a set can be computed in one pass with other prompts: neither word vectors nor boxes are tokens, and
    /// the network that computes batches is in single precision.
    pub(in crate::infer) fn can_batch(&self) -> bool {
        self.word_vectors.is_none() && !self.info.takes_box && !self.loaded.device.is_half
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

    /// Runs the encoders if image or prompt are new, and the decoder with `overrides`.
    pub(in crate::infer) fn pass(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: &Overrides,
    ) -> Result<Pass, InferError> {
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
    pub(in crate::infer) fn logits_of(
        &mut self,
        case: &BatchCase,
        overrides: &Overrides,
    ) -> Result<Vec<f32>, InferError> {
        let side = self.side();
        let data = TensorData::new(case.image.clone(), [1, 3, side, side]);
        let features = self.loaded.executor.encode_image(Tensor::from_data(data, &self.loaded.device.device));
        let states = self.text_states(&case.encoding, &mut Milliseconds::default())?;
        let decoded = self.decode(&features, &states, overrides);
        self.logits(decoded.logits)
    }

    /// What other threads need to prepare the images of a set and to finish their predictions.
    pub(in crate::infer) fn front(&self) -> Front {
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
    pub(in crate::infer) fn features(
        &mut self,
        image: &Image,
        times: &mut Milliseconds,
    ) -> Result<Encoded, InferError> {
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

    /// The probability of a changed copy of an image ([`Segmenter::view`](crate::infer::Segmenter::view)). The copy is made and
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
        let logits = self.logits(decoded.logits)?;
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
    pub(in crate::infer) fn text_states(
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
    pub(in crate::infer) fn prediction(
        &self,
        image: &Image,
        prompt: &str,
        pass: &Pass,
        overrides: &Overrides,
        has_maps: bool,
    ) -> Result<Prediction, InferError> {
        let (side, is_transposed) = (self.side(), self.is_transposed());
        let logits = self.logits(pass.decoded.logits.clone())?;
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
    pub(in crate::infer) fn values<const D: usize>(&self, tensor: Tensor<D>) -> Result<Vec<f32>, InferError> {
        let data =
            tensor.try_into_data().map_err(|error| self.compute_error(device::reason(&error.to_string())))?;
        Ok(data.iter::<f32>().collect())
    }

    /// The logits of a mask in row-major order.
    ///
    /// # Errors
    /// The device failed, or half precision cannot hold a value of the pass. Every kernel hands on what is no number, so that
    /// it is found here.
    fn logits(&self, logits: Tensor<4>) -> Result<Vec<f32>, InferError> {
        let values = self.values(logits.reshape([-1]))?;
        let device = &self.loaded.device;
        if device.is_half && values.iter().any(|value| !value.is_finite()) {
            return Err(Fault::too_large(&device.name).into());
        }
        Ok(values)
    }

    fn sync(&self) -> Result<(), InferError> {
        self.loaded.device.device.sync().map_err(|error| self.compute_error(device::reason(&error.to_string())))
    }

    fn compute_error(&self, reason: String) -> InferError {
        InferError::Compute { device: self.loaded.device.name.clone(), reason }
    }
}
