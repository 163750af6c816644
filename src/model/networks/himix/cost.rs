//! The cost of one image in training.

use super::config::HiMixConfig;
use crate::model::blocks::cost;
use crate::model::network::TextCost;

/// The number of multiplications and additions in the forward pass of one image.
pub fn operations(config: &HiMixConfig) -> f64 {
    let side = config.decoder.image_size;
    let (vision, _) = cost::vision(&config.vision, side);
    let text = cost::text_operations(&config.text, config.token_limit);
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            let (grid, fine) = (n * n, 4.0 * n * n);
            let attention = grid * (7.0 * c * c + 2.0 * grid * c);
            let up = grid * 2.0 * c * c + fine * 9.0 * (c * c / 2.0 + c * c / 4.0);
            2.0 * (attention + up)
        })
        .sum();
    vision + text + decoder + cost::head(config.vision.hidden_sizes[0], side).0
}

/// The number of values per image that a step keeps for the backward pass.
pub fn kept(config: &HiMixConfig) -> f64 {
    let side = config.decoder.image_size;
    let (_, vision) = cost::vision(&config.vision, side);
    let text = text(config).kept;
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            n * n * c * 40.0 + 4.0 * n * n * c * 12.0
        })
        .sum();
    vision + text + decoder + cost::head(config.vision.hidden_sizes[0], side).1
}

/// The cost of the text encoder.
pub fn text(config: &HiMixConfig) -> TextCost {
    cost::text(&config.text, config.token_limit)
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
