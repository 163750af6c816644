//! The names of the tensors in our module and in the authors' model.

use super::config::{LEVELS, UNetConfig};
use crate::model::key_table::{Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// The authors' key of a parameter at `path` in our module.
fn reference_key(path: &str) -> String {
    let key = path.replace(".convs.", ".nConvs.").replace(".gamma", ".weight").replace(".beta", ".bias");
    let numbered = |prefix: &str, number: fn(usize) -> usize| {
        let (index, rest) = key.strip_prefix(prefix)?.split_once('.')?;
        Some((number(index.parse().ok()?), rest.to_owned()))
    };
    if let Some((number, rest)) = numbered("down.", |index| index + 1) {
        format!("down{number}.{rest}")
    } else if let Some((number, rest)) = numbered("up.", |index| LEVELS - index) {
        format!("up{number}.{}", rest.replace("raise.", "up."))
    } else {
        key
    }
}

impl KeyTable for UNetConfig {
    fn key(&self, path: &str) -> String {
        reference_key(path)
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        let levels = (1..=LEVELS).flat_map(|level| {
            ["down", "up"]
                .into_iter()
                .flat_map(move |part| [0, 1].map(|conv| format!("{part}{level}.nConvs.{conv}")))
        });
        std::iter::once("inc".to_owned())
            .chain(levels)
            .map(|block| {
                let name = format!("{block}.norm.num_batches_tracked");
                (KeySpec { name, shape: Vec::new() }, Fill::Counter)
            })
            .collect()
    }

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::baseline_distribution(key, shape, 6.0)
    }
}
