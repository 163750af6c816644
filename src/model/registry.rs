//! The registry of networks, by the tag in their bundles.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::config::{Axes, ConfigError, ModelConfig, Provenance};
use super::network::Network;
use super::networks;
use crate::input::InputForm;

/// Entries of a reference configuration that describe the file of its weights and not the network.
const OF_THE_WEIGHTS: &[&str] = &["omitted_from_weights", "tied"];

/// A function that creates a configuration from the sizes in a `config.json`.
pub type ReadSizes = fn(Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError>;

/// A network that can be opened.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The tag of the network.
    pub name: &'static str,
    /// Reads the configuration from the sizes of a `config.json`. Every missing size has a default, so that an
    /// empty map gives the published network.
    pub read: ReadSizes,
}

/// The networks that can be opened. The first one is assumed for a bundle without a tag.
#[derive(Clone, Debug)]
pub struct Registry(Vec<Entry>);

impl Default for Registry {
    /// Returns the networks of this program.
    fn default() -> Self {
        Self(networks::ALL.to_vec())
    }
}

impl Registry {
    /// The published networks, in the order of the registry.
    pub fn published_networks(&self) -> impl Iterator<Item = Arc<dyn Network>> + '_ {
        self.0.iter().filter_map(|entry| (entry.read)(Map::new()).ok())
    }

    /// Adds a network.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        self.0.push(entry);
        self
    }

    /// The network of a bundle without a tag.
    fn first(&self) -> Result<&Entry, ConfigError> {
        self.0.first().ok_or_else(|| ConfigError("there is no network at all".into()))
    }

    /// The tags of all networks.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|entry| entry.name)
    }

    /// Whether bundles of this network are written without a tag. Older versions, which know no tags, can then
    /// open them.
    pub fn is_untagged(name: &str) -> bool {
        networks::ALL.first().is_some_and(|entry| entry.name == name)
    }

    /// The published sizes of the network that a bundle without a tag has.
    ///
    /// # Errors
    /// The registry is empty.
    pub fn published(&self) -> Result<ModelConfig, ConfigError> {
        self.of_sizes(Map::new())
    }

    /// The configuration with these sizes of the network that a bundle without a tag has.
    ///
    /// # Errors
    /// The sizes are invalid, or the registry is empty.
    pub fn of_sizes(&self, sizes: Map<String, Value>) -> Result<ModelConfig, ConfigError> {
        self.read(sizes)
    }

    /// Parses the text of a `config.json`.
    ///
    /// # Errors
    /// The text is not a configuration, the tag names an unknown network, or the sizes are invalid.
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
        let input: Option<InputForm> = object.shift_remove("input").map(sizes_of).transpose()?;
        let provenance = match object.shift_remove("provenance") {
            Some(value) => sizes_of(value)?,
            None => Provenance { trained: true, ..Provenance::default() },
        };
        let unknown_words = object.shift_remove("unknown_words").map(sizes_of).transpose()?.unwrap_or_default();
        let temperature = object.shift_remove("temperature").map(sizes_of).transpose()?.unwrap_or_default();
        for key in OF_THE_WEIGHTS {
            object.shift_remove(*key);
        }
        let network = (entry.read)(object)?;
        let axes = axes.unwrap_or_else(|| network.default_axes());
        let input = input.unwrap_or_else(|| network.default_input());
        Ok(ModelConfig { network, axes, input, provenance, unknown_words, temperature })
    }
}

/// The text of a configuration with the published sizes of a network.
pub fn published_text(network: &str) -> String {
    serde_json::json!({ "network": network }).to_string()
}

fn no_configuration(error: &serde_json::Error) -> ConfigError {
    ConfigError(format!("this is not a model configuration ({error}); mend it or choose another"))
}

/// Converts the sizes of a configuration to a structure.
///
/// # Errors
/// The value does not match the structure.
pub fn sizes_of<T: DeserializeOwned>(value: impl Into<Value>) -> Result<T, ConfigError> {
    serde_json::from_value(value.into()).map_err(|error| no_configuration(&error))
}

/// Converts a structure to sizes as written to `config.json`; the inverse of [`sizes_of`].
pub fn to_sizes(sizes: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(sizes) {
        Ok(Value::Object(map)) => map,
        // A structure of plain sizes always serialises to an object.
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::UnknownWords;

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
    fn the_rule_of_unknown_words_and_the_temperature_are_kept_and_left_out_where_they_change_nothing() {
        let registry = Registry::default();
        let plain = registry.parse("{}").expect("the published sizes");
        assert_eq!((plain.unknown_words, plain.temperature.get()), (UnknownWords::Pieces, 1.0));
        let written = plain.to_json();
        assert!(!written.contains("unknown_words") && !written.contains("temperature"), "{written}");
        let text = "{\"unknown_words\": \"token\", \"temperature\": 1.3}";
        let other = registry.parse(text).expect("a configuration");
        assert_eq!((other.unknown_words, other.temperature.get()), (UnknownWords::Token, 1.3));
        let written = other.to_json();
        assert!(
            written.contains("\"unknown_words\": \"token\"") && written.contains("\"temperature\": 1.3"),
            "{written}"
        );
        assert_eq!(registry.parse(&written).expect("read again").to_json(), written);
        for (broken, word) in [
            ("{\"unknown_words\": \"letters\"}", "`pieces`"),
            ("{\"temperature\": 0}", "from 0.05 to 20"),
            ("{\"temperature\": -1}", "from 0.05 to 20"),
            ("{\"temperature\": 1e300}", "from 0.05 to 20"),
            ("{\"temperature\": \"warm\"}", "warm"),
        ] {
            let error = registry.parse(broken).expect_err(broken).to_string();
            assert!(error.contains(word) && error.contains("; mend"), "{error}");
        }
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
