//! Whether the tensors of a file are those of an architecture.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::model::config::ConfigError;
use crate::model::key_table::KeySpec;
use crate::model::network::Network;

use super::manifest;

/// A tensor of the wrong shape.
#[derive(Clone, Debug, PartialEq)]
pub struct MisShaped {
    /// Key.
    pub name: String,
    /// Shape that the architecture needs.
    pub needed: Vec<usize>,
    /// Shape that the file has.
    pub found: Vec<usize>,
}

/// All that differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// What stands before the keys in the file; the names below go without.
    pub prefix: String,
    /// Needed, not there.
    pub missing: Vec<String>,
    /// There, of no use.
    pub superfluous: Vec<String>,
    /// There, of another shape.
    pub mis_shaped: Vec<MisShaped>,
}

impl Mismatch {
    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.superfluous.is_empty() && self.mis_shaped.is_empty()
    }
}

/// Names shown of each kind before the rest is counted.
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

/// Whether a tensor of this shape can be the one that is needed. One element may have any rank.
pub fn has_shape(spec: &KeySpec, shape: &[usize]) -> bool {
    let is_one = |s: &[usize]| s.iter().product::<usize>() == 1;
    *shape == spec.shape || (spec.shape.len() <= 1 && is_one(&spec.shape) && is_one(shape))
}

/// Compares the tensors of a file with those of a network.
pub fn compare(network: &dyn Network, found: &BTreeMap<String, Vec<usize>>) -> Result<Mismatch, ConfigError> {
    Ok(compare_with(network, &manifest::parameters(network)?, found))
}

/// The same with those of a part of a network.
pub fn compare_part(
    network: &dyn Network,
    prefix: &str,
    found: &BTreeMap<String, Vec<usize>>,
) -> Result<Mismatch, ConfigError> {
    let mut needed = manifest::parameters(network)?;
    needed.retain(|spec| spec.name.starts_with(prefix));
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
