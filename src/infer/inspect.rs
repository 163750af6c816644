//! The intermediate results of the network for one image and one prompt, with its own values or with overrides.

use burn::tensor::{Tensor, TensorData};

use super::error::InferError;
use super::inspection::{Attribution, InspectOptions, Inspection, Spectra, StageView};
use super::prediction::{Plane, Prediction};
use super::predictor::{Pass, Predictor};
use super::spectrum::radial_power;
use crate::data::foreground::is_foreground_logit;
use crate::data::{Image, preprocess};
use crate::model::network::Attributor;
use crate::model::overrides::Overrides;

/// The fraction of the pixels, those with the highest logits, that an attribution explains if the mask is empty.
const HIGHEST_SHARE: f64 = 0.01;

/// The values that an inspection keeps for the next one.
#[derive(Default)]
pub(super) struct InspectionCache {
    /// The attributor and the overrides with which it was created.
    attributor: Option<(Overrides, Box<dyn Attributor>)>,
}

impl Predictor {
    /// The network's own values; without stages if there is nothing to override.
    pub fn overrides(&self) -> &Overrides {
        &self.info().overrides
    }

    /// Predicts as [`Self::predict`] and also returns the intermediate results of the network's stages, with
    /// `overrides` in place of the network's own values.
    ///
    /// The encoders run only for a new image or prompt, so that another value costs only a pass of the decoder.
    /// Results that are not requested are neither computed nor read back.
    ///
    /// # Errors
    /// The overrides belong to another model or are invalid, or the computation failed.
    pub fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        self.with_fallback(|predictor| predictor.look(image, prompt, overrides, wanted))
    }

    /// Predicts as [`Self::predict`] with overrides.
    ///
    /// # Errors
    /// See [`Self::inspect`].
    pub fn predict_turned(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: &Overrides,
    ) -> Result<Prediction, InferError> {
        Ok(self.inspect(image, prompt, Some(overrides), InspectOptions::default())?.prediction)
    }

    pub(super) fn look(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let own = self.overrides().clone();
        let overrides = overrides.unwrap_or(&own);
        if let Err(reason) = self.check_overrides(overrides) {
            return Err(InferError::Overrides(reason));
        }
        let pass = self.pass(image, prompt, overrides)?;
        let prediction = self.prediction(image, prompt, &pass, overrides, wanted.maps)?;
        let side = self.side();
        let (mut stages, mut similarity, mut explained) = (Vec::new(), Vec::new(), 0);
        if wanted.stages {
            for (index, decoded) in pass.decoded.stages.iter().enumerate() {
                let grid = self.info().stages[index];
                let spectra = match &decoded.filtered {
                    Some(filtered) if wanted.spectra => Some(Spectra {
                        before: radial_power(&self.channels(&decoded.input, grid)?, grid),
                        after: radial_power(&self.channels(filtered, grid)?, grid),
                    }),
                    _ => None,
                };
                let output = self.channels(&decoded.output, 2 * grid)?;
                let linear_probe = self.linear_probes().map(|linear_probes| Plane {
                    width: 2 * grid,
                    height: 2 * grid,
                    values: linear_probes.stages[index].probability(&output),
                });
                let [_, channels] = decoded.output.dims();
                stages.push(StageView { grid, channels, output, attribution: None, linear_probe, spectra });
            }
        }
        if wanted.attribution && !stages.is_empty() {
            let chosen;
            (chosen, explained) = explained_pixels(&self.values(pass.decoded.logits.clone())?);
            let chosen =
                Tensor::<4>::from_data(TensorData::new(chosen, [1, 1, side, side]), &self.gradient_device());
            let gradients = self.gradients(&pass, &chosen, overrides)?;
            for (stage, gradient) in stages.iter_mut().zip(gradients) {
                stage.attribution = Some(grad_cam(stage, &gradient));
            }
        }
        if wanted.similarity {
            let mut vectors = Vec::new();
            // The first output is that of the embedding.
            for state in pass.states.iter().skip(1) {
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

    /// Converts `[n², C]` to `[C, n, n]` in the natural orientation.
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

    /// The gradients of the mean logit with respect to the stages' outputs, each `[C, 2n, 2n]` in the natural
    /// orientation; empty if the network has no attribution.
    fn gradients(
        &mut self,
        pass: &Pass,
        chosen: &Tensor<4>,
        overrides: &Overrides,
    ) -> Result<Vec<Vec<f32>>, InferError> {
        let attributor = match self.inspection_cache.attributor.take() {
            Some((of, attributor)) if of == *overrides => attributor,
            _ => match self.load_plain(&self.gradient_device())?.inspectable() {
                Some(model) => model.attributor(overrides),
                None => return Ok(Vec::new()),
            },
        };
        let mut gradients = Vec::with_capacity(pass.decoded.stages.len());
        for (stage, decoded) in pass.decoded.stages.iter().enumerate() {
            let gradient = attributor.gradient(stage, &decoded.output, &pass.features, &pass.states, chosen);
            gradients.push(self.channels(&gradient, 2 * self.info().stages[stage])?);
        }
        self.inspection_cache.attributor = Some((overrides.clone(), attributor));
        Ok(gradients)
    }
}

/// Returns 1 for each pixel of the mask and the number of these pixels. If the mask is empty, returns 1 for the
/// highest logits, and the number 0.
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

/// Computes Grad-CAM from the output of a stage and the gradient with respect to it, both `[C, 2n, 2n]`.
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

/// The cosine similarity of all pairs of vectors, row-major.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribution_is_that_of_the_definition() {
        // The first channel is 1 everywhere, its gradient 0.5; the second is 2 at one place, its gradient -1.
        let (size, grid) = (16, 2);
        let mut output = [vec![1.0; size], vec![0.0; size]].concat();
        output[size + 5] = 2.0;
        let gradient = [vec![0.5; size], vec![-1.0; size]].concat();
        let stage = StageView { grid, channels: 2, output, attribution: None, linear_probe: None, spectra: None };
        let Attribution { map, contributions } = grad_cam(&stage, &gradient);
        // The means of the gradients are the weights: 0.5 × 1 - 1 × 2 is below 0 at that place.
        let expected: Vec<f32> = (0..size).map(|at| if at == 5 { 0.0 } else { 0.5 }).collect();
        assert_eq!((map.width, map.height, map.values), (4, 4, expected));
        assert_eq!(contributions, [16.0 * 0.5, -2.0]);
    }
}
