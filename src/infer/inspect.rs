//! The inside of the network for one image and one prompt, with its dials as they are or turned.

use burn::tensor::{Tensor, TensorData};

use super::error::InferError;
use super::inspection::{Attribution, InspectOptions, Inspection, Spectra, StageView};
use super::prediction::{Plane, Prediction};
use super::predictor::Predictor;
use super::spectrum::radial_power;
use crate::data::foreground::is_foreground_logit;
use crate::data::{Image, preprocess};
use crate::model::attribution::{Attributor, Inputs};
use crate::model::overrides::Overrides;
use crate::model::prepared::{Features, PreparedDecoder, to_planes};

/// Share of the logits, the highest, that an attribution explains where the mask is empty.
const HIGHEST_SHARE: f64 = 0.01;

/// What was made for looking inside; kept for the next look.
#[derive(Default)]
pub(super) struct InspectionCache {
    /// The decoder with the dials of the last look, where they are not its own.
    pub(super) modified: Option<PreparedDecoder>,
    /// With the dials it was made with.
    attributor: Option<(Overrides, Attributor)>,
}

impl Predictor {
    /// The values with which the network runs untouched.
    pub fn overrides(&self) -> &Overrides {
        self.prepared().decoder().overrides()
    }

    /// As [`Self::predict`], and what the network's stages did on the way; `overrides` in place of its own values.
    ///
    /// Encoders run only for an image or a prompt that is new: a dial costs a pass of the decoder.
    pub fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        self.with_fall_back(|predictor| predictor.look(image, prompt, overrides, wanted))
    }

    /// As [`Self::predict`], with other values.
    pub fn predict_turned(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: &Overrides,
    ) -> Result<Prediction, InferError> {
        let wanted = InspectOptions { stages: false, ..InspectOptions::default() };
        Ok(self.inspect(image, prompt, Some(overrides), wanted)?.prediction)
    }

    fn look(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let untouched = self.overrides().clone();
        let overrides = overrides.unwrap_or(&untouched);
        if let Err(reason) = self.check_overrides(overrides) {
            return Err(InferError::Overrides(reason));
        }
        let pass = self.pass(image, prompt, overrides)?;
        let prediction = self.prediction(image, prompt, &pass, overrides)?;
        let side = self.config().decoder.image_size;
        let mut stages = Vec::new();
        let (mut similarity, mut explained) = (Vec::new(), 0);
        if wanted.stages {
            let mut input = pass.features.last().cloned();
            for (index, output) in pass.decoded.stages.iter().enumerate() {
                let grid = self.config().stage_grid(index);
                let spectra = match (&input, &pass.decoded.filtered[index]) {
                    (Some(before), Some(after)) if wanted.spectra => Some(Spectra {
                        before: radial_power(&self.channels(before, grid)?, grid),
                        after: radial_power(&self.channels(after, grid)?, grid),
                    }),
                    _ => None,
                };
                let values = self.channels(output, 2 * grid)?;
                let linear_probe = self.linear_probes().map(|linear_probes| Plane {
                    width: 2 * grid,
                    height: 2 * grid,
                    values: linear_probes.stages[index].probability(&values),
                });
                let [_, channels] = output.dims();
                stages.push(StageView {
                    grid,
                    channels,
                    output: values,
                    attribution: None,
                    linear_probe,
                    spectra,
                });
                input = Some(output.clone());
            }
        }
        if wanted.attribution && wanted.stages {
            let chosen;
            (chosen, explained) = explained_pixels(&self.values(pass.decoded.logits.clone())?);
            let chosen =
                Tensor::<4>::from_data(TensorData::new(chosen, [1, 1, side, side]), &self.gradient_device());
            let outputs = pass.decoded.stages.clone();
            let gradients = self.gradients(&outputs, &pass.features, pass.states.clone(), &chosen, overrides)?;
            for (stage, gradient) in stages.iter_mut().zip(gradients) {
                stage.attribution = Some(grad_cam(stage, &gradient));
            }
        }
        if wanted.similarity {
            let mut vectors = Vec::new();
            for state in &pass.states[1..] {
                let [_, _, hidden] = state.dims();
                vectors.push(self.values(state.clone().slice([0..1, 0..1, 0..hidden]))?);
            }
            similarity = cosines(&vectors);
        }
        Ok(Inspection { prediction, stages, similarity, explained })
    }

    pub(super) fn check_overrides(&self, overrides: &Overrides) -> Result<(), String> {
        let own = self.overrides();
        let alike = overrides.stages.len() == own.stages.len()
            && overrides.groups.len() == own.groups.len()
            && overrides.groups.iter().zip(&own.groups).all(|(a, b)| a.layers == b.layers);
        if alike { overrides.validate() } else { Err("the values belong to another model".into()) }
    }

    /// `[n², C]` → `[C, n, n]` in natural orientation.
    fn channels(&self, x: &Tensor<2>, n: usize) -> Result<Vec<f32>, InferError> {
        let mut values = self.values(x.clone().transpose())?;
        if self.is_transposed() {
            for plane in values.chunks_exact_mut(n * n) {
                let natural = preprocess::untranspose(plane, n);
                plane.copy_from_slice(&natural);
            }
        }
        Ok(values)
    }

    /// Gradients of the mean logit by the stages' outputs, each `[C, 2n, 2n]` in natural orientation.
    fn gradients(
        &mut self,
        outputs: &[Tensor<2>],
        features: &Features,
        states: Vec<Tensor<3>>,
        chosen: &Tensor<4>,
        overrides: &Overrides,
    ) -> Result<Vec<Vec<f32>>, InferError> {
        let attributor = match self.inspection_cache.attributor.take() {
            Some((of, attributor)) if of == *overrides => attributor,
            _ => Attributor::of(self.load_plain(&self.gradient_device())?, overrides),
        };
        let planes = |x: &Tensor<2>| {
            let [positions, _] = x.dims();
            Tensor::<4>::from_inner(to_planes(x.clone(), positions.isqrt()))
        };
        let inputs = Inputs {
            features: features.iter().map(planes).collect(),
            states: states.into_iter().map(Tensor::from_inner).collect(),
        };
        let mut gradients = Vec::with_capacity(outputs.len());
        for (stage, output) in outputs.iter().enumerate() {
            let gradient = attributor.gradient(stage, planes(output), &inputs, chosen);
            let [_, channels, n, _] = gradient.dims();
            gradients.push(self.channels(&gradient.reshape([channels, n * n]).transpose(), n)?);
        }
        self.inspection_cache.attributor = Some((overrides.clone(), attributor));
        Ok(gradients)
    }
}

