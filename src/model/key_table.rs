//! The names and layout of a network's tensors in files.

use super::weights::deterministic;

/// A tensor that a file should contain.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySpec {
    /// The key in the file.
    pub name: String,
    /// The shape in the file.
    pub shape: Vec<usize>,
}

/// The content of a tensor that does not influence the mask, if no file provided it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
    /// The sine table of the positions.
    Positions,
    /// The values of the tensor with this key, to which the tensor is tied, or zeros if there is none.
    Tied(&'static str),
    /// An integer zero, which counts batches.
    Counter,
    /// The integers from 0.
    Indices,
}

impl Fill {
    /// Whether the tensor can be computed from nothing or from the network's own parameters, so that a bundle need
    /// not contain it.
    pub fn is_computed(self) -> bool {
        matches!(self, Self::Positions | Self::Tied(_) | Self::Counter | Self::Indices)
    }
}

/// The kind of a pretrained encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// CXR-BERT or another BERT.
    Text,
    /// ConvNeXt.
    Vision,
}

/// The mapping from the keys of a pretrained encoder to the keys in the network's files.
#[derive(Clone, Copy, Debug)]
pub struct EncoderKeys {
    /// Maps a key of the encoder's own file to that of the network's file; `None` drops the tensor.
    pub rename: fn(&str) -> Option<String>,
    /// The prefixes of the network's keys for this encoder.
    pub prefixes: &'static [&'static str],
}

/// A tensor of a pretrained backbone in the archive of another framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackboneTensor {
    /// The key in the network's files.
    pub key: String,
    /// The name in the archive.
    pub name: String,
    /// How its values are arranged in the archive.
    pub layout: Layout,
}

/// The arrangement of a tensor in the archive of another framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// That of the network.
    Plain,
    /// A kernel `[height, width, in, out]`.
    Convolution,
    /// A kernel `[in, out]`, one side of which may be split into heads.
    Matrix,
    /// Learned positions `[1, 1 + n², channels]` behind that of a class token, on a grid of any size.
    Positions,
}

/// The names and layout of a network's tensors in files. The defaults are correct for a network whose files use
/// the parameter paths of its module as keys.
pub trait KeyTable {
    /// The key in files of the parameter at `path` in the module.
    fn key(&self, path: &str) -> String {
        path.to_owned()
    }

    /// Whether the tensor is a scalar in files. Its shape in the module is `[1]` because 1 is burn's smallest
    /// rank.
    fn is_scalar(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// The tensors of the authors' model that do not influence the mask: unused heads and norms, computed tables
    /// and counters. They are accepted when weights are loaded, passed on, and written when weights are exported.
    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        Vec::new()
    }

    /// Whether a file may contain this tensor although it is neither part of the network nor auxiliary. It is
    /// ignored.
    fn is_ignorable(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// Whether `part`, the first segment of a key, belongs to a network of this kind with other sizes. Such a
    /// tensor is a mismatch rather than an addition to the file.
    fn is_own_part(&self, part: &str) -> bool {
        let _ = part;
        false
    }

    /// The key prefix of a pretrained part that a checkpoint may lack; `None` if a checkpoint must be complete.
    fn separate_part(&self) -> Option<&'static str> {
        None
    }

    /// The keys of a pretrained encoder; `None` if the network has no encoder of this kind.
    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        let _ = encoder;
        None
    }

    /// The tensors of the pretrained backbone that its authors distribute as a NumPy archive; empty if there is none.
    fn backbone(&self) -> Vec<BackboneTensor> {
        Vec::new()
    }

    /// Whether a parameter is part of the authors' model and of an export in their layout.
    fn is_exported(&self, key: &str) -> bool {
        let _ = key;
        true
    }

    /// Describes what is wrong with values that training cannot have produced, and what to do; `None` if the
    /// values are valid.
    fn refuse(&self, key: &str, values: &[f32]) -> Option<String> {
        let _ = (key, values);
        None
    }

    /// What to do with a file of the same network whose tensors have the names of another program; `None` if the names
    /// are not recognised. `keys` are all names in the file.
    fn other_layout(&self, keys: &[&str]) -> Option<&'static str> {
        let _ = keys;
        None
    }

    /// The offset and scale that map uniform numbers in ±1 to the deterministic weights of a tensor.
    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::distribution(key, shape)
    }
}
