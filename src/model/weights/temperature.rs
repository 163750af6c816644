//! Writes the temperature into the configuration of a bundle.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::WeightsError;
use super::bundle::{CONFIG_FILE, Located, write_file};
use super::model_source::ModelSource;
use crate::model::config::Temperature;

/// The key of the temperature in a `config.json`.
const KEY: &str = "temperature";

impl Located {
    /// The path of the model's configuration; `None` for a model that is not a file.
    pub fn config_path(&self) -> Option<PathBuf> {
        let ModelSource::Files(files) = &self.source else { return None };
        let folder = if files.path.is_dir() { Some(files.path.as_path()) } else { files.path.parent() };
        files.config.clone().or_else(|| Some(folder?.join(CONFIG_FILE)))
    }

    /// Writes the temperature into the model's configuration, whose other entries stay as they are. A temperature of 1 is
    /// left out, as earlier versions of the program expect. Returns the path of the configuration; `None` for a model that
    /// is not a file.
    ///
    /// # Errors
    /// The configuration cannot be read or written.
    pub fn write_temperature(&self, temperature: Temperature) -> Result<Option<PathBuf>, WeightsError> {
        let Some(path) = self.config_path() else { return Ok(None) };
        let fail = |reason: String| {
            WeightsError::config(&path, format!("the configuration cannot be read ({reason}); check the path"))
        };
        let text = std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
        let mut object: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
        if temperature == Temperature::default() {
            object.shift_remove(KEY);
        } else {
            object.insert(KEY.to_owned(), f64::from(temperature).into());
        }
        write_file(&path, format!("{:#}", Value::Object(object)).as_bytes())?;
        Ok(Some(path))
    }
}
