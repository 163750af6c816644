//! The cost of one image in training.

use super::config::{BLOCKS, TransUNetConfig};
use crate::model::network::{Cost, TextCost};

/// The values that a convolution with its norm and activation keeps for each of its outputs: its input, that of the norm
/// and that of the activation.
const KEPT: f64 = 3.0;

/// Counts operations and kept values of convolutions, attention and MLPs; what lies between them is negligible beside
/// their operations.
pub fn cost(config: &TransUNetConfig) -> Cost {
    let (mut operations, mut kept) = (0.0, 0.0);
    let mut add = |side: usize, input: usize, output: usize, taps: f64| {
        let positions = (side * side) as f64;
        operations += 2.0 * positions * taps * (input * output) as f64;
        kept += KEPT * positions * output as f64;
    };
    let resnet = &config.resnet;
    add(config.image_size / 2, 3, resnet.width, 49.0);
    for block in 0..BLOCKS {
        let (side, output) = (config.image_size >> (block + 2), resnet.channels(block));
        let before = if block == 0 { resnet.width } else { resnet.channels(block - 1) };
        for unit in 0..resnet.units[block] {
            let input = if unit == 0 { before } else { output };
            add(side, input, output / 4, 1.0);
            add(side, output / 4, output / 4, 9.0);
            add(side, output / 4, output, 1.0);
            if unit == 0 {
                add(side, input, output, 1.0);
            }
        }
    }
    let (grid, hidden) = (config.grid(), config.hidden_size);
    add(grid, resnet.channels(BLOCKS - 1), hidden, 1.0);
    add(grid, hidden, config.head_channels, 9.0);
    let mut input = config.head_channels;
    for (level, skip) in config.levels().zip(&config.skip_channels) {
        add(2 * level.grid, input + skip, level.channels, 9.0);
        add(2 * level.grid, level.channels, level.channels, 9.0);
        input = level.channels;
    }
    add(config.image_size, input, config.classes, 9.0);
    let (tokens, hidden, wide) = ((grid * grid) as f64, hidden as f64, config.mlp_size as f64);
    let layers = config.layers as f64;
    operations += layers * 2.0 * tokens * (4.0 * hidden * hidden + 2.0 * hidden * wide + 2.0 * tokens * hidden);
    kept += layers * tokens * (12.0 * hidden + 3.0 * wide);
    Cost { operations, kept, value_bytes: 5.2, text: TextCost::default() }
}
