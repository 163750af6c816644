//! What a prediction is made of: plain arrays, no tensors, so that every module above can hold one.

use serde::{Deserialize, Serialize};

use crate::data::foreground;

/// The probability that each pixel belongs to what the prompt describes; row-major, natural orientation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `width * height` values.
    pub values: Vec<f32>,
}

/// The mean activation of one decoder stage's output, scaled to 0…1 over the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageMap {
    /// Side of the grid on which the stage works and by which it is named: 7, 14 or 28 in the full model.
    pub grid: usize,
    /// The map itself; the up block doubles the grid, so its side is `2 * grid`.
    pub map: Plane,
}

/// The learned quantities of one decoder stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageParameters {
    /// Side of the grid on which the stage works.
    pub grid: usize,
    /// Learned width σ of the spectrum filter, in frequency bins; `None` where the stage has no filter. Not
    /// comparable between grids.
    pub sigma: Option<f32>,
    /// Text encoder layers that feed the stage and their weights: `(layer 0…12, weight)`, summing to 1.
    /// Empty for a stage that runs without text.
    pub layer_weights: Vec<(usize, f32)>,
}

/// Where the time of one prediction went, in milliseconds. A part served from a cache takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Milliseconds {
    /// Preprocessing and vision encoder.
    pub vision: f64,
    /// Tokenizer and text encoder.
    pub text: f64,
    /// Layer fusion, decoder and read-back.
    pub decoder: f64,
    /// Everything, including resampling to the image's size.
    pub total: f64,
}

/// What the network read of a prompt and what did not fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokensRead {
    /// Word pieces that the network read, without the special tokens.
    pub read: Vec<String>,
    /// Word pieces beyond the limit, which it never saw.
    pub dropped: Vec<String>,
    /// Number of tokens, special ones included, that the model takes.
    pub limit: usize,
}

/// One image and one prompt, segmented.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prediction {
    /// The prompt as it was typed.
    pub prompt: String,
    /// Probability on the model's own grid.
    pub probability_model: Plane,
    /// Probability at image resolution.
    pub probability: Plane,
    /// One map a decoder stage, coarse to fine; empty where they were not asked for or the network has no stages.
    pub stages: Vec<StageMap>,
    /// σ and layer weights of each stage, coarse to fine; empty for a network without stages.
    pub parameters: Vec<StageParameters>,
    /// What was read of the prompt.
    pub tokens: TokensRead,
    /// Where the time went.
    pub milliseconds: Milliseconds,
    /// Name of the device that computed it.
    pub device: String,
}

impl Prediction {
    /// The mask at `threshold` (foreground where the probability is at least that), one byte a pixel, 0 or 1.
    pub fn mask(&self, threshold: f32) -> Vec<u8> {
        foreground(&self.probability.values, threshold)
    }
}
