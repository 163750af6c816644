//! Compares the tensors of a file with those of an architecture.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::model::config::ConfigError;
use crate::model::key_table::KeySpec;
use crate::model::network::Network;

use super::manifest;

/// A tensor with a wrong shape.
#[derive(Clone, Debug, PartialEq)]
pub struct MisShaped {
    /// The key.
    pub name: String,
    /// The shape that the architecture requires.
    pub needed: Vec<usize>,
    /// The shape in the file.
    pub found: Vec<usize>,
}

/// All differences between a file and an architecture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// The prefix of the keys in the file. The names below do not include it.
    pub prefix: String,
    /// Required tensors that the file does not contain.
    pub missing: Vec<String>,
    /// Tensors in the file that are not part of the architecture.
    pub superfluous: Vec<String>,
    /// Tensors with a wrong shape.
    pub mis_shaped: Vec<MisShaped>,
}

impl Mismatch {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.superfluous.is_empty() && self.mis_shaped.is_empty()
    }
}

/// The number of names that a message lists before it counts the rest.
const SHOWN: usize = 8;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shaped: Vec<String> = self
            .mis_shaped
            .iter()
            .map(|m| format!("{} is {:?} and should be {:?}", m.name, m.found, m.needed))
            .collect();
        let kinds = [("missing", &self.missing), ("superfluous", &self.superfluous), ("mis-shaped", &shaped)];
        if !self.prefix.is_empty() {
            write!(f, "under {} ", self.prefix)?;
        }
        let mut first = true;
        for (kind, names) in kinds.iter().filter(|(_, names)| !names.is_empty()) {
            if !first {
                f.write_str("; ")?;
            }
            first = false;
            write!(f, "{} {kind} ({}", names.len(), names[..names.len().min(SHOWN)].join(", "))?;
            if names.len() > SHOWN {
                write!(f, ", and {} more", names.len() - SHOWN)?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// Whether a tensor with this shape can be the required one. A single element may have any rank.
pub fn has_shape(spec: &KeySpec, shape: &[usize]) -> bool {
    let is_one = |s: &[usize]| s.iter().product::<usize>() == 1;
    *shape == spec.shape || (spec.shape.len() <= 1 && is_one(&spec.shape) && is_one(shape))
}

/// Compares the tensors of a file with those of a network.
///
/// # Errors
/// The network cannot be built.
pub fn compare(network: &dyn Network, found: &BTreeMap<String, Vec<usize>>) -> Result<Mismatch, ConfigError> {
    Ok(compare_with(network, &manifest::parameters(network)?, found))
}

/// Compares the tensors of a file with those of a network whose keys start with one of `prefixes`.
///
/// # Errors
/// The network cannot be built.
pub fn compare_part(
    network: &dyn Network,
    prefixes: &[&str],
    found: &BTreeMap<String, Vec<usize>>,
) -> Result<Mismatch, ConfigError> {
    let mut needed = manifest::parameters(network)?;
    needed.retain(|spec| prefixes.iter().any(|prefix| spec.name.starts_with(prefix)));
    Ok(compare_with(network, &needed, found))
}

fn compare_with(network: &dyn Network, needed: &[KeySpec], found: &BTreeMap<String, Vec<usize>>) -> Mismatch {
    let mut mismatch = Mismatch::default();
    for spec in needed {
        match found.get(&spec.name) {
            None => mismatch.missing.push(spec.name.clone()),
            Some(shape) => {
                if !has_shape(spec, shape) {
                    mismatch.mis_shaped.push(MisShaped {
                        name: spec.name.clone(),
                        needed: spec.shape.clone(),
                        found: shape.clone(),
                    });
                }
            }
        }
    }
    let known: HashSet<String> =
        needed.iter().map(|spec| spec.name.clone()).chain(carried_names(network)).collect();
    let is_superfluous = |name: &&String| !known.contains(name.as_str()) && !network.is_ignorable(name);
    mismatch.superfluous = found.keys().filter(is_superfluous).cloned().collect();
    mismatch
}

fn carried_names(network: &dyn Network) -> impl Iterator<Item = String> {
    network.auxiliary().into_iter().map(|(spec, _)| spec.name)
}
