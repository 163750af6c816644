//! Linear probes (read-outs): a 1×1 convolution for each decoder stage, fitted on the frozen network, that
//! predicts a mask from the stage's output. They are not part of the network and are stored beside its weights in
//! `readouts.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::bundle::{Located, write_file};
use super::{WeightsError, bundled};
use crate::model::network::{Network, StageShape};

/// The name of the file in a bundle.
pub const READOUTS_FILE: &str = "readouts.json";
/// The file.
pub(super) const BESIDE: Beside = Beside {
    name: READOUTS_FILE,
    bundled: Some(bundled::READOUTS),
    what: "file of read-outs of this model",
    mend: "fit them again",
};

/// The linear probes of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearProbes {
    /// A description, for display, of the data on which they were fitted.
    pub description: String,
    /// The number of images on which they were fitted.
    pub images: usize,
    /// The probes of the stages, coarse to fine.
    pub stages: Vec<LinearProbe>,
}

/// The linear probe of a stage: `probability = sigmoid(bias + Σ weight · output)` at each position of the stage's
/// output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearProbe {
    /// The side length of the stage's grid.
    pub grid: usize,
    /// The weights, one for each channel of the stage's output.
    pub weight: Vec<f32>,
    /// The bias, which is the same for every position.
    pub bias: f32,
}

impl LinearProbe {
    /// Maps an output `[channels, positions]` to probabilities `[positions]`.
    pub fn probability(&self, output: &[f32]) -> Vec<f32> {
        let positions = output.len() / self.weight.len().max(1);
        let mut logits = vec![self.bias; positions];
        for (channel, weight) in output.chunks_exact(positions.max(1)).zip(&self.weight) {
            logits.iter_mut().zip(channel).for_each(|(logit, value)| *logit += weight * value);
        }
        logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
    }
}

impl LinearProbes {
    /// Checks that the probes belong to this architecture.
    fn validate(&self, network: &dyn Network) -> Result<(), String> {
        let fits = |(probe, shape): (&LinearProbe, &StageShape)| {
            probe.grid == shape.grid
                && probe.weight.len() == shape.channels
                && probe.bias.is_finite()
                && probe.weight.iter().all(|weight| weight.is_finite())
        };
        let shapes = network.stages();
        if self.stages.len() != shapes.len() || !self.stages.iter().zip(&shapes).all(fits) {
            return Err("its stages are those of another model".into());
        }
        Ok(())
    }
}

impl Located {
    /// The path where the model's linear probes are or would be stored; `None` for a model that is not a file.
    pub fn linear_probes_path(&self) -> Option<PathBuf> {
        BESIDE.path(self)
    }

    /// Reads the linear probes of the model; `None` if they were never fitted.
    ///
    /// # Errors
    /// The file cannot be read or belongs to another model.
    pub fn linear_probes(&self) -> Result<Option<LinearProbes>, WeightsError> {
        BESIDE.read(self, |probes: &LinearProbes| probes.validate(self.config.network.as_ref()))
    }
}

/// Writes linear probes to `path`. The file is written completely before it gets its name.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, linear_probes: &LinearProbes) -> Result<(), WeightsError> {
    let text =
        serde_json::to_string(linear_probes).map_err(|error| WeightsError::file(path, error.to_string()))?;
    write_file(path, text.as_bytes())
}
