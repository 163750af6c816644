//! The form with the settings of a training run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Value;

use crate::engine::run::{KEYS, TrainConfig};

/// The keys that may stay empty.
const OPTIONAL: [&str; 6] = ["architecture", "image_size", "ablation", "start", "vocab", "train_text"];

/// The typed text of every key, and the resulting settings.
pub struct Form {
    /// The folders of the data sets.
    pub data: Vec<PathBuf>,
    /// The path of a data set that is being typed.
    pub typed: String,
    texts: BTreeMap<&'static str, String>,
    config: Result<TrainConfig, Fault>,
}

/// An error in the settings, with the key that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    key: Option<&'static str>,
    message: String,
}

impl Form {
    /// Creates the form that represents `config`.
    pub fn of(config: &TrainConfig) -> Self {
        let table = toml::Table::try_from(config).unwrap_or_default();
        let text = |key: &str| match table.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let keys = KEYS.iter().map(|(key, _)| *key).filter(|key| *key != "data");
        let mut form = Self {
            data: config.data.clone(),
            typed: String::new(),
            texts: keys.map(|key| (key, text(key))).collect(),
            config: Ok(TrainConfig::default()),
        };
        form.check();
        form
    }

    /// Takes the settings of `config`, but keeps data, run folder and device.
    pub fn take(&mut self, config: TrainConfig) {
        let (out, device) = (self.text("out").into(), self.text("device").to_owned());
        let typed = std::mem::take(&mut self.typed);
        *self = Self::of(&TrainConfig { data: std::mem::take(&mut self.data), out, device, ..config });
        self.typed = typed;
    }

    /// Returns the text of `key`; empty if there is none.
    pub fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// Sets the text of `key`.
    pub fn set(&mut self, key: &'static str, text: String) {
        self.texts.insert(key, text);
        self.check();
    }

    /// Validates the form; must be called after a change of the data.
    pub fn check(&mut self) {
        self.config = self.read();
    }

    /// Returns the settings, or an error message of one line.
    pub fn config(&self) -> Result<&TrainConfig, String> {
        self.config.as_ref().map_err(|fault| fault.message.clone())
    }

    /// Returns the settings to save: everything except data and run folder. `None` if any other setting is
    /// invalid.
    pub fn remembered(&self) -> Option<TrainConfig> {
        let mut texts = self.texts.clone();
        texts.insert("out", "-".into());
        // The weights belong to the data sets.
        texts.insert("weight", "[]".into());
        let config = Ok(TrainConfig::default());
        let whole = Self { data: vec!["-".into()], typed: String::new(), texts, config };
        let read = whole.read().ok()?;
        Some(TrainConfig { data: Vec::new(), out: PathBuf::new(), ..read })
    }

    /// Returns the error in the text of `key`, if there is one.
    pub fn fault_of(&self, key: &str) -> Option<&str> {
        let fault = self.config.as_ref().err()?;
        (fault.key == Some(key)).then_some(&fault.message)
    }

