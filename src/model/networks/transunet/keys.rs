//! The names of the tensors in our module and in the authors' model.

use super::config::{LEVELS, TransUNetConfig};
use crate::model::key_table::{Fill, KeySpec, KeyTable};
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

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::baseline_distribution(key, shape, 6.0)
    }
}
