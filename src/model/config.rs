//! The contents of a model bundle's `config.json`, for any network.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Network;
use super::registry::{Registry, to_sizes};
use crate::input::InputForm;
use crate::text::UnknownWords;

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
    /// The form in which the network expects images and masks.
    pub input: InputForm,
    /// The origin of the weights.
    pub provenance: Provenance,
    /// What the network reads in place of words outside its vocabulary.
    pub unknown_words: UnknownWords,
    /// The temperature: the logits are divided by it before they become probabilities. 1 leaves them as they are.
    pub temperature: Temperature,
}

/// A temperature of a network's probabilities (Guo et al., On Calibration of Modern Neural Networks, ICML 2017). Above 1
/// it makes them less certain, below 1 more. It changes no sign of a logit, and so no decision at a probability of 0.5
/// where the network computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f32);

impl Temperature {
    /// The range of temperatures that are accepted.
    pub const RANGE: std::ops::RangeInclusive<f32> = 0.05..=20.0;

    /// The value.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl Default for Temperature {
    fn default() -> Self {
        Self(1.0)
    }
}

impl TryFrom<f64> for Temperature {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        let (least, most) = (Self::RANGE.start(), Self::RANGE.end());
        if Self::RANGE.contains(&(value as f32)) {
            return Ok(Self(value as f32));
        }
        Err(format!("the temperature is {value} and must be from {least} to {most}"))
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        // The shortest text of the number, so that 1.3 is stored as 1.3.
        temperature.0.to_string().parse().unwrap_or_else(|_| Self::from(temperature.0))
    }
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
        object.extend(to_sizes(&Shared {
            unknown_words: Some(self.unknown_words).filter(|words| *words != UnknownWords::default()),
            temperature: Some(self.temperature).filter(|temperature| *temperature != Temperature::default()),
            axes: self.axes,
            input: Some(self.input).filter(|input| *input != self.network.default_input()),
            provenance: &self.provenance,
        }));
        format!("{:#}", Value::Object(object))
    }
}

/// The entries that every bundle has in addition to the sizes of its network. What has its default is left out, because
/// earlier versions of the program refuse a key that they do not know.
#[derive(Serialize)]
struct Shared<'a> {
    axes: Axes,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<InputForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_words: Option<UnknownWords>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Temperature>,
    provenance: &'a Provenance,
}
