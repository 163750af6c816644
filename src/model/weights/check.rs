//! Whether the tensors of a file are those of an architecture.

use std::collections::BTreeMap;
use std::fmt;

use super::keys::{KeySpec, is_ignorable};

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

/// Compares what is needed with what is there.
pub fn compare(needed: &[KeySpec], carried: &[String], found: &BTreeMap<String, Vec<usize>>) -> Mismatch {
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
    let is_known = |name: &String| needed.iter().any(|spec| spec.name == *name) || carried.contains(name);
    mismatch.superfluous = found.keys().filter(|name| !is_known(name) && !is_ignorable(name)).cloned().collect();
    mismatch
}
