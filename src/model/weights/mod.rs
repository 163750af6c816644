//! Reading and writing of weights: safetensors and PyTorch checkpoints are read; bundles and the authors' layout
//! are written.
//!
//! Every file has the keys of the authors' model and PyTorch's memory layout, so that one table of the network
//! ([`KeyTable`](crate::model::key_table::KeyTable)) serves loading, saving, import and export.

pub mod backbone;
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
mod npz;
pub mod presence;
pub mod resemblance;
pub mod roots;
pub mod save;
pub mod source;
mod temperature;
pub mod thresholds;
pub mod word_vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::Registry;
use crate::model::network::Network;
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
        "{path} does not fit the architecture ({config}): {mismatch}; {}, or choose another file",
        mend(*resembles)
    )]
    Mismatch {
        /// The path of the file.
        path: PathBuf,
        /// The description of the architecture.
        config: String,
        /// The differences.
        mismatch: Box<check::Mismatch>,
        /// The network whose keys the file has, if it is another one.
        resembles: Option<&'static str>,
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

/// What to do about a file of another architecture.
fn mend(resembles: Option<&'static str>) -> String {
    match resembles {
        Some(name) => format!(
            "it looks like the network \"{name}\": give its configuration with --config, which begins with {{\"network\": \"{name}\"}}"
        ),
        None => "give the configuration that belongs to it with --config".to_owned(),
    }
}

impl WeightsError {
    /// The error about the tensors of `source`, which are not those of `network`.
    pub fn mismatch(source: &dyn TensorSource, network: &dyn Network, mismatch: check::Mismatch) -> Self {
        let resembles = resemblance::other_network(&Registry::default(), network, &source.shapes());
        let (path, config) = (source.path().to_path_buf(), network.describe());
        Self::Mismatch { path, config, mismatch: Box::new(mismatch), resembles }
    }

    pub(crate) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_path_buf(), reason: reason.into() }
    }

    pub(crate) fn config(path: &Path, reason: impl Into<String>) -> Self {
        Self::Config { path: path.to_path_buf(), reason: reason.into() }
    }
}
