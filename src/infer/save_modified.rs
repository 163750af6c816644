//! Saving a model with modified parameters as a bundle.

use std::path::{Path, PathBuf};

use super::error::InferError;
use super::predictor::Predictor;
use crate::data::write;
use crate::model::ModelConfig;
use crate::model::overrides::Overrides;
use crate::model::weights::save::Precision;
use crate::model::weights::{Vocabulary, WeightsError, bundle};

impl Predictor {
    /// Writes the model with `overrides` in place of its own values as a bundle to a folder that must not contain
    /// a model yet. Linear probes are not copied because they were fitted on other outputs of the stages.
    ///
    /// A disabled filter is stored as one that is so wide that it passes everything. The order of the groups and
    /// the removed groups are stored in the configuration.
    ///
    /// # Errors
    /// The overrides are invalid, the folder already contains a model, or a file cannot be read or written.
    pub fn save_modified(&self, overrides: &Overrides, folder: &Path) -> Result<(), InferError> {
        self.check_overrides(overrides).map_err(InferError::Overrides)?;
        if folder.join(bundle::CONFIG_FILE).exists() {
            let reason = "there is a model in this folder already; choose another";
            return Err(WeightsError::file(folder, reason).into());
        }
        let model = self.load_plain(&crate::device::cpu().device)?;
        let network = self.config().network.with_overrides(overrides);
        let (Some(model), Some(network)) = (model.inspectable(), network) else {
            return Err(InferError::Overrides("this network has no values that could be overridden".into()));
        };
        let model = model.with_overrides(overrides);
        let mut config = ModelConfig { network, ..self.config().clone() };
        let provenance = &mut config.provenance;
        provenance.description = format!(
            "{} Parameters modified by hand: {}.",
            provenance.description,
            changes(self.overrides(), overrides)
        );
        provenance.name = folder
            .file_name()
            .map_or_else(|| format!("{} modified", provenance.name), |name| name.to_string_lossy().into_owned());
        let vocabulary = self.vocabulary_file(folder)?;
        bundle::write(folder, &config, model.as_ref(), vocabulary.as_deref(), None, Precision::F32)?;
        Ok(())
    }

    /// The vocabulary as a file if the network reads text. A vocabulary that is not a file is written to `folder`.
    fn vocabulary_file(&self, folder: &Path) -> Result<Option<PathBuf>, InferError> {
        if self.config().network.text().is_none() {
            return Ok(None);
        }
        match self.located().vocabulary()? {
            Vocabulary::File(path) => Ok(Some(path.clone())),
            Vocabulary::Text(text) => {
                std::fs::create_dir_all(folder).map_err(|error| {
                    WeightsError::file(folder, format!("the folder cannot be made ({error}); choose another"))
                })?;
                let path = folder.join(bundle::VOCABULARY_FILES[1]);
                write::bytes(&path, text.as_bytes())?;
                Ok(Some(path))
            }
        }
    }
}

/// Describes the differences for display.
pub fn changes(own: &Overrides, overrides: &Overrides) -> String {
    let mut parts = Vec::new();
    for (own, new) in own.stages.iter().zip(&overrides.stages) {
        let grid = new.grid;
        if !new.is_filtered && own.is_filtered {
            parts.push(format!("filter of stage {grid} off"));
        } else if let (Some(a), Some(b)) = (own.sigma, new.sigma)
            && a != b
        {
            parts.push(format!("σ of stage {grid} {a:.2} to {b:.2}"));
        }
        for (index, (a, b)) in own.betas.iter().flatten().zip(new.betas.iter().flatten()).enumerate() {
            if a != b {
                parts.push(format!("β{} of stage {grid} {a:.2} to {b:.2}", index + 1));
            }
        }
    }
    for (number, (own, new)) in own.groups.iter().zip(&overrides.groups).enumerate() {
        let number = number + 1;
        if own.is_used && !new.is_used {
            parts.push(format!("text of G{number} off"));
        } else if own.alpha != new.alpha {
            let weights: Vec<String> = new.weights().iter().map(|weight| format!("{weight:.2}")).collect();
            parts.push(format!("weights of G{number} {}", weights.join(", ")));
        }
    }
    if own.order != overrides.order {
        let order: Vec<String> = overrides.order.iter().map(|number| format!("G{number}")).collect();
        parts.push(format!("order {}", order.join(", ")));
    }
    if parts.is_empty() { "none".into() } else { parts.join("; ") }
}
