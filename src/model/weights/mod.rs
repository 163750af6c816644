//! Weights in and out: safetensors and PyTorch checkpoints in, bundles and the authors' layout out.
//!
//! Every file is keyed as the authors' model is, and laid out as PyTorch lays it out, so that one table of the network
//! ([`KeyTable`](crate::model::key_table::KeyTable)) serves loading, saving, import and export.

pub mod bundle;
mod bundled;
pub mod check;
pub mod deterministic;
pub mod import;
pub mod linear_probes;
pub mod load;
pub mod manifest;
mod model_source;
pub mod roots;
pub mod save;
pub mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use bundle::{Located, Vocabulary};
pub use bundled::BUNDLED_NAME;
pub use model_source::{ModelFiles, ModelSource};
pub use source::TensorSource;

/// Named arrays with their shapes, as they lie in a file.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Why weights could not be read or written. Every message names the file and the mend.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file system refused.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened and what to do.
        reason: String,
    },
    /// The tensors are not those of the architecture.
    #[error(
        "{path} does not fit the architecture ({config}): {mismatch}; give the configuration that belongs to it with --config, or choose another file"
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What the architecture is.
        config: String,
        /// What differs.
        mismatch: Box<check::Mismatch>,
    },
    /// The configuration cannot be built.
    #[error("{path}: {reason}")]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl WeightsError {
    pub(crate) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_path_buf(), reason: reason.into() }
    }

    pub(crate) fn config(path: &Path, reason: impl Into<String>) -> Self {
        Self::Config { path: path.to_path_buf(), reason: reason.into() }
    }
}
