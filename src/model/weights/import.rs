//! Checkpoints as Hugging Face ships them, seen under the authors' keys.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::keys::is_ignorable;
use super::{TensorSource, WeightsError, check, keys, load, roots, source};
use crate::model::config::ModelConfig;

/// Names of a folder's weights, in the order in which they are looked for.
pub const WEIGHTS_FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// Hugging Face's beginning of a key → the authors'. The first that matches holds; an empty right side leaves the
/// tensor behind. A model saved without its head has keys without the leading `bert.` or `convnext.`.
const TEXT_TABLE: &[(&str, &str)] = &[
    ("bert.", "text_encoder.model.bert."),
    ("cls_projection_head.", "text_encoder.model.cls_projection_head."),
    ("cls.", "text_encoder.model.cls."),
    ("embeddings.", "text_encoder.model.bert.embeddings."),
    ("encoder.layer.", "text_encoder.model.bert.encoder.layer."),
    ("pooler.", ""),
];
const VISION_TABLE: &[(&str, &str)] = &[
    ("classifier.", ""),
    ("convnext.", "encoder.model."),
    ("embeddings.", "encoder.model.embeddings."),
    ("encoder.stages.", "encoder.model.encoder.stages."),
    ("layernorm.", "encoder.model.layernorm."),
];

/// Beginning of the weights' keys in a checkpoint that keeps more beside them.
const STATE: &str = "state_dict.";

/// Which encoder a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// CXR-BERT, or another BERT.
    Text,
    /// ConvNeXt.
    Vision,
}

impl Encoder {
    fn table(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Text => TEXT_TABLE,
            Self::Vision => VISION_TABLE,
        }
    }

    /// Beginning of the authors' keys of this encoder.
    fn prefix(self) -> &'static str {
        match self {
            Self::Text => "text_encoder.",
            Self::Vision => "encoder.",
        }
    }
}

/// An encoder's own checkpoint under the authors' keys.
struct Renamed {
    inner: Box<dyn TensorSource>,
    /// The authors' key → the file's.
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

/// Several sources as one; a key is taken from the first that has it.
pub struct Joined(Vec<Box<dyn TensorSource>>);

impl Joined {
    /// At least one source.
    pub fn new(first: Box<dyn TensorSource>, others: impl IntoIterator<Item = Box<dyn TensorSource>>) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }
}

impl TensorSource for Joined {
    fn path(&self) -> &Path {
        self.0[0].path()
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        // The last to be put in wins.
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

/// The weights of an encoder's folder under the authors' keys. Refused with the list of what differs unless they are all
/// of the encoder's.
pub fn open_encoder(
    folder: &Path,
    encoder: Encoder,
    config: &ModelConfig,
) -> Result<Box<dyn TensorSource>, WeightsError> {
    let file = WEIGHTS_FILES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    let Some(path) = file else {
        let [first, second] = WEIGHTS_FILES;
        let reason =
            format!("the folder has neither {first} nor {second}; give the folder as Hugging Face ships it");
        return Err(WeightsError::file(folder, reason));
    };
    let inner = source::open(&path)?;
    let mut all: Vec<String> = inner.shapes().into_keys().collect();
    if all.iter().any(|name| name.starts_with(STATE)) {
        // What was needed to go on with a training lies beside it.
        all.retain(|name| name.starts_with(STATE));
    }
    let wrapper = roots::common_wrapper(&all);
    let names = all.into_iter().filter_map(|theirs| {
        let name = &theirs[wrapper.len()..];
        let matching = encoder.table().iter().find(|(start, _)| name.starts_with(start));
        let ours = match matching {
            Some((_, "")) => return None,
            Some((start, ours)) => format!("{ours}{}", &name[start.len()..]),
            None => name.to_owned(),
        };
        (!is_ignorable(&ours)).then_some((ours, theirs))
    });
    let names = names.collect();
    let renamed = Renamed { inner, names };

    let needed: Vec<_> = keys::parameters(config)
        .map_err(|error| WeightsError::config(folder, error.to_string()))?
        .into_iter()
        .filter(|spec| spec.name.starts_with(encoder.prefix()))
        .collect();
    let carried: Vec<String> = keys::auxiliary(config).into_iter().map(|(spec, _)| spec.name).collect();
    let mismatch = check::compare(&needed, &carried, &renamed.shapes());
    if mismatch.is_empty() {
        Ok(Box::new(renamed))
    } else {
        Err(WeightsError::Mismatch { path, config: load::describe(config), mismatch: Box::new(mismatch) })
    }
}

/// Sizes of a BERT folder (`TextConfig`) or a ConvNeXt folder (`VisionConfig`), from the `config.json` that Hugging Face
/// ships: what of it belongs to the architecture has the same names here, the rest is not looked at.
pub fn read_sizes<T: Default + Serialize + DeserializeOwned>(folder: &Path) -> Result<T, WeightsError> {
    let path = folder.join("config.json");
    let refuse = |reason: String| {
        WeightsError::config(&path, format!("{reason}; give the folder as Hugging Face ships it"))
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| refuse(format!("the sizes cannot be read ({error})")))?;
    let damaged = |error: serde_json::Error| refuse(format!("this is no model configuration ({error})"));
    let mut sizes: Map<String, Value> = serde_json::from_str(&text).map_err(damaged)?;
    if let Some(activation) = sizes.get("hidden_act").filter(|name| *name != "gelu") {
        return Err(refuse(format!("the activation {activation} is not that of HiMix, gelu")));
    }
    let known = serde_json::to_value(T::default()).map_err(damaged)?;
    sizes.retain(|name, _| known.get(name).is_some());
    serde_json::from_value(Value::Object(sizes)).map_err(damaged)
}
