//! The cost of the shared blocks in training, for one image. Operations are multiplications and additions; values are
//! those that a step keeps for the backward pass.

use super::text_encoder::TextConfig;
use super::vision_encoder::VisionConfig;
use crate::model::network::TextCost;

/// The operations and the kept values of a ConvNeXt for an image with `side` pixels on each side.
pub fn vision(config: &VisionConfig, side: usize) -> (f64, f64) {
    let first = side / config.patch_size.max(1);
    let stages = config.hidden_sizes.iter().zip(&config.depths).enumerate();
    let each = stages.map(|(stage, (channels, depth))| {
        let (n, c, depth) = ((first >> stage) as f64, *channels as f64, *depth as f64);
        (depth * n * n * 2.0 * (49.0 * c + 8.0 * c * c), depth * n * n * c * 20.0)
    });
    each.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// The operations of the text encoder for a prompt of `tokens` tokens.
pub fn text_operations(text: &TextConfig, tokens: usize) -> f64 {
    let (hidden, wide) = (text.hidden_size as f64, text.intermediate_size as f64);
    text.num_hidden_layers as f64 * 2.0 * tokens as f64 * (4.0 * hidden * hidden + 2.0 * hidden * wide)
}

/// The cost of the text encoder: its parameters, and the values of a prompt that are kept for the backward pass.
pub fn text(text: &TextConfig, tokens: usize) -> TextCost {
    let (hidden, wide) = (text.hidden_size as f64, text.intermediate_size as f64);
    let layers = text.num_hidden_layers as f64;
    let rows = (text.vocab_size + text.max_position_embeddings + text.type_vocab_size) as f64;
    // Weights and biases of the four projections, of the feed-forward network, and of two norms.
    let layer = 4.0 * hidden * (hidden + 1.0) + 2.0 * hidden * wide + wide + hidden + 4.0 * hidden;
    TextCost {
        parameters: rows * hidden + 2.0 * hidden + layers * layer,
        kept: layers * tokens as f64 * (16.0 * hidden + 3.0 * wide),
    }
}

/// The operations and the kept values of the sub-pixel head for `channels` channels and an image with `side` pixels on
/// each side.
pub fn head(channels: usize, side: usize) -> (f64, f64) {
    let (n, c, side) = (side as f64 / 4.0, channels as f64, side as f64);
    (2.0 * n * n * 9.0 * c * 16.0, side * side * 30.0)
}
