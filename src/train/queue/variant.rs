//! What a study varies: the form of HiMix, or the network.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::Ablation;
use crate::model::weights::ModelSource;
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;

/// What is compared with others in a study. In `queue.json`, a variant is its name, and a network an object with its
/// `architecture`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Variant {
    /// A variant of the architecture of the settings.
    Ablation(Ablation),
    /// A network in place of the architecture of the settings: a name of [`crate::train::architecture_names`], or a
    /// `config.json`.
    Network {
        /// The name or the file.
        architecture: PathBuf,
    },
}

impl Variant {
    /// The networks of a list such as `himix-small, unet-small, sizes/wide.json`.
    pub fn networks(list: &str) -> Vec<Self> {
        let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Self::Network { architecture: part.into() }).collect()
    }

    /// The name in tables and folders. That of a file is without its folder and end, and that of a bundle's
    /// `config.json` is the bundle's.
    pub fn name(&self) -> String {
        match self {
            Self::Ablation(variant) => variant.name().to_owned(),
            Self::Network { architecture } => {
                let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                match (stem(architecture), architecture.parent().and_then(Path::file_name)) {
                    (name, Some(folder)) if name == "config" => folder.to_string_lossy().into_owned(),
                    (name, _) => name,
                }
            }
        }
    }

    /// The variant in words, for tables and the interface.
    pub fn title(&self) -> String {
        match self {
            Self::Ablation(variant) => variant.title().to_owned(),
            Self::Network { .. } => self.name(),
        }
    }

    /// Whether it is a network rather than a variant of HiMix.
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Network { .. })
    }

    /// The setting that varies.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Ablation(_) => "ablation",
            Self::Network { .. } => "architecture",
        }
    }

    /// The settings of a run of this variant.
    pub(super) fn applied(&self, settings: &TrainConfig) -> TrainConfig {
        match self {
            Self::Ablation(variant) => TrainConfig { ablation: Some(*variant), ..settings.clone() },
            Self::Network { architecture } => {
                TrainConfig { architecture: Some(architecture.clone()), ..settings.clone() }
            }
        }
    }

    /// The same with the absolute path of its file, so that it is found from any folder.
    pub(super) fn absolute(self) -> Self {
        match self {
            Self::Network { architecture } => Self::Network { architecture: absolute(&architecture) },
            Self::Ablation(_) => self,
        }
    }
}

/// The absolute path of a file or folder that exists. Anything else is the name of a model or of an architecture.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let is_file = path.exists() && !ModelSource::new(path).is_bundled();
    let found = is_file.then(|| std::path::absolute(path).ok()).flatten();
    found.unwrap_or_else(|| path.to_owned())
}

/// Checks that a study can train and score a network.
///
/// # Errors
/// It takes a box, or reads word vectors that a run does not have.
pub(super) fn check_network(network: &dyn crate::model::Network, name: &str) -> Result<(), TrainError> {
    if network.takes_box() {
        return Err(TrainError::Config(format!(
            "{name}: the network {} takes a box, and the cases of a data set have none; train it with himix train, and compare it with himix compare and the predictions of himix evaluate --box-from-truth",
            network.name()
        )));
    }
    if network.text().is_none() && network.vectors().is_some() {
        return Err(TrainError::Config(format!(
            "{name}: the network {} has no text encoder and cannot be trained; choose {}-small, or a configuration with text_encoder",
            network.name(),
            network.name()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_named_by_architecture_and_files_without_their_folder() {
        let names: Vec<String> = Variant::networks("himix-small, a/wide.json,, b/lesions/config.json")
            .iter()
            .map(Variant::name)
            .collect();
        assert_eq!(names, ["himix-small", "wide", "lesions"]);
    }

    #[test]
    fn a_queue_tells_networks_and_variants_apart() {
        let both = vec![Variant::Ablation(Ablation::Full), Variant::Network { architecture: "full".into() }];
        let text = serde_json::to_string(&both).expect("JSON");
        assert_eq!(text, r#"["full",{"architecture":"full"}]"#);
        assert_eq!(serde_json::from_str::<Vec<Variant>>(&text).expect("variants"), both);
    }
}
