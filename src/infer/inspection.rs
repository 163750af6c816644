//! The results of an inspection of the network: plain arrays, no tensors. Every map is in the natural orientation
//! of its image.

use serde::{Deserialize, Serialize};

use super::prediction::{Plane, Prediction};

/// The intermediate results that are requested in addition to the mask. Anything not requested costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectOptions {
    /// Requests [`Prediction::stages`], the mean activation of each stage.
    pub maps: bool,
    /// Requests [`Inspection::stages`].
    pub stages: bool,
    /// Requests [`StageView::attribution`], which takes a backward pass for each stage.
    pub attribution: bool,
    /// Requests [`StageView::spectra`].
    pub spectra: bool,
    /// Requests [`Inspection::similarity`].
    pub similarity: bool,
}

/// The prediction for one image and one prompt, with the intermediate results of the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspection {
    /// The mask with the σ and layer weights that were used.
    pub prediction: Prediction,
    /// The decoder stages, coarse to fine; empty if they were not requested.
    pub stages: Vec<StageView>,
    /// The cosine similarity of the `[CLS]` vectors of all pairs of text layers, row-major, `layers²` values;
    /// empty if it was not requested.
    pub similarity: Vec<f32>,
    /// The number of mask pixels, at the model's resolution, that the attributions explain. If the mask is empty,
    /// the attributions explain the pixels with the highest 1 % of the logits instead, and this is 0.
    pub explained: usize,
}

/// The intermediate results of a decoder stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    /// The side length n of the stage's grid, by which the stage is named.
    pub grid: usize,
    /// The number of channels of the output.
    pub channels: usize,
    /// The output of the stage, `[channels, 2n, 2n]`. The up block doubles the grid.
    pub output: Vec<f32>,
    /// The attribution of the mask to the output.
    pub attribution: Option<Attribution>,
    /// The probability of the stage's own mask, `2n × 2n`; `None` if the model has no linear probes.
    pub linear_probe: Option<Plane>,
    /// The power of the input by frequency, before and after the spectrum filter; `None` for a stage without a
    /// filter.
    pub spectra: Option<Spectra>,
}

/// The Grad-CAM of a stage (Selvaraju et al. 2017) for the mean logit of the mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The sum over channels of mean gradient × output, with negative values set to 0, `2n × 2n`.
    pub map: Plane,
    /// The sum over positions of gradient × output, one value per channel: the contribution of each channel to the
    /// mean logit.
    pub contributions: Vec<f32>,
}

/// The mean power over all channels and over each ring of equal distance from DC: `⌊n/2⌋ + 1` values from DC
/// outwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectra {
    /// The power of the stage's input.
    pub before: Vec<f32>,
    /// The power of the filter's output.
    pub after: Vec<f32>,
}

impl StageView {
    /// The side length of the maps.
    pub fn side(&self) -> usize {
        2 * self.grid
    }

    /// The mean over the channels, `2n × 2n`, in the network's own scale.
    pub fn activation(&self) -> Plane {
        let size = self.side() * self.side();
        let mut values = vec![0f32; size];
        for channel in self.output.chunks_exact(size) {
            values.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value);
        }
        values.iter_mut().for_each(|sum| *sum /= self.channels.max(1) as f32);
        Plane { width: self.side(), height: self.side(), values }
    }

    /// One channel of the output, `2n × 2n`; `None` if there is no such channel.
    pub fn channel(&self, channel: usize) -> Option<Plane> {
        let size = self.side() * self.side();
        let values = self.output.chunks_exact(size).nth(channel)?.to_vec();
        Some(Plane { width: self.side(), height: self.side(), values })
    }

    /// The channels ordered by the magnitude of their contribution to the mask, the largest first; in numerical
    /// order if there is no attribution.
    pub fn ranked_channels(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.channels).collect();
        if let Some(attribution) = &self.attribution {
            let weight = |channel: usize| attribution.contributions.get(channel).map_or(0.0, |value| value.abs());
            order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
        }
        order
    }
}

impl Plane {
    /// The plane scaled to 0…1; a constant plane becomes 0 everywhere.
    pub fn normalised(&self) -> Plane {
        let (low, high) = self.range();
        let scale = |value: &f32| if high > low { (value - low) / (high - low) } else { 0.0 };
        Plane { values: self.values.iter().map(scale).collect(), ..*self }
    }

    /// The lowest and the highest value.
    pub fn range(&self) -> (f32, f32) {
        self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
    }
}
