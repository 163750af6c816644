//! The names of the tensors in our modules, in a SAM checkpoint, and of those that do not influence the mask.

use super::config::MedSamConfig;
use crate::model::key_table::{Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// Replacements from our parameter path to the key in a SAM checkpoint.
const TABLE: &[(&str, &str)] = &[
    ("image_encoder.neck.conv1.", "image_encoder.neck.0."),
    ("image_encoder.neck.norm1.", "image_encoder.neck.1."),
    ("image_encoder.neck.conv2.", "image_encoder.neck.2."),
    ("image_encoder.neck.norm2.", "image_encoder.neck.3."),
    ("prompt_encoder.first_corner.", "prompt_encoder.point_embeddings.2."),
    ("prompt_encoder.second_corner.", "prompt_encoder.point_embeddings.3."),
    ("mask_decoder.output_upscaling.first.", "mask_decoder.output_upscaling.0."),
    ("mask_decoder.output_upscaling.norm.", "mask_decoder.output_upscaling.1."),
    ("mask_decoder.output_upscaling.second.", "mask_decoder.output_upscaling.3."),
];

impl KeyTable for MedSamConfig {
    fn key(&self, path: &str) -> String {
        let found = TABLE.iter().find_map(|(ours, theirs)| Some((theirs, path.strip_prefix(ours)?)));
        found.map_or_else(|| path.to_owned(), |(theirs, rest)| format!("{theirs}{rest}"))
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        let (dim, wide) = (self.prompt_encoder.embed_dim, self.prompt_encoder.mask_in_channels);
        let narrow = wide / 4;
        let mut list = Vec::new();
        let mut add = |name: &str, shape: &[usize], fill: Fill| {
            list.push((KeySpec { name: format!("prompt_encoder.{name}"), shape: shape.to_vec() }, fill));
        };
        // Points and masks as prompts.
        for name in ["point_embeddings.0.weight", "point_embeddings.1.weight", "not_a_point_embed.weight"] {
            add(name, &[1, dim], Fill::Zeros);
        }
        for (layer, weight) in [(0, [narrow, 1, 2, 2]), (3, [wide, narrow, 2, 2]), (6, [dim, wide, 1, 1])] {
            add(&format!("mask_downscaling.{layer}.weight"), &weight, Fill::Zeros);
            add(&format!("mask_downscaling.{layer}.bias"), &weight[..1], Fill::Zeros);
        }
        for (norm, channels) in [(1, narrow), (4, wide)] {
            add(&format!("mask_downscaling.{norm}.weight"), &[channels], Fill::Ones);
            add(&format!("mask_downscaling.{norm}.bias"), &[channels], Fill::Zeros);
        }
        list
    }

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        if key.contains("gaussian_matrix") {
            (0.0, 1.0)
        } else if key.ends_with("pos_embed") {
            (0.0, 0.5)
        } else if shape.len() == 4 {
            (0.0, (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt())
        } else {
            deterministic::distribution(key, shape)
        }
    }

    fn other_layout(&self, keys: &[&str]) -> Option<&'static str> {
        let is_transformers = |key: &&str| {
            key.contains("vision_encoder.layers.") || key.contains("shared_image_embedding.positional_embedding")
        };
        keys.iter().any(is_transformers).then_some(
            "these are the names of Hugging Face's transformers, of the copy `wanglab/medsam-vit-base` for example; take the \
             authors' own file `medsam_vit_b.pth`, which has the names of the SAM checkpoint",
        )
    }
}
