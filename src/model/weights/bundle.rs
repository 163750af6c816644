//! Model bundles: a folder with `config.json`, `model.safetensors` and the vocabulary.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::bundled::{self, BundledWeights};
use super::deterministic::RuleWeights;
use super::linear_probes;
use super::load::{self, Missing};
use super::model_source::ModelSource;
use super::save::{self, Precision};
use super::{TensorSource, WeightsError, domain, presence, roots, thresholds};
use crate::atomic_file;
use crate::model::config::ModelConfig;
use crate::model::network::Model;
use crate::model::registry::Registry;

/// The configuration file of a bundle.
pub const CONFIG_FILE: &str = "config.json";
/// The weights file of a bundle, with the keys of the authors' model.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The vocabulary files, in the order in which they are searched.
pub const VOCABULARY_FILES: [&str; 2] = ["tokenizer.json", "vocab.txt"];

/// A model whose files were found and whose configuration was read. The weights are not loaded yet.
pub struct Located {
    /// The requested model.
    pub source: ModelSource,
    /// The architecture and the origin of the weights.
    pub config: ModelConfig,
    /// The weights.
    pub weights: Box<dyn TensorSource>,
    /// The vocabulary, if one was found.
    pub vocabulary: Option<Vocabulary>,
}

/// Reads the configuration of a network of this program.
///
/// # Errors
/// The file cannot be read or is not a configuration.
pub fn read_config(path: &Path) -> Result<ModelConfig, WeightsError> {
    read_config_in(&Registry::default(), path)
}

/// Reads the configuration of a network in `registry`.
///
/// # Errors
/// The file cannot be read or is not a configuration.
pub fn read_config_in(registry: &Registry, path: &Path) -> Result<ModelConfig, WeightsError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        WeightsError::config(path, format!("the configuration cannot be read ({error}); check the path"))
    })?;
    registry.parse(&text).map_err(|error| WeightsError::config(path, error.to_string()))
}

/// Finds the configuration, weights and vocabulary of a model whose network belongs to this program.
///
/// # Errors
/// The weights or the configuration are missing or invalid.
pub fn locate(source: &ModelSource) -> Result<Located, WeightsError> {
    locate_in(&Registry::default(), source)
}

/// Like [`locate`], for a network in `registry`.
pub fn locate_in(registry: &Registry, source: &ModelSource) -> Result<Located, WeightsError> {
    if source.is_bundled() {
        return located_bundled(registry, source);
    }
    let model = source.path();
    let is_rule = matches!(source, ModelSource::Deterministic { .. });
    let is_folder = !is_rule && model.is_dir();
    if !is_rule && !model.exists() {
        return Err(WeightsError::file(model, "there is no such model; give a bundle's folder or a weights file"));
    }
    let weights_path = if is_folder { model.join(WEIGHTS_FILE) } else { model.to_path_buf() };
    let beside = weights_path.parent().unwrap_or(Path::new("")).to_path_buf();
    let config_path = match source.config() {
        Some(path) => Some(path.to_path_buf()),
        None if is_rule => None,
        None => Some(beside.join(CONFIG_FILE)),
    };
    let mut config = match &config_path {
        None => registry.published().map_err(|error| WeightsError::config(model, error.to_string()))?,
        Some(path) if source.config().is_none() && !path.exists() && is_folder => {
            return Err(WeightsError::file(
                model,
                format!("the folder has no {CONFIG_FILE}; choose a model bundle"),
            ));
        }
        Some(path) if source.config().is_none() && !path.exists() => {
            return Err(WeightsError::file(
                model,
                format!("there is no {CONFIG_FILE} beside the weights; name it with --config"),
            ));
        }
        Some(path) => read_config_in(registry, path)?,
    };
    let weights: Box<dyn TensorSource> = if is_rule {
        config.provenance.trained = false;
        let deterministic =
            RuleWeights::new(&config).map_err(|error| WeightsError::config(model, error.to_string()))?;
        Box::new(deterministic)
    } else if is_folder && !weights_path.exists() {
        return Err(WeightsError::file(model, format!("the folder has no {WEIGHTS_FILE}; choose a model bundle")));
    } else {
        roots::open(&weights_path, config.network.as_ref())?
    };
    if config.provenance.name.is_empty() {
        let name = if is_folder { model.file_name() } else { weights_path.file_stem() };
        config.provenance.name = name.map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    }
    let vocabulary = match source.vocab() {
        Some(path) => Some(path.to_path_buf()),
        None => find_vocabulary(config_path.as_deref().and_then(Path::parent).unwrap_or(&beside)),
    };
    let vocabulary = vocabulary.map(Vocabulary::File);
    Ok(Located { source: source.clone(), config, weights, vocabulary })
}

