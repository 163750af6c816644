//! The networks that a program knows, by the tag of their bundles.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::config::{Axes, ConfigError, ModelConfig, Provenance};
use super::network::Network;
use super::networks;

/// Makes a configuration of the sizes in a `config.json`.
pub type ReadSizes = fn(Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError>;

/// A network that can be opened.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its tag.
    pub name: &'static str,
    /// Its configuration from the sizes of a `config.json`. Every size that is absent has a default, so that no sizes at all make
    /// the published network.
    pub read: ReadSizes,
}

/// The networks that can be opened. The first is the one that a bundle without a tag has.
#[derive(Clone, Debug)]
pub struct Registry(Vec<Entry>);

impl Default for Registry {
    /// The networks of this program.
    fn default() -> Self {
        Self(networks::ALL.to_vec())
    }
}

impl Registry {
    /// With one more network.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        self.0.push(entry);
        self
    }

    /// The network that a bundle without a tag has.
    fn first(&self) -> Result<&Entry, ConfigError> {
        self.0.first().ok_or_else(|| ConfigError("there is no network at all".into()))
    }

    /// Whether a bundle of this network is written without its tag, as bundles were before there was one: programs of that time
    /// open them still.
    pub fn is_untagged(name: &str) -> bool {
        networks::ALL.first().is_some_and(|entry| entry.name == name)
    }

    /// The published sizes of the network that a bundle without a tag has.
    pub fn published(&self) -> Result<ModelConfig, ConfigError> {
        self.of_sizes(Map::new())
    }

    /// These sizes of the network that a bundle without a tag has.
    pub fn of_sizes(&self, sizes: Map<String, Value>) -> Result<ModelConfig, ConfigError> {
        self.read(sizes)
    }

    /// The configuration in a `config.json`.
    ///
    /// # Errors
    /// The text is no configuration, the tag names no network that is known, or the sizes make no network.
    pub fn parse(&self, text: &str) -> Result<ModelConfig, ConfigError> {
        self.read(serde_json::from_str(text).map_err(|error| no_configuration(&error))?)
    }

    fn read(&self, mut object: Map<String, Value>) -> Result<ModelConfig, ConfigError> {
        let entry = match object.shift_remove("network") {
            None => self.first()?,
            Some(Value::String(name)) => self.0.iter().find(|entry| entry.name == name).ok_or_else(|| {
                let known: Vec<&str> = self.0.iter().map(|entry| entry.name).collect();
                ConfigError(format!(
                    "the network \"{name}\" is not known; known networks: {}. Open it with the program that made it",
                    known.join(", ")
                ))
            })?,
            Some(other) => {
                return Err(ConfigError(format!("network is {other} and must be the name of a network")));
            }
        };
        let axes: Option<Axes> = object.shift_remove("axes").map(sizes_of).transpose()?;
        let provenance = match object.shift_remove("provenance") {
            Some(value) => sizes_of(value)?,
            None => Provenance { trained: true, ..Provenance::default() },
        };
        let network = (entry.read)(object)?;
        let axes = axes.unwrap_or_else(|| network.default_axes());
        Ok(ModelConfig { network, axes, provenance })
    }
}

fn no_configuration(error: &serde_json::Error) -> ConfigError {
    ConfigError(format!("this is not a model configuration ({error}); mend it or choose another"))
}

/// The sizes of a configuration as a structure of their own.
pub fn sizes_of<T: DeserializeOwned>(value: impl Into<Value>) -> Result<T, ConfigError> {
    serde_json::from_value(value.into()).map_err(|error| no_configuration(&error))
}

/// The other way round: the sizes as they stand in `config.json`.
pub fn to_sizes(sizes: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(sizes) {
        Ok(Value::Object(map)) => map,
        // A structure of plain sizes is always an object.
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_without_a_tag_is_the_first_networks_and_is_written_without_one() {
        let registry = Registry::default();
        let plain = registry.parse("{}").expect("the published sizes");
        assert_eq!(plain.network.name(), "himix");
        assert_eq!(plain.axes, Axes::Xy);
        let written = plain.to_json();
        assert!(!written.contains("\"network\""), "programs without networks refuse a key that they do not know");
        let tagged = registry.parse("{\"network\": \"himix\", \"axes\": \"yx\"}").expect("by its name");
        assert_eq!(tagged.axes, Axes::Yx);
        assert_eq!(registry.parse(&written).expect("read again").to_json(), written);
    }

    #[test]
    fn an_unknown_tag_names_the_known_ones() {
        let error = Registry::default().parse("{\"network\": \"perceptron\"}").expect_err("unknown").to_string();
        assert!(error.contains("\"perceptron\"") && error.contains("himix"), "{error}");
        let error = Registry::default().parse("{\"network\": 3}").expect_err("no name").to_string();
        assert!(error.contains("network is 3"), "{error}");
    }

    #[test]
    fn what_no_network_has_is_refused() {
        let error = Registry::default().parse("{\"unknown\": 1}").expect_err("an unknown key").to_string();
        assert!(error.contains("unknown field `unknown`") && error.contains("; mend"), "{error}");
        assert!(Registry::default().parse("{").is_err());
    }
}
