//! The cost of one image in training.

use super::config::{LEVELS, UNetConfig};
use crate::model::network::{Cost, TextCost};

/// The values that a convolution with its norm and ReLU keeps for each of its outputs: its input, that of the norm and
/// that of the activation.
const KEPT: f64 = 3.0;

/// Counts operations and kept values of the convolutions; pooling and the last layer are negligible beside them.
pub fn cost(config: &UNetConfig) -> Cost {
    let (mut operations, mut kept) = (0.0, 0.0);
    let mut add = |side: usize, input: usize, output: usize, taps: f64| {
        let positions = (side * side) as f64;
        operations += 2.0 * positions * taps * (input * output) as f64;
        kept += KEPT * positions * output as f64;
    };
    add(config.image_size, config.in_channels, config.base_channels, 9.0);
    for level in 1..=LEVELS {
        let side = config.image_size >> level;
        add(side, config.channels(level - 1), config.channels(level), 9.0);
        add(side, config.channels(level), config.channels(level), 9.0);
    }
    for (index, level) in config.levels().enumerate() {
        let channels = config.channels(LEVELS - 1 - index);
        // Each output of a transposed convolution is a sum over the input's channels.
        add(2 * level.grid, channels, channels, 1.0);
        add(2 * level.grid, 2 * channels, level.channels, 9.0);
        add(2 * level.grid, level.channels, level.channels, 9.0);
    }
    Cost { operations, kept, value_bytes: 3.45, text: TextCost::default() }
}
