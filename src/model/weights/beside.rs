//! Files beside the weights of a model, with what was fitted on it and is no part of it. Versions that do not know such a
//! file do not look for it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::bundle::{CONFIG_FILE, Located};
use super::{BUNDLED_NAME, ModelSource, WeightsError};

/// A kind of file.
pub(super) struct Beside {
    /// The name of the file in a bundle.
    pub name: &'static str,
    /// The content for the bundled model; `None` if it has none.
    pub bundled: Option<&'static str>,
    /// For errors: what it should be, and what to do if it is not.
    pub what: &'static str,
    pub mend: &'static str,
}

impl Beside {
    /// Returns the path where the file of a model is or would be stored; `None` for a model that is not a file.
    pub fn path(&self, model: &Located) -> Option<PathBuf> {
        let ModelSource::Files(files) = &model.source else { return None };
        let model = &files.path;
        if model.is_dir() {
            return Some(model.join(self.name));
        }
        if !model.is_file() {
            return None;
        }
        // Two weights files may share a folder and a configuration, but not what was fitted on them.
        let stem = model.file_stem()?.to_string_lossy();
        Some(model.with_file_name(format!("{stem}.{}", self.name)))
    }

    /// Reads the file of a model; `None` if there is none. `check` says why its content is not sound.
    ///
    /// # Errors
    /// The file cannot be read, or is no such file.
    pub fn read<T: DeserializeOwned>(
        &self,
        model: &Located,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> Result<Option<T>, WeightsError> {
        let (path, text): (PathBuf, Cow<str>) = if model.source.is_bundled() {
            let Some(text) = self.bundled else { return Ok(None) };
            (BUNDLED_NAME.into(), text.into())
        } else {
            let Some(path) = self.path(model).filter(|path| path.is_file()) else { return Ok(None) };
            let text = std::fs::read_to_string(&path).map_err(|error| {
                WeightsError::file(&path, format!("cannot be read ({error}); check its rights"))
            })?;
            (path, text.into())
        };
        self.parse(&path, &text, check).map(Some)
    }

    /// Reads the content of the file at `path`.
    ///
    /// # Errors
    /// It is no such file.
    pub fn parse<T: DeserializeOwned>(
        &self,
        path: &Path,
        text: &str,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> Result<T, WeightsError> {
        let Self { what, mend, .. } = self;
        let fail = |reason: String| WeightsError::file(path, format!("this is no {what} ({reason}); {mend}"));
        let read: T = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        check(&read).map_err(fail)?;
        Ok(read)
    }

    /// Removes the file of the model that is replaced in a folder.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self, folder: &Path) -> Result<(), WeightsError> {
        let path = folder.join(self.name);
        if folder.join(CONFIG_FILE).is_file() && path.is_file() {
            let fail = |error: std::io::Error| {
                WeightsError::file(
                    &path,
                    format!("belongs to the model that is replaced and cannot be removed ({error})"),
                )
            };
            std::fs::remove_file(&path).map_err(fail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_forgotten_with_the_model_that_it_belongs_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Beside { name: "fitted.json", bundled: None, what: "fit", mend: "fit again" };
        let path = folder.path().join(file.name);
        std::fs::write(&path, "{}").expect("written");
        file.forget(folder.path()).expect("nothing to forget");
        assert!(path.is_file(), "the folder has no model");
        std::fs::write(folder.path().join(CONFIG_FILE), "{}").expect("written");
        file.forget(folder.path()).expect("removed");
        assert!(!path.exists());
        file.forget(folder.path()).expect("there is none");
    }
}
