//! The cost of one image in training.

use super::config::HiMixConfig;
use crate::model::network::TextCost;

/// The grid side length, channels and depth of every stage of the vision encoder.
fn stages(config: &HiMixConfig) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
    let first = config.decoder.image_size / config.vision.patch_size.max(1);
    let sizes = config.vision.hidden_sizes.iter().zip(&config.vision.depths).enumerate();
    sizes.map(move |(stage, (channels, depth))| ((first >> stage) as f64, *channels as f64, *depth as f64))
}

/// The number of multiplications and additions in the forward pass of one image.
pub fn operations(config: &HiMixConfig) -> f64 {
    let vision: f64 = stages(config).map(|(n, c, depth)| depth * n * n * 2.0 * (49.0 * c + 8.0 * c * c)).sum();
    let (hidden, wide) = (config.text.hidden_size as f64, config.text.intermediate_size as f64);
    let layer = 2.0 * config.token_limit as f64 * (4.0 * hidden * hidden + 2.0 * hidden * wide);
    let text = config.text.num_hidden_layers as f64 * layer;
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            let (grid, fine) = (n * n, 4.0 * n * n);
            let attention = grid * (7.0 * c * c + 2.0 * grid * c);
            let up = grid * 2.0 * c * c + fine * 9.0 * (c * c / 2.0 + c * c / 4.0);
            2.0 * (attention + up)
        })
        .sum();
    let (n, c) = (config.decoder.image_size as f64 / 4.0, config.vision.hidden_sizes[0] as f64);
    vision + text + decoder + 2.0 * n * n * 9.0 * c * 16.0
}

/// The number of values per image that a step keeps for the backward pass.
pub fn kept(config: &HiMixConfig) -> f64 {
    let vision: f64 = stages(config).map(|(n, c, depth)| depth * n * n * c * 20.0).sum();
    let text = text(config).kept;
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            n * n * c * 40.0 + 4.0 * n * n * c * 12.0
        })
        .sum();
    let side = config.decoder.image_size as f64;
    vision + text + decoder + side * side * 30.0
}

/// The cost of the text encoder: its parameters, and the values of a prompt that are kept for the backward pass.
pub fn text(config: &HiMixConfig) -> TextCost {
    let text = &config.text;
    let (hidden, wide) = (text.hidden_size as f64, text.intermediate_size as f64);
    let layers = text.num_hidden_layers as f64;
    let rows = (text.vocab_size + text.max_position_embeddings + text.type_vocab_size) as f64;
    // Weights and biases of the four projections, of the feed-forward network, and of two norms.
    let layer = 4.0 * hidden * (hidden + 1.0) + 2.0 * hidden * wide + wide + hidden + 4.0 * hidden;
    TextCost {
        parameters: rows * hidden + 2.0 * hidden + layers * layer,
        kept: layers * config.token_limit as f64 * (16.0 * hidden + 3.0 * wide),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::networks::himix::HiMix;
    use crate::model::parameters::Parameters;

    #[test]
    fn the_parameters_of_the_text_encoder_are_those_of_the_network() {
        // Nothing is allocated: parameters are drawn when they are first read.
        let config = HiMixConfig::default();
        let model = HiMix::new(&config, &Device::flex()).expect("a network");
        let mut count = 0;
        model.visit_parameters(&mut |path, parameter| {
            if path.starts_with("text.") {
                count += parameter.shape().iter().product::<usize>();
            }
        });
        assert_eq!(text(&config).parameters, count as f64);
    }
}
