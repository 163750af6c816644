//! Weights computed by a rule from their names, so that full-size reference tensors need no 617 MB file.
//!
//! The rule is a counter-based SplitMix64 generator seeded with the FNV-1a hash of the tensor's name; the
//! distribution also depends on the name. The full-size reference tensors were computed by the authors' code with
//! weights from the same rule.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::{TensorSource, WeightsError, manifest};
use crate::model::config::{ConfigError, ModelConfig};
use crate::model::key_table::KeySpec;
use crate::model::network::Network;

/// The name by which a user requests these weights instead of a file.
pub const RULE_NAME: &str = "rule";

/// A source whose values are computed when they are read.
pub struct RuleWeights {
    path: PathBuf,
    network: Arc<dyn Network>,
    specs: BTreeMap<String, Vec<usize>>,
}

impl RuleWeights {
    /// Creates the weights of an architecture.
    ///
    /// # Errors
    /// The network cannot be built.
    pub fn new(config: &ModelConfig) -> Result<Self, ConfigError> {
        let network = config.network.clone();
        let specs = manifest::parameters(network.as_ref())?;
        let specs = specs.into_iter().map(|KeySpec { name, shape }| (name, shape)).collect();
        Ok(Self { path: PathBuf::from(RULE_NAME), network, specs })
    }
}

impl TensorSource for RuleWeights {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.specs.clone()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let shape =
            self.specs.get(name).ok_or_else(|| WeightsError::file(&self.path, format!("there is no {name}")))?;
        Ok(values(name, shape, self.network.distribution(name, shape)))
    }
}

fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The uniform number in ±1 of element `index` of the tensor whose name has this hash.
fn unit(hash: u64, index: usize) -> f64 {
    let mut z = hash.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    2.0 * ((z >> 11) as f64 * (-53f64).exp2()) - 1.0
}

/// The first `count` uniform numbers in ±1 of the tensor `name`.
pub fn units(name: &str, count: usize) -> Vec<f32> {
    values(name, &[count], (0.0, 1.0))
}

/// The values of one tensor with this offset and scale.
fn values(name: &str, shape: &[usize], (offset, scale): (f64, f64)) -> Vec<f32> {
    let count = shape.iter().product::<usize>();
    let hash = fnv1a(name);
    if scale == 0.0 {
        return vec![offset as f32; count];
    }
    (0..count)
        .into_par_iter()
        .with_min_len(4096)
        .map(|index| (offset + scale * unit(hash, index)) as f32)
        .collect()
}

/// The offset and scale of the uniform numbers of a tensor for which a network has no rule of its own. The first
/// matching rule applies.
pub fn distribution(name: &str, shape: &[usize]) -> (f64, f64) {
    let fan_in = || shape.iter().skip(1).product::<usize>() as f64;
    if name.ends_with("layer_scale_parameter") || name.ends_with(".gamma") {
        (0.5, 0.25)
    } else if name.ends_with("running_mean") {
        (0.0, 0.1)
    } else if name.ends_with("running_var") {
        (1.0, 0.5)
    } else if shape.len() == 1 && name.ends_with("weight") {
        (1.0, 0.1)
    } else if shape.len() == 1 {
        (0.0, 0.05)
    } else if shape.len() == 2 && name.ends_with("embeddings.weight") {
        (0.0, 0.5)
    } else if name.contains("transp_conv") {
        (0.0, (3.0 / shape[0] as f64).sqrt())
    } else if name == "out.conv.conv.weight" {
        (0.0, 4.0 * (3.0f64 / 24.0).sqrt())
    } else if name.starts_with("text_encoder.model") {
        (0.0, 2.0 * (3.0 / fan_in()).sqrt())
    } else {
        (0.0, (3.0 / fan_in()).sqrt())
    }
}

/// The offset and scale of the uniform numbers of a tensor of a network with which HiMix is compared; `gain` is that of
/// four-dimensional weights (3 for the networks with a ConvNeXt, 6 for the others). The first matching rule applies.
pub fn baseline_distribution(name: &str, shape: &[usize], gain: f64) -> (f64, f64) {
    let fan_in = || shape.iter().skip(1).product::<usize>() as f64;
    if name.ends_with(".guide_layer.scale") {
        (1.421, 0.0)
    } else if name.ends_with(".gamma") {
        (0.5, 0.25)
    } else if name.contains("gaussian_matrix") {
        (0.0, 1.0)
    } else if name.ends_with("position_embeddings") || name.ends_with("pos_embed") {
        (0.0, 0.5)
    } else if shape.len() == 4
        && !name.contains(".transp_conv.")
        && !name.starts_with("text_encoder.model")
        && name != "out.conv.conv.weight"
    {
        (0.0, (gain / fan_in()).sqrt())
    } else {
        distribution(name, shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_reference() {
        let hash = fnv1a("attention_weights");
        for (index, expected) in [-0.985_586_12, -0.850_639_95, 0.205_238_53].into_iter().enumerate() {
            assert!((unit(hash, index) - expected).abs() < 1e-8, "{index}: {}", unit(hash, index));
        }
    }
}
