//! The bundled model: `assets/model`, which is part of the executable and therefore always available.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::SafeTensors;

use super::source::{TensorSource, decode};
use super::{WeightsError, bundle::Vocabulary};
use crate::model::config::ModelConfig;
use crate::model::registry::Registry;

/// The name of the bundled model, used in place of a path.
pub const BUNDLED_NAME: &str = "bundled";

const CONFIG: &str = include_str!("../../../assets/model/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../../assets/model/model.safetensors");
const VOCABULARY: &str = include_str!("../../../assets/model/vocab.txt");

/// The linear probes of the bundled model.
pub const READOUTS: &str = include_str!("../../../assets/model/readouts.json");

/// The calibration of presence of the bundled model.
pub const PRESENCE: &str = include_str!("../../../assets/model/presence.json");

/// The summary of the training pictures of the bundled model.
pub const DOMAIN: &str = include_str!("../../../assets/model/domain.json");

/// The thresholds of the bundled model by kind of image.
pub const THRESHOLDS: &str = include_str!("../../../assets/model/thresholds.json");

/// The configuration of the bundled model.
///
/// # Errors
/// `registry` does not contain its network.
pub fn config(registry: &Registry) -> Result<ModelConfig, WeightsError> {
    registry.parse(CONFIG).map_err(|error| WeightsError::config(Path::new(BUNDLED_NAME), error.to_string()))
}

/// The vocabulary of the bundled model.
pub fn vocabulary() -> Vocabulary {
    Vocabulary::Text(VOCABULARY)
}

/// The weights of the bundled model, read from the executable's memory.
pub struct BundledWeights {
    path: PathBuf,
    tensors: SafeTensors<'static>,
}

impl BundledWeights {
    /// Reads the header.
    ///
    /// # Errors
    /// The executable is damaged.
    pub fn open() -> Result<Self, WeightsError> {
        let path = PathBuf::from(BUNDLED_NAME);
        let tensors = SafeTensors::deserialize(WEIGHTS).map_err(|error| {
            WeightsError::file(&path, format!("the executable is damaged ({error}); install it again"))
        })?;
        Ok(Self { path, tensors })
    }
}

impl TensorSource for BundledWeights {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |error: String| WeightsError::file(&self.path, format!("{error}; install the program again"));
        let tensor = self.tensors.tensor(name).map_err(|error| fail(error.to_string()))?;
        decode(tensor.dtype(), tensor.data()).ok_or_else(|| fail(format!("{name} has a kind that is not read")))
    }
}
