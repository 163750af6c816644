//! The cost of one image in training.

use super::config::MedSamConfig;

/// Positions of a block's grid with what fills up the windows, and positions to which each of them attends.
fn positions(config: &MedSamConfig, block: usize) -> (f64, f64) {
    let span = config.span(block);
    let wide = config.grid().div_ceil(span) * span;
    ((wide * wide) as f64, (span * span) as f64)
}

/// The number of multiplications and additions in the forward pass of one image.
pub fn operations(config: &MedSamConfig) -> f64 {
    let (encoder, decoder) = (&config.image_encoder, &config.mask_decoder);
    let (c, cells) = (encoder.embed_dim as f64, (config.grid() * config.grid()) as f64);
    let patches = cells * 3.0 * (config.patch_size * config.patch_size) as f64 * c;
    let blocks: f64 = (0..encoder.depth)
        .map(|block| {
            let (rows, keys) = positions(config, block);
            rows * (4.0 * c * c + 2.0 * keys * c) + cells * 2.0 * c * c * encoder.mlp_ratio as f64
        })
        .sum();
    let (out, narrow) = (encoder.out_channels as f64, config.narrow() as f64);
    let neck = cells * (c * out + 9.0 * out * out);
    // The few tokens cost next to nothing; what counts is what is computed for every position.
    let layers = (4.0 * decoder.depth as f64 + 2.0) * cells * out * narrow;
    let upscaling = cells * (out * out + 4.0 * (out / 4.0) * (out / 2.0) + 16.0 * out / 8.0);
    let (low, side) = (config.low_side() as f64, config.image_size as f64);
    2.0 * (patches + blocks + neck + layers + upscaling + low * low * side + low * side * side)
}

/// The number of values per image that a step keeps for the backward pass.
pub fn kept(config: &MedSamConfig) -> f64 {
    let (encoder, decoder) = (&config.image_encoder, &config.mask_decoder);
    let (c, cells) = (encoder.embed_dim as f64, (config.grid() * config.grid()) as f64);
    let heads = encoder.heads as f64;
    let blocks: f64 = (0..encoder.depth)
        .map(|block| {
            let (rows, _) = positions(config, block);
            // Query, key and value are kept with the vectors of the relative positions.
            let longer = 2.0 * heads * config.span(block) as f64;
            rows * (6.0 * c + 6.0 * (c + longer)) + cells * c * (6.0 + 3.0 * encoder.mlp_ratio as f64)
        })
        .sum();
    let out = encoder.out_channels as f64;
    let layers = decoder.depth as f64 * cells * out * 10.0;
    let upscaling = cells * out * 12.0;
    let side = config.image_size as f64;
    blocks + layers + upscaling + 12.0 * side * side
}
