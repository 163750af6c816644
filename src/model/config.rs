//! What `config.json` of every model bundle says, whatever its network is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Network;
use super::registry::{Registry, to_sizes};

/// Why a configuration cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Order in which the network sees the image's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axes {
    /// As the authors' loader delivers it, (width, height): every image is transposed.
    #[default]
    #[serde(rename = "xy")]
    Xy,
    /// Natural order, rows first.
    #[serde(rename = "yx")]
    Yx,
}

/// Where a bundle's weights come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name shown in the interface.
    pub name: String,
    /// False where the decoder has never been trained; the interface then says so.
    pub trained: bool,
    /// One or two sentences: data, recipe, licence.
    pub description: String,
    /// Codes of the subjects in the training data (`data::subject_code`), so that an evaluation can name those it shares
    /// with the training. Empty where nothing is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

/// Everything that `config.json` of a model bundle says. [`Registry::parse`] reads one.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The network and its sizes.
    pub network: Arc<dyn Network>,
    /// Orientation of the input.
    pub axes: Axes,
    /// Origin of the weights.
    pub provenance: Provenance,
}

impl ModelConfig {
    /// Whether the network sees every image transposed.
    pub fn is_transposed(&self) -> bool {
        self.axes == Axes::Xy
    }

    /// The text of `config.json`.
    pub fn to_json(&self) -> String {
        let mut object = Map::new();
        let name = self.network.name();
        if !Registry::is_untagged(name) {
            object.insert("network".into(), Value::from(name));
        }
        object.extend(self.network.sizes());
        object.extend(to_sizes(&Shared { axes: self.axes, provenance: &self.provenance }));
        format!("{:#}", Value::Object(object))
    }
}

/// What every bundle has beside the sizes of its network.
#[derive(Serialize)]
struct Shared<'a> {
    axes: Axes,
    provenance: &'a Provenance,
}
