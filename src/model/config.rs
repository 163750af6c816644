//! The contents of a model bundle's `config.json`, for any network.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Network;
use super::registry::{Registry, to_sizes};

/// The reason why no network can be built from a configuration.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// The order in which the network receives the image's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axes {
    /// (width, height), as the authors' loader provides it: every image is transposed.
    #[default]
    #[serde(rename = "xy")]
    Xy,
    /// (height, width): the image is not transposed.
    #[serde(rename = "yx")]
    Yx,
}

/// The origin of a bundle's weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The name shown in the interface.
    pub name: String,
    /// Whether the decoder was trained. If it was not, the interface says so.
    pub trained: bool,
    /// One or two sentences about the data, the training and the licence.
    pub description: String,
    /// The codes of the subjects in the training data (`data::subject_code`), with which an evaluation can report
    /// the subjects that it shares with the training. Empty if they are unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

/// The contents of a model bundle's `config.json`. [`Registry::parse`] reads it.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The network and its sizes.
    pub network: Arc<dyn Network>,
    /// The order of the input's axes.
    pub axes: Axes,
    /// The origin of the weights.
    pub provenance: Provenance,
}

impl ModelConfig {
    /// Whether the network receives every image transposed.
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

/// The entries that every bundle has in addition to the sizes of its network.
#[derive(Serialize)]
struct Shared<'a> {
    axes: Axes,
    provenance: &'a Provenance,
}