/// The bundled model.
fn located_bundled(registry: &Registry, source: &ModelSource) -> Result<Located, WeightsError> {
    let vocabulary = source.vocab().map_or_else(bundled::vocabulary, |path| Vocabulary::File(path.to_path_buf()));
    let weights = Box::new(BundledWeights::open()?);
    Ok(Located {
        source: source.clone(),
        config: bundled::config(registry)?,
        weights,
        vocabulary: Some(vocabulary),
    })
}

/// The vocabulary of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// A `vocab.txt` or `tokenizer.json` file.
    File(PathBuf),
    /// The content of a `vocab.txt`.
    Text(&'static str),
}

/// The path of the vocabulary in a folder, if there is one.
pub fn find_vocabulary(folder: &Path) -> Option<PathBuf> {
    VOCABULARY_FILES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file())
}

impl Located {
    /// Loads the model onto a device.
    ///
    /// # Errors
    /// The weights cannot be read or do not match the network.
    pub fn load(&self, device: &Device) -> Result<Box<dyn Model>, WeightsError> {
        load::load(self.config.network.as_ref(), self.weights.as_ref(), Missing::Refuse, device)
    }

    /// The vocabulary.
    ///
    /// # Errors
    /// No vocabulary was found; the message says where it was searched.
    pub fn vocabulary(&self) -> Result<&Vocabulary, WeightsError> {
        self.vocabulary.as_ref().ok_or_else(|| {
            WeightsError::file(
                self.source.path(),
                "there is no vocabulary (vocab.txt or tokenizer.json) beside the configuration; name it with --vocab",
            )
        })
    }
}

/// Writes a bundle and creates its folder if necessary. Each file is written completely before it gets its name. A
/// network that reads text needs its vocabulary.
///
/// # Errors
/// The vocabulary cannot be read or a file cannot be written.
pub fn write(
    folder: &Path,
    config: &ModelConfig,
    model: &dyn Model,
    vocabulary: Option<&Path>,
    carried: Option<&dyn TensorSource>,
    precision: Precision,
) -> Result<(), WeightsError> {
    std::fs::create_dir_all(folder).map_err(|error| {
        WeightsError::file(folder, format!("the folder cannot be made ({error}); choose another"))
    })?;
    let words = vocabulary.map(|path| {
        let name = if path.extension().is_some_and(|end| end == "json") { "tokenizer.json" } else { "vocab.txt" };
        let words = std::fs::read(path)
            .map_err(|error| WeightsError::file(path, format!("cannot be read ({error}); check the path")))?;
        Ok((name, words))
    });
    let words = words.transpose()?;
    linear_probes::BESIDE.forget(folder)?;
    presence::BESIDE.forget(folder)?;
    domain::BESIDE.forget(folder)?;
    thresholds::BESIDE.forget(folder)?;
    save::save_model(&folder.join(WEIGHTS_FILE), config.network.as_ref(), model, carried, precision)?;
    if let Some((name, words)) = words {
        write_file(&folder.join(name), &words)?;
    }
    write_file(&folder.join(CONFIG_FILE), config.to_json().as_bytes())
}

pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    let fail = |error: String| {
        WeightsError::file(path, format!("cannot be written ({error}); make room or choose another folder"))
    };
    atomic_file::write(path, |out| out.write_all(bytes)).map_err(|error| fail(error.to_string()))
}
