//! Reading and writing of weights: safetensors and PyTorch checkpoints are read; bundles and the authors' layout
//! are written.
//!
//! Every file has the keys of the authors' model and PyTorch's memory layout, so that one table of the network
//! ([`KeyTable`](crate::model::key_table::KeyTable)) serves loading, saving, import and export.

mod beside;
pub mod bundle;
mod bundled;
pub mod check;
pub mod deterministic;
pub mod domain;
pub mod import;
pub mod linear_probes;
pub mod load;
pub mod manifest;
mod model_source;
pub mod presence;
pub mod roots;
pub mod save;
pub mod source;
mod temperature;
pub mod thresholds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use bundle::{Located, Vocabulary};
pub use bundled::BUNDLED_NAME;
pub use model_source::{ModelFiles, ModelSource};
pub use source::TensorSource;

/// Named arrays with their shapes, as stored in a file.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The reason why weights could not be read or written. Every message names the file and a remedy.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What happened and what to do.
        reason: String,
    },
    /// The tensors are not those of the architecture.
    #[error(
        "{path} does not fit the architecture ({config}): {mismatch}; give the configuration that belongs to it with --config, or choose another file"
    )]
    Mismatch {
        /// The path of the file.
        path: PathBuf,
        /// The description of the architecture.
        config: String,
        /// The differences.
        mismatch: Box<check::Mismatch>,
    },
    /// The configuration is invalid.
    #[error("{path}: {reason}")]
    Config {
        /// The path of the configuration file.
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