    fn read(&self) -> Result<TrainConfig, Fault> {
        let mut config = TrainConfig { data: self.data.clone(), ..TrainConfig::default() };
        let defaults = toml::Table::try_from(&config).unwrap_or_default();
        for (key, text) in &self.texts {
            let text = text.trim();
            let fault = |message: String| Fault { key: Some(*key), message };
            let is_list = matches!(defaults.get(*key), Some(Value::Array(_)));
            if text.is_empty() && !is_list {
                if OPTIONAL.contains(key) {
                    continue;
                }
                return Err(fault(format!("{key} is empty")));
            }
            let value = match defaults.get(*key) {
                Some(Value::Integer(_)) if text.parse::<u32>().is_err() => {
                    return Err(fault(format!("{key}: “{text}” is no whole number")));
                }
                Some(Value::Float(_)) if text.parse::<f64>().is_err() => {
                    return Err(fault(format!("{key}: “{text}” is no number")));
                }
                Some(Value::Boolean(_)) if text.parse::<bool>().is_err() => {
                    return Err(fault(format!("{key}: “{text}” is neither true nor false")));
                }
                Some(Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => text.to_owned(),
                // Brackets may be left out.
                Some(Value::Array(_)) if text.starts_with('[') => text.to_owned(),
                Some(Value::Array(_)) => format!("[{text}]"),
                _ if *key == "image_size" && text.parse::<u32>().is_err() => {
                    return Err(fault(format!("{key}: “{text}” is no whole number")));
                }
                _ if ["train_text", "image_size"].contains(key) => text.to_owned(),
                // The text is quoted, because a folder named 2024 would otherwise become a number.
                _ => Value::String(text.to_owned()).to_string(),
            };
            config = config.set(key, &value).map_err(|message| fault(format!("{key}: {message}")))?;
        }
        config.validate().map_err(|message| {
            // Every line of the message begins with the key that it concerns.
            let key = KEYS.iter().map(|(key, _)| *key).find(|key| message.starts_with(&format!("{key} ")));
            Fault { key, message }
        })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::of(&TrainConfig { data: vec!["a b".into()], out: "2024".into(), ..TrainConfig::default() })
    }

    #[test]
    fn a_form_stands_for_its_settings() {
        let form = form();
        let config = form.config().cloned();
        assert_eq!(config, Ok(TrainConfig { data: vec!["a b".into()], out: "2024".into(), ..Default::default() }));
        assert_eq!(form.text("lr"), "0.0003");
    }

    #[test]
    fn what_is_wrong_is_said_at_its_key() {
        let mut form = form();
        for (key, text) in [
            ("epochs", "many"),
            ("lr", "x"),
            ("batch_size", "0"),
            ("zoom", "2"),
            ("image_size", "large"),
            ("image_size", "0"),
            ("restarts", "often"),
            ("out", " "),
        ] {
            let good = form.text(key).to_owned();
            form.set(key, text.into());
            assert!(form.config().is_err());
            assert!(form.fault_of(key).is_some_and(|fault| fault.contains(key)), "{key}: {:?}", form.config());
            form.set(key, good);
        }
        assert!(form.config().is_ok());
        form.data.clear();
        form.check();
        assert!(form.config().is_err_and(|message| message.contains("nothing to train on")));
    }

    #[test]
    fn a_list_is_typed_with_or_without_brackets() {
        let mut form = form();
        assert_eq!(form.text("stage_losses"), "[]");
        for text in ["[0.2, 0.3, 1]", "0.2, 0.3, 1", " [0.2,0.3,1.0] "] {
            form.set("stage_losses", text.into());
            assert_eq!(form.config().map(|config| config.stage_losses.clone()), Ok(vec![0.2, 0.3, 1.0]), "{text}");
        }
        form.set("stage_losses", String::new());
        assert!(form.config().is_ok_and(|config| config.stage_losses.is_empty()));
        form.set("weight", "1, 2".into());
        assert!(form.fault_of("weight").is_some_and(|fault| fault.contains("there are 1 data sets")));
        form.data.push("c".into());
        form.check();
        assert!(form.config().is_ok_and(|config| config.weight == [1.0, 2.0]));
        assert!(form.remembered().is_some_and(|config| config.weight.is_empty() && config.data.is_empty()));
        form.set("weight", "1, x".into());
        assert!(form.fault_of("weight").is_some());
    }

    #[test]
    fn a_preset_keeps_what_is_the_users_own() {
        let mut form = form();
        form.set("device", "cpu".into());
        form.take(TrainConfig { epochs: 3, train_text: Some(true), ..TrainConfig::default() });
        let config = form.config().cloned().unwrap_or_default();
        assert_eq!((config.epochs, config.train_text, config.device.as_str()), (3, Some(true), "cpu"));
        assert_eq!((config.data, config.out), (vec![PathBuf::from("a b")], PathBuf::from("2024")));
    }
}
