//! The cost of one image in training.

use super::config::{LEVELS, LViTConfig};
use crate::model::blocks::cost;
use crate::model::network::{Cost, TextCost};

/// The values that a convolution with its norm and ReLU keeps for each of its outputs: its input, that of the norm and
/// that of the activation.
const KEPT: f64 = 3.0;
/// The values that a transformer block keeps for each value of its input, without those of the MLP.
const KEPT_BLOCK: f64 = 10.0;

/// Counts operations and kept values of convolutions and transformers; pooling and the last layer are negligible beside
/// them.
pub fn cost(config: &LViTConfig) -> Cost {
    let (mut operations, mut kept) = (0.0, 0.0);
    let mut conv = |positions: f64, input: usize, output: usize, taps: f64| {
        operations += 2.0 * positions * taps * (input * output) as f64;
        kept += KEPT * positions * output as f64;
    };
    let pixels = |level: usize| ((config.image_size >> level) as f64).powi(2);
    conv(pixels(0), config.in_channels, config.base_channels, 9.0);
    for level in 1..=LEVELS {
        conv(pixels(level), config.channels(level - 1), config.channels(level), 9.0);
        conv(pixels(level), config.channels(level), config.channels(level), 9.0);
    }
    let patches = config.patches as f64;
    for level in 0..LEVELS {
        let channels = config.channels(level);
        conv(patches, channels, channels, (config.patch_sizes[level] as f64).powi(2));
        // The merge, and the two convolutions of the pixel attention.
        conv(pixels(level), channels, 3 * channels, 1.0);
    }
    for (index, level) in config.decoder().enumerate() {
        let fine = (2 * level.grid) as f64;
        conv(fine * fine, 2 * config.channels(LEVELS - 1 - index), level.channels, 9.0);
        conv(fine * fine, level.channels, level.channels, 9.0);
    }
    for channels in (0..LEVELS).map(|level| config.channels(level) as f64) {
        let (wide, blocks) = (config.mlp_ratio as f64, 2.0 * config.vit_depth as f64);
        operations +=
            blocks * 2.0 * patches * channels * ((4.0 + 2.0 * wide) * channels + 2.0 * patches + 6.0 * channels);
        kept += blocks * patches * channels * (KEPT_BLOCK + 3.0 * wide);
    }
    let text = text(config);
    if let Some(encoder) = &config.text_encoder {
        operations += cost::text_operations(&encoder.sizes, encoder.token_limit);
    }
    Cost { operations, kept: kept + text.kept, value_bytes: 3.4, text }
}

/// The cost of the text encoder, which is nothing if there is none.
fn text(config: &LViTConfig) -> TextCost {
    let Some(encoder) = &config.text_encoder else { return TextCost::default() };
    cost::text(&encoder.sizes, encoder.token_limit)
}
