//! The location of a model: named by a user, stored in settings and opened by the program.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bundled::BUNDLED_NAME;
use super::deterministic::RULE_NAME;

/// The location of a model.
///
/// As text (command line, settings), it is a path or a name in place of a path; see [`ModelSource::new`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum ModelSource {
    /// The bundled model, optionally with `vocab` instead of its own vocabulary.
    Bundled { vocab: Option<PathBuf> },
    /// Weights computed by a rule, for tests, for the full-size network or for the network described by `config`.
    Deterministic { config: Option<PathBuf>, vocab: Option<PathBuf> },
    /// A bundle or a weights file on this computer.
    Files(ModelFiles),
}

/// The files of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// The folder of a bundle, a `.safetensors` file or a PyTorch checkpoint. The kind is determined when it is
    /// opened.
    pub path: PathBuf,
    /// The configuration, if it is neither in the bundle nor beside the weights.
    pub config: Option<PathBuf>,
    /// The vocabulary, if it is neither in the bundle nor beside the configuration.
    pub vocab: Option<PathBuf>,
}

impl ModelSource {
    /// Creates a source from `name`: `bundled`, `rule`, or a path with configuration and vocabulary in or beside
    /// it.
    pub fn new(name: impl Into<PathBuf>) -> Self {
        Self::with(name, None, None)
    }

    /// Like [`Self::new`], with a configuration and a vocabulary from another location. The bundled model ignores
    /// `config`.
    pub fn with(name: impl Into<PathBuf>, config: Option<PathBuf>, vocab: Option<PathBuf>) -> Self {
        let path = name.into();
        match path.to_str() {
            Some(BUNDLED_NAME) => Self::Bundled { vocab },
            Some(RULE_NAME) => Self::Deterministic { config, vocab },
            _ => Self::Files(ModelFiles { path, config, vocab }),
        }
    }

    /// The bundled model.
    pub fn bundled() -> Self {
        Self::Bundled { vocab: None }
    }

    /// Whether this is the bundled model.
    pub fn is_bundled(&self) -> bool {
        matches!(self, Self::Bundled { .. })
    }

    /// The path, or the name in place of a path, for messages and for [`Self::new`].
    pub fn path(&self) -> &Path {
        match self {
            Self::Bundled { .. } => Path::new(BUNDLED_NAME),
            Self::Deterministic { .. } => Path::new(RULE_NAME),
            Self::Files(files) => &files.path,
        }
    }

    /// The configuration, if it is given separately.
    pub fn config(&self) -> Option<&Path> {
        match self {
            Self::Bundled { .. } => None,
            Self::Deterministic { config, .. } => config.as_deref(),
            Self::Files(files) => files.config.as_deref(),
        }
    }

    /// The vocabulary, if it is given separately.
    pub fn vocab(&self) -> Option<&Path> {
        match self {
            Self::Bundled { vocab } | Self::Deterministic { vocab, .. } => vocab.as_deref(),
            Self::Files(files) => files.vocab.as_deref(),
        }
    }
}

/// The format in which settings files have stored a source since version 0.1.
#[derive(Serialize, Deserialize)]
struct Stored {
    model: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vocab: Option<PathBuf>,
}

impl From<Stored> for ModelSource {
    fn from(Stored { model, config, vocab }: Stored) -> Self {
        Self::with(model, config, vocab)
    }
}

impl From<ModelSource> for Stored {
    fn from(source: ModelSource) -> Self {
        let owned = |path: Option<&Path>| path.map(Path::to_path_buf);
        Self { model: source.path().to_path_buf(), config: owned(source.config()), vocab: owned(source.vocab()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_settings_file_of_version_0_1_names_is_found_again() -> serde_json::Result<()> {
        let files = |path: &str, config: Option<&str>, vocab: Option<&str>| {
            let (config, vocab) = (config.map(PathBuf::from), vocab.map(PathBuf::from));
            ModelSource::Files(ModelFiles { path: path.into(), config, vocab })
        };
        for (text, expected) in [
            (r#"{"model":"bundled"}"#, ModelSource::bundled()),
            (r#"{"model":"rule"}"#, ModelSource::Deterministic { config: None, vocab: None }),
            (r#"{"model":"/models/chest"}"#, files("/models/chest", None, None)),
            (
                r#"{"model":"a.ckpt","config":"b/config.json","vocab":"c.txt"}"#,
                files("a.ckpt", Some("b/config.json"), Some("c.txt")),
            ),
        ] {
            let source: ModelSource = serde_json::from_str(text)?;
            assert_eq!(source, expected);
            assert_eq!(serde_json::to_string(&source)?, text, "it is written as it was");
        }
        Ok(())
    }

    #[test]
    fn a_folder_that_only_ends_like_a_name_is_a_path() {
        assert!(!ModelSource::new("models/bundled").is_bundled());
        assert!(ModelSource::new("bundled").is_bundled());
    }
}
