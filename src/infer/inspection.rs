//! What an inspection of the network gives: plain arrays, no tensors, every map in the natural orientation of its image.

use serde::{Deserialize, Serialize};

use super::prediction::{Plane, Prediction};

/// What of the network's inside is wanted beside the mask. What is not wanted costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectOptions {
    /// [`Prediction::stages`]: the mean activation of each stage.
    pub maps: bool,
    /// [`Inspection::stages`].
    pub stages: bool,
    /// [`StageView::attribution`]: a backward pass for each stage.
    pub attribution: bool,
    /// [`StageView::spectra`].
    pub spectra: bool,
    /// [`Inspection::similarity`].
    pub similarity: bool,
}

/// One image and one prompt, with the inside of the network that segmented them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspection {
    /// The mask, σ and layer weights as they were used.
    pub prediction: Prediction,
    /// The decoder stages, coarse to fine; empty where they were not wanted.
    pub stages: Vec<StageView>,
    /// Cosine of the sentence vectors (`[CLS]`) of each two text layers, row after row, `layers²` values; empty where it was
    /// not wanted.
    pub similarity: Vec<f32>,
    /// Pixels of the mask at the model's size that the attributions explain. Where the mask is empty, they explain the
    /// highest hundredth of the logits instead, and this is 0.
    pub explained: usize,
}

/// A decoder stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    /// Side n of the grid on which the stage works and by which it is named.
    pub grid: usize,
    /// Channels of its output.
    pub channels: usize,
    /// Its output, `[channels, 2n, 2n]`: the up block doubles the grid.
    pub output: Vec<f32>,
    /// What of it the mask rests on.
    pub attribution: Option<Attribution>,
    /// Probability of the stage's own mask, `2n × 2n`; `None` where the model has no read-outs.
    pub linear_probe: Option<Plane>,
    /// Power of its input by frequency, before and after the spectrum filter; `None` for a stage without filter.
    pub spectra: Option<Spectra>,
}

/// Grad-CAM of a stage: Selvaraju et al. 2017, of the mean logit of the mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Σ over channels of mean gradient × output, negative values cut to 0, `2n × 2n`.
    pub map: Plane,
    /// Σ over positions of gradient × output, one value a channel: how much each carries the mean logit.
    pub contributions: Vec<f32>,
}

/// Mean power over all channels and over each ring of equal distance from DC, `⌊n/2⌋ + 1` values from DC outwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectra {
    /// Of what comes into the stage.
    pub before: Vec<f32>,
    /// Of what the filter makes of it.
    pub after: Vec<f32>,
}

impl StageView {
    /// Side of the maps.
    pub fn side(&self) -> usize {
        2 * self.grid
    }

    /// Mean over the channels, `2n × 2n`, in the network's own scale.
    pub fn activation(&self) -> Plane {
        let size = self.side() * self.side();
        let mut values = vec![0f32; size];
        for channel in self.output.chunks_exact(size) {
            values.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value);
        }
        values.iter_mut().for_each(|sum| *sum /= self.channels.max(1) as f32);
        Plane { width: self.side(), height: self.side(), values }
    }

    /// One channel of the output, `2n × 2n`; `None` where there is no such channel.
    pub fn channel(&self, channel: usize) -> Option<Plane> {
        let size = self.side() * self.side();
        let values = self.output.chunks_exact(size).nth(channel)?.to_vec();
        Some(Plane { width: self.side(), height: self.side(), values })
    }

    /// The channels in the order of how much they carry the mask, strongest first; as they are numbered where there is no
    /// attribution.
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
    /// Scaled to 0…1; a constant plane is 0 everywhere.
    pub fn normalised(&self) -> Plane {
        let (low, high) = self.range();
        let scale = |value: &f32| if high > low { (value - low) / (high - low) } else { 0.0 };
        Plane { values: self.values.iter().map(scale).collect(), ..*self }
    }

    /// Lowest and highest value.
    pub fn range(&self) -> (f32, f32) {
        self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
    }
}
