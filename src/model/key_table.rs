//! How a network's tensors are named and laid out in files.

use super::weights::deterministic;

/// One tensor that a file should have.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySpec {
    /// Key in the file.
    pub name: String,
    /// Shape in the file.
    pub shape: Vec<usize>,
}

/// What stands in a tensor that the mask does not depend on, where no file gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
    /// The sine table of the positions.
    Positions,
    /// The values of the parameter with this key, to which it is tied.
    Tied(&'static str),
    /// An integer zero, counting batches.
    Counter,
}

impl Fill {
    /// Whether the tensor can be made of nothing or of the network's own parameters, so that a bundle need not hold it.
    pub fn is_computed(self) -> bool {
        matches!(self, Self::Positions | Self::Tied(_) | Self::Counter)
    }
}

/// Which pretrained encoder a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// CXR-BERT, or another BERT.
    Text,
    /// ConvNeXt.
    Vision,
}

/// How the keys of a pretrained encoder are named in the network's files.
#[derive(Clone, Copy, Debug)]
pub struct EncoderKeys {
    /// Beginning of a key in the encoder's own file → its beginning in the network's. The first that matches holds; an empty right side
    /// leaves the tensor behind.
    pub table: &'static [(&'static str, &'static str)],
    /// Beginning of the network's keys of this encoder.
    pub prefix: &'static str,
}

/// How the tensors of a network are named and laid out in files. Every default is right for a network whose files are keyed as its
/// module.
pub trait KeyTable {
    /// The key in files of the parameter at `path` in the module.
    fn key(&self, path: &str) -> String {
        path.to_owned()
    }

    /// Whether the tensor has no dimension in files; burn's smallest rank is 1, so that it has shape `[1]` here.
    fn is_scalar(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// Tensors that the authors' model has although its mask does not depend on them: unused heads and norms, computed tables,
    /// counters. They are accepted on loading, carried through, and written on export.
    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        Vec::new()
    }

    /// Whether a tensor may stand in a file without being part of the network or auxiliary; it is left behind.
    fn is_ignorable(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// Whether `part`, the first part of a key, is one of a network of this kind with other sizes, so that it is no addition to the
    /// file but a difference.
    fn is_own_part(&self, part: &str) -> bool {
        let _ = part;
        false
    }

    /// Beginning of the keys of a pretrained part that a checkpoint may lack; `None` where it must have everything.
    fn separate_part(&self) -> Option<&'static str> {
        None
    }

    /// The keys of a pretrained encoder; `None` where the network has none of this kind.
    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        let _ = encoder;
        None
    }

    /// What is wrong with values that no training can have meant, and how to mend it; `None` where nothing is.
    fn refuse(&self, key: &str, values: &[f32]) -> Option<String> {
        let _ = (key, values);
        None
    }

    /// Whether a linear layer is read by a product for few rows, which wants its weight as it lies in the file. All others are
    /// laid out the other way round in memory on the CPU.
    fn is_for_few_rows(&self, key: &str) -> bool {
        let _ = key;
        false
    }

    /// Offset and scale of the uniform numbers in ±1 that make the deterministic weights of a tensor.
    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::distribution(key, shape)
    }
}
