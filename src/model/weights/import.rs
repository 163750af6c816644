//! Checkpoints of encoders in the format of Hugging Face or of the encoder's authors, presented under the keys of a network.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::path::Path;

use serde_json::{Map, Value};

use super::{TensorSource, WeightsError, check, roots, source};
use crate::model::key_table::Encoder;
use crate::model::network::Network;

/// The weights files of a folder, in the order in which they are searched.
pub const WEIGHTS_FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// The prefix of the weights' keys in a checkpoint that also stores other data.
const STATE: &str = "state_dict.";

/// The checkpoint of an encoder under the authors' keys.
struct Renamed {
    inner: Box<dyn TensorSource>,
    /// Maps the authors' keys to those of the file.
    names: BTreeMap<String, String>,
}

impl TensorSource for Renamed {
    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shapes = self.inner.shapes();
        self.names.iter().filter_map(|(ours, theirs)| Some((ours.clone(), shapes.get(theirs)?.clone()))).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let path = self.inner.path();
        let theirs =
            self.names.get(name).ok_or_else(|| WeightsError::file(path, format!("there is no {name}")))?;
        self.inner.read(theirs)
    }
}

/// Several sources combined. A key is read from the first source that contains it.
pub struct Joined(Vec<Box<dyn TensorSource>>);

impl Joined {
    /// Combines at least one source.
    pub fn new(first: Box<dyn TensorSource>, others: impl IntoIterator<Item = Box<dyn TensorSource>>) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }
}

impl TensorSource for Joined {
    fn path(&self) -> &Path {
        self.0[0].path()
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        // The last inserted entry wins, so that the first source takes precedence.
        self.0.iter().rev().flat_map(|source| source.shapes()).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let source = self.0.iter().find(|source| source.shapes().contains_key(name));
        source.unwrap_or(&self.0[0]).read(name)
    }

    fn prefix(&self) -> &str {
        self.0[0].prefix()
    }

    fn notices(&self) -> &[String] {
        self.0[0].notices()
    }
}

/// Opens the weights of an encoder, in a folder or in a file alone, under the authors' keys.
///
/// # Errors
/// The network has no such encoder, the files cannot be read, or the tensors are not those of the encoder.
pub fn open_encoder(
    folder: &Path,
    encoder: Encoder,
    network: &dyn Network,
) -> Result<Box<dyn TensorSource>, WeightsError> {
    let Some(keys) = network.encoder(encoder) else {
        let reason = format!("the network {} has no pretrained encoder of this kind", network.name());
        return Err(WeightsError::file(folder, reason));
    };
    let file = WEIGHTS_FILES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    // Facebook's ConvNeXt is a single file.
    let file = if folder.is_file() { Some(folder.to_path_buf()) } else { file };
    let Some(path) = file else {
        let [first, second] = WEIGHTS_FILES;
        let reason =
            format!("the folder has neither {first} nor {second}; give the folder as Hugging Face ships it");
        return Err(WeightsError::file(folder, reason));
    };
    let inner = source::open(&path)?;
    let mut all: Vec<String> = inner.shapes().into_keys().collect();
    if all.iter().any(|name| name.starts_with(STATE)) {
        // The other tensors are the state of the training.
        all.retain(|name| name.starts_with(STATE));
    }
    let wrapper = roots::common_wrapper(&all);
    let names = all.into_iter().filter_map(|theirs| {
        let ours = (keys.rename)(&current(&theirs[wrapper.len()..]))?;
        (!network.is_ignorable(&ours)).then_some((ours, theirs))
    });
    let names = names.collect();
    let renamed = Renamed { inner, names };

    let mismatch = check::compare_part(network, keys.prefixes, &renamed.shapes())
        .map_err(|error| WeightsError::config(folder, error.to_string()))?;
    if mismatch.is_empty() {
        Ok(Box::new(renamed))
    } else {
        // An encoder alone looks like no network.
        let (config, mismatch) = (network.describe(), Box::new(mismatch));
        Err(WeightsError::Mismatch { path, config, mismatch, resembles: None })
    }
}

/// The name of a tensor as it is today: old files, such as that of BERT-base, call the scale and the offset of a layer norm
/// gamma and beta.
fn current(name: &str) -> String {
    match (name.strip_suffix("LayerNorm.gamma"), name.strip_suffix("LayerNorm.beta")) {
        (Some(start), _) => format!("{start}LayerNorm.weight"),
        (_, Some(start)) => format!("{start}LayerNorm.bias"),
        (None, None) => name.to_owned(),
    }
}

/// Reads the sizes of a pretrained encoder from the `config.json` of its Hugging Face folder. Only the sizes that
/// also occur in `known`, the network's own sizes of this encoder, are returned.
///
/// # Errors
/// The file cannot be read or is not a configuration, the activation is not GELU, or a size has another type than
/// in `known`.
pub fn read_sizes(folder: &Path, known: &Value) -> Result<Value, WeightsError> {
    let path = folder.join("config.json");
    let refuse = |reason: String| {
        WeightsError::config(&path, format!("{reason}; give the folder as Hugging Face ships it"))
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| refuse(format!("the sizes cannot be read ({error})")))?;
    let damaged = |error: serde_json::Error| refuse(format!("this is no model configuration ({error})"));
    let mut sizes: Map<String, Value> = serde_json::from_str(&text).map_err(damaged)?;
    if let Some(activation) = sizes.get("hidden_act").filter(|name| *name != "gelu") {
        return Err(refuse(format!("the activation {activation} is not that of the network, gelu")));
    }
    sizes.retain(|name, _| known.get(name).is_some());
    let is_alike = |name: &str, value: &Value| {
        known.get(name).is_some_and(|known| discriminant(known) == discriminant(value))
    };
    match sizes.iter().find(|(name, value)| !is_alike(name, value)) {
        Some((name, value)) => Err(refuse(format!("{name} is {value}, which is no size of this encoder"))),
        None => Ok(Value::Object(sizes)),
    }
}
