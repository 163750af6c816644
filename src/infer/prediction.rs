//! A prediction as plain arrays without tensors, so that modules of higher layers can store it.

use serde::{Deserialize, Serialize};

use super::domain::DomainFigure;
use super::thresholds::SuggestedThreshold;
use crate::data::{Area, foreground};
use crate::text::prompt::Reading;

/// A two-dimensional map, such as the probability that each pixel belongs to what the prompt describes; row-major,
/// in the natural orientation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// The number of pixels per row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// The `width * height` values.
    pub values: Vec<f32>,
}

impl Plane {
    /// Returns the values in 8 bits, from 0 for 0 to 255 for 1.
    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().map(|value| (value * 255.0).round() as u8).collect()
    }
}

/// The mean activation of a decoder stage's output, scaled to 0…1 over the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageMap {
    /// The side length of the stage's grid, by which the stage is named: 7, 14 or 28 in the full-size model.
    pub grid: usize,
    /// The map. The up block doubles the grid, so that its side length is `2 * grid`.
    pub map: Plane,
}

/// The learned parameters of a decoder stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageParameters {
    /// The side length of the stage's grid.
    pub grid: usize,
    /// The learned width σ of the spectrum filter in frequency bins; `None` if the stage has no filter. Values of
    /// different grids are not comparable.
    pub sigma: Option<f32>,
    /// The text encoder layers that feed the stage and their weights: `(layer 0…12, weight)`, with a sum of 1.
    /// Empty for a stage that runs without text.
    pub layer_weights: Vec<(usize, f32)>,
}

/// The duration of the parts of a prediction in milliseconds. A part taken from a cache counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Milliseconds {
    /// Preprocessing and vision encoder.
    pub vision: f64,
    /// Tokeniser and text encoder.
    pub text: f64,
    /// Layer fusion, decoder and reading back the results.
    pub decoder: f64,
    /// The total, including resampling to the size of the image.
    pub total: f64,
}

/// The tokens of a prompt that the network read, and those beyond its limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokensRead {
    /// The word pieces that the network read, without special tokens.
    pub read: Vec<String>,
    /// The word pieces beyond the limit, which the network did not receive.
    pub dropped: Vec<String>,
    /// The maximum number of tokens of the model, including special tokens.
    pub limit: usize,
    /// The same by words; empty if the network reads no text.
    #[serde(default)]
    pub reading: Reading,
}

/// The segmentation for one image and one prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prediction {
    /// The prompt as it was entered.
    pub prompt: String,
    /// The probability at the model's resolution.
    pub probability_model: Plane,
    /// The probability at the resolution of the image.
    pub probability: Plane,
    /// One map for each decoder stage, coarse to fine; empty if they were not requested or the network has no
    /// stages.
    pub stages: Vec<StageMap>,
    /// The σ and layer weights of each stage, coarse to fine; empty for a network without stages.
    pub parameters: Vec<StageParameters>,
    /// The tokens of the prompt.
    pub tokens: TokensRead,
    /// The duration of each part.
    pub milliseconds: Milliseconds,
    /// The name of the device that computed the prediction.
    pub device: String,
    /// How likely it is that what the prompt names is in the image at all, 0…1, see
    /// [`presence`](super::presence()); `None` if the model is not calibrated for it or the prompt names nothing.
    #[serde(default)]
    pub presence: Option<f32>,
    /// How far the image is from the training pictures; `None` if the model has no summary of them.
    #[serde(default)]
    pub domain: Option<DomainFigure>,
    /// The threshold that the model has for the kind of the image; `None` if it has none, and for the images of a set that a
    /// GPU computes in batches.
    #[serde(default)]
    pub threshold: Option<SuggestedThreshold>,
}

impl Prediction {
    /// Returns a prediction with the same map at both resolutions and nothing else, for masks that no network made.
    pub fn of_map(prompt: &str, map: Plane) -> Self {
        Self {
            prompt: prompt.to_owned(),
            probability_model: map.clone(),
            probability: map,
            stages: Vec::new(),
            parameters: Vec::new(),
            tokens: TokensRead::default(),
            milliseconds: Milliseconds::default(),
            device: String::new(),
            presence: None,
            domain: None,
            threshold: None,
        }
    }

    /// The prompt that the mask answers; `None` of a network that reads no text, whose mask follows the image alone or a
    /// box.
    pub fn sentence(&self) -> Option<&str> {
        let is_text = || !self.prompt.trim().is_empty() && self.prompt.parse::<Area>().is_err();
        (self.tokens.limit > 0 || is_text()).then_some(self.prompt.as_str())
    }

    /// The mask at `threshold`, one byte per pixel, 0 or 1. A pixel is foreground if its probability is at least
    /// `threshold`.
    pub fn mask(&self, threshold: f32) -> Vec<u8> {
        foreground(&self.probability.values, threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_nothing_nor_a_box_is_a_sentence() {
        let plane = || Plane { width: 1, height: 1, values: vec![0.0] };
        for (prompt, limit, expected) in [
            ("", 0, None),
            ("box 1, 2, 3, 4", 0, None),
            ("", 24, Some("")),
            ("left lung", 24, Some("left lung")),
            ("left lung", 0, Some("left lung")),
        ] {
            let mut prediction = Prediction::of_map(prompt, plane());
            prediction.tokens.limit = limit;
            assert_eq!(prediction.sentence(), expected, "{prompt} with {limit} tokens");
        }
    }
}