/// 1 for each pixel of the mask, and how many there are; where the mask is empty, 1 for the highest logits, and 0.
fn explained_pixels(logits: &[f32]) -> (Vec<f32>, usize) {
    let count = logits.iter().filter(|logit| is_foreground_logit(**logit)).count();
    let lowest = if count > 0 {
        0.0
    } else {
        let mut sorted = logits.to_vec();
        let last = sorted.len() - 1;
        let at = (last as f64 * (1.0 - HIGHEST_SHARE)) as usize;
        *sorted.select_nth_unstable_by(at, f32::total_cmp).1
    };
    (logits.iter().map(|logit| f32::from(u8::from(*logit >= lowest))).collect(), count)
}

/// From a stage's output and the gradient by it, both `[C, 2n, 2n]`.
fn grad_cam(stage: &StageView, gradient: &[f32]) -> Attribution {
    let size = stage.side() * stage.side();
    let mut map = vec![0f32; size];
    let mut contributions = Vec::with_capacity(stage.channels);
    for (output, gradient) in stage.output.chunks_exact(size).zip(gradient.chunks_exact(size)) {
        let weight = gradient.iter().sum::<f32>() / size as f32;
        map.iter_mut().zip(output).for_each(|(sum, value)| *sum += weight * value);
        contributions.push(output.iter().zip(gradient).map(|(value, slope)| value * slope).sum());
    }
    map.iter_mut().for_each(|value| *value = value.max(0.0));
    Attribution { map: Plane { width: stage.side(), height: stage.side(), values: map }, contributions }
}

/// Cosine of each two vectors, row after row.
fn cosines(vectors: &[Vec<f32>]) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let lengths: Vec<f64> = vectors.iter().map(|vector| dot(vector, vector).sqrt()).collect();
    let pairs = vectors.iter().zip(&lengths).flat_map(|(a, length_a)| {
        vectors.iter().zip(&lengths).map(move |(b, length_b)| {
            let product = length_a * length_b;
            if product > 0.0 { (dot(a, b) / product) as f32 } else { 0.0 }
        })
    });
    pairs.collect()
}
