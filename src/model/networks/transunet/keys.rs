//! The names of the tensors in our module and in the authors' model.

use super::config::{LEVELS, TransUNetConfig};
use crate::model::key_table::{BackboneTensor, Fill, KeySpec, KeyTable, Layout};
use crate::model::weights::deterministic;

/// Replacements of the start of our parameter path by that of the authors' key.
const STARTS: &[(&str, &str)] = &[
    ("root.", "transformer.embeddings.hybrid_model.root."),
    ("patches.", "transformer.embeddings.patch_embeddings."),
    ("positions", "transformer.embeddings.position_embeddings"),
    ("layers.", "transformer.encoder.layer."),
    ("norm.", "transformer.encoder.encoder_norm."),
    ("more.conv.", "decoder.conv_more.0."),
    ("more.norm.", "decoder.conv_more.1."),
    ("decoder.", "decoder.blocks."),
    ("head.", "segmentation_head.0."),
];

/// The authors' key of a parameter at `path` in our module.
fn reference_key(path: &str) -> String {
    let key = path.replace(".gamma", ".weight").replace(".beta", ".bias");
    if let Some(key) = unit_key(&key) {
        return key;
    }
    let start = STARTS.iter().find(|(ours, _)| key.starts_with(ours));
    let key = match start {
        Some((ours, theirs)) => format!("{theirs}{}", &key[ours.len()..]),
        None => key,
    };
    if key.starts_with("decoder.blocks.") {
        return key.replace(".conv.", ".0.").replace(".norm.", ".1.");
    }
    key
}

/// The key of a parameter of the ResNet's units: `blocks.0.units.0.conv1.weight` is that of `body.block1.unit1`.
fn unit_key(path: &str) -> Option<String> {
    let (block, rest) = path.strip_prefix("blocks.")?.split_once(".units.")?;
    let (unit, rest) = rest.split_once('.')?;
    let (block, unit): (usize, usize) = (block.parse().ok()?, unit.parse().ok()?);
    Some(format!("transformer.embeddings.hybrid_model.body.block{}.unit{}.{rest}", block + 1, unit + 1))
}

impl KeyTable for TransUNetConfig {
    fn key(&self, path: &str) -> String {
        reference_key(path)
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        let levels =
            (0..LEVELS).flat_map(|level| [1, 2].map(|conv| format!("decoder.blocks.{level}.conv{conv}.1")));
        std::iter::once("decoder.conv_more.1".to_owned())
            .chain(levels)
            .map(|norm| {
                let name = format!("{norm}.num_batches_tracked");
                (KeySpec { name, shape: Vec::new() }, Fill::Counter)
            })
            .collect()
    }

    fn backbone(&self) -> Vec<BackboneTensor> {
        backbone(self)
    }

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::baseline_distribution(key, shape, 6.0)
    }
}

/// Implements [`KeyTable::backbone`] with the names of Google's `R50+ViT-B_16.npz`.
fn backbone(config: &TransUNetConfig) -> Vec<BackboneTensor> {
    let mut list = Vec::new();
    let mut add = |path: &str, name: String, layout: Layout| {
        list.push(BackboneTensor { key: reference_key(path), name, layout });
    };
    add("root.conv.weight", "conv_root/kernel".into(), Layout::Convolution);
    add("root.gn.gamma", "gn_root/scale".into(), Layout::Plain);
    add("root.gn.beta", "gn_root/bias".into(), Layout::Plain);
    for (block, units) in config.resnet.units.iter().enumerate() {
        for unit in 0..*units {
            let path = format!("blocks.{block}.units.{unit}");
            let name = format!("block{}/unit{}", block + 1, unit + 1);
            let mut pair = |conv: &str, of_conv: &str, norm: &str| {
                add(&format!("{path}.{conv}.weight"), format!("{name}/{of_conv}/kernel"), Layout::Convolution);
                add(&format!("{path}.{norm}.gamma"), format!("{name}/{norm}/scale"), Layout::Plain);
                add(&format!("{path}.{norm}.beta"), format!("{name}/{norm}/bias"), Layout::Plain);
            };
            for number in 1..=3 {
                pair(&format!("conv{number}"), &format!("conv{number}"), &format!("gn{number}"));
            }
            if unit == 0 {
                pair("downsample", "conv_proj", "gn_proj");
            }
        }
    }
    add("patches.weight", "embedding/kernel".into(), Layout::Convolution);
    add("patches.bias", "embedding/bias".into(), Layout::Plain);
    add("positions", "Transformer/posembed_input/pos_embedding".into(), Layout::Positions);
    for layer in 0..config.layers {
        let name = format!("Transformer/encoderblock_{layer}");
        let mut linear = |path: &str, of_layer: &str| {
            let path = format!("layers.{layer}.{path}");
            add(&format!("{path}.weight"), format!("{name}/{of_layer}/kernel"), Layout::Matrix);
            add(&format!("{path}.bias"), format!("{name}/{of_layer}/bias"), Layout::Plain);
        };
        for part in ["query", "key", "value", "out"] {
            linear(&format!("attn.{part}"), &format!("MultiHeadDotProductAttention_1/{part}"));
        }
        linear("ffn.fc1", "MlpBlock_3/Dense_0");
        linear("ffn.fc2", "MlpBlock_3/Dense_1");
        for (norm, of_norm) in [("attention_norm", "LayerNorm_0"), ("ffn_norm", "LayerNorm_2")] {
            let path = format!("layers.{layer}.{norm}");
            add(&format!("{path}.weight"), format!("{name}/{of_norm}/scale"), Layout::Plain);
            add(&format!("{path}.bias"), format!("{name}/{of_norm}/bias"), Layout::Plain);
        }
    }
    add("norm.weight", "Transformer/encoder_norm/scale".into(), Layout::Plain);
    add("norm.bias", "Transformer/encoder_norm/bias".into(), Layout::Plain);
    list
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::weights::manifest;

    #[test]
    fn the_backbone_is_all_of_the_encoder() {
        let config = TransUNetConfig::default();
        let of_backbone: BTreeSet<String> = backbone(&config).into_iter().map(|tensor| tensor.key).collect();
        let specs = manifest::parameters(&config).expect("keys");
        let encoder: BTreeSet<String> =
            specs.into_iter().map(|spec| spec.name).filter(|key| key.starts_with("transformer.")).collect();
        assert_eq!(of_backbone, encoder);
    }
}
