//! From the logits that were read back to a prediction.

use std::time::Instant;

use super::domain::DomainFigure;
use super::prediction::{Milliseconds, Plane, Prediction, StageMap, StageParameters, TokensRead};
use super::presence::presence;
use super::thresholds::SuggestedThreshold;
use crate::data::{Image, preprocess};
use crate::model::overrides::Overrides;
use crate::model::weights::presence::PresenceCalibration;
use crate::text::prompt::Reading;
use crate::text::{Encoding, Tokenizer};

/// The probability of a logit that is divided by the temperature. It is computed from the logits that are read back, so
/// that it is the same function on every device: burn's fusion of a sigmoid with other operations has given wrong values
/// on software Vulkan.
fn probability(logit: f32, temperature: f32) -> f32 {
    1.0 / (1.0 + (-logit / temperature).exp())
}

/// The probability of the logits of the network, `side × side`, in the natural orientation.
pub(super) fn probability_plane(logits: Vec<f32>, temperature: f32, side: usize, is_transposed: bool) -> Plane {
    let values = logits.into_iter().map(|logit| probability(logit, temperature)).collect();
    Plane { width: side, height: side, values: natural(values, side, is_transposed) }
}

/// Converts a plane of the network, `side × side`, to the natural orientation.
pub(super) fn natural(values: Vec<f32>, side: usize, is_transposed: bool) -> Vec<f32> {
    if is_transposed { preprocess::untranspose(&values, side) } else { values }
}

/// The tokens that a network with this limit reads of a prompt; empty if it reads no text.
pub(super) fn encode(tokenizer: Option<&Tokenizer>, limit: usize, prompt: &str) -> Encoding {
    match tokenizer {
        Some(tokenizer) => tokenizer.encode(prompt, limit),
        None => Encoding { ids: Vec::new(), mask: Vec::new(), read: Vec::new(), dropped: Vec::new(), total: 0 },
    }
}

/// The logits of an image and everything else that is known of its prediction.
pub(super) struct Finish<'a> {
    pub(super) image: &'a Image,
    pub(super) prompt: &'a str,
    /// The logits of the network, `side × side`.
    pub(super) logits: Vec<f32>,
    /// The temperature of the model, by which the logits are divided.
    pub(super) temperature: f32,
    pub(super) side: usize,
    pub(super) is_transposed: bool,
    pub(super) stages: Vec<StageMap>,
    pub(super) encoding: &'a Encoding,
    pub(super) reading: Reading,
    /// The number of tokens that the network reads.
    pub(super) limit: usize,
    pub(super) presence: Option<&'a PresenceCalibration>,
    /// How far the image is from the training pictures.
    pub(super) domain: Option<DomainFigure>,
    /// The threshold that the model has for the kind of the image.
    pub(super) threshold: Option<SuggestedThreshold>,
    pub(super) overrides: &'a Overrides,
    pub(super) device: &'a str,
    /// The times without the total.
    pub(super) milliseconds: Milliseconds,
    pub(super) start: Instant,
}

impl Finish<'_> {
    /// Computes the probability at the size of the image.
    pub(super) fn prediction(self) -> Prediction {
        let Self { image, prompt, side, is_transposed, milliseconds, temperature, .. } = self;
        let probability_model = probability_plane(self.logits, temperature, side, is_transposed);
        let values = preprocess::plane_to_image(&probability_model.values, side, false, image.width, image.height);
        let Encoding { read, dropped, .. } = self.encoding.clone();
        let presence = self.presence.and_then(|found| presence(found, &probability_model, prompt));
        let total = self.start.elapsed().as_secs_f64() * 1e3;
        Prediction {
            prompt: prompt.to_owned(),
            probability_model,
            probability: Plane { width: image.width, height: image.height, values },
            stages: self.stages,
            parameters: stage_parameters(self.overrides),
            tokens: TokensRead { read, dropped, limit: self.limit, reading: self.reading },
            milliseconds: Milliseconds { total, ..milliseconds },
            device: self.device.to_owned(),
            presence,
            domain: self.domain,
            threshold: self.threshold,
        }
    }
}

/// The σ and layer weights of each stage in `overrides`.
fn stage_parameters(overrides: &Overrides) -> Vec<StageParameters> {
    if overrides.is_nothing() {
        return Vec::new();
    }
    let stages = overrides.stages.iter().zip(overrides.layer_weights());
    stages
        .map(|(stage, layer_weights)| StageParameters {
            grid: stage.grid,
            sigma: stage.sigma.filter(|_| stage.is_filtered),
            layer_weights,
        })
        .collect()
}
