//! Writes weights: those of a network, or those of a file in the authors' complete layout.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, View, serialize_to_file};

use super::{TensorSource, Tensors, WeightsError, manifest};
use crate::atomic_file;
use crate::model::key_table::{Fill, KeySpec};
use crate::model::layers::sine_table;
use crate::model::network::{Model, Network};

/// A tensor that is about to be written.
struct Outgoing {
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl View for Outgoing {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The precision of the numbers in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, which halves the size and keeps three digits.
    F16,
}

/// Writes a model's parameters, and the auxiliary tensors of `carried` if it is given, as the `model.safetensors`
/// of a bundle.
///
/// # Errors
/// `carried` cannot be read or the file cannot be written.
pub fn save_model(
    path: &Path,
    network: &dyn Network,
    model: &dyn Model,
    carried: Option<&dyn TensorSource>,
    precision: Precision,
) -> Result<(), WeightsError> {
    let mut outgoing: BTreeMap<String, Outgoing> = BTreeMap::new();
    for (name, (shape, values)) in manifest::tensors_of(network, model) {
        outgoing.insert(name, encode(shape, &values, precision));
    }
    if let Some(source) = carried {
        let found = source.shapes();
        for (spec, fill) in network.auxiliary() {
            // Computed tables and the tied head would only make the file larger.
            if fill.is_computed() {
                continue;
            }
            if let Some(shape) = found.get(&spec.name) {
                outgoing.insert(spec.name.clone(), encode(shape.clone(), &source.read(&spec.name)?, precision));
            }
        }
    }
    write(path, outgoing)
}

fn encode(shape: Vec<usize>, values: &[f32], precision: Precision) -> Outgoing {
    let (dtype, bytes) = match precision {
        Precision::F32 => (Dtype::F32, f32_bytes(values)),
        Precision::F16 => {
            (Dtype::F16, values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect())
        }
    };
    Outgoing { shape, dtype, bytes }
}

/// Writes named f32 tensors, for example recorded activations.
///
/// # Errors
/// The file cannot be written.
pub fn save_tensors(path: &Path, tensors: Tensors) -> Result<(), WeightsError> {
    let outgoing = tensors
        .into_iter()
        .map(|(name, (shape, values))| (name, encode(shape, &values, Precision::F32)))
        .collect::<BTreeMap<_, _>>();
    write(path, outgoing)
}

/// A tensor of an export that is read or computed when it is written.
struct Lazy<'a> {
    spec: KeySpec,
    fill: Option<Fill>,
    source: &'a dyn TensorSource,
    failure: &'a std::sync::Mutex<Option<WeightsError>>,
}

impl Lazy<'_> {
    fn is_integer(&self) -> bool {
        matches!(self.fill, Some(Fill::Counter | Fill::Indices))
    }

    fn values(&self) -> Result<Vec<f32>, WeightsError> {
        let count = self.spec.shape.iter().product::<usize>();
        Ok(match self.fill {
            None => self.source.read(&self.spec.name)?,
            Some(Fill::Zeros | Fill::Counter | Fill::Indices) => vec![0.0; count],
            Some(Fill::Ones) => vec![1.0; count],
            Some(Fill::Tied(key)) if self.source.shapes().contains_key(key) => self.source.read(key)?,
            Some(Fill::Tied(_)) => vec![0.0; count],
            Some(Fill::Positions) => match self.spec.shape[..] {
                [.., length, channels] => sine_table(length, channels),
                _ => vec![0.0; count],
            },
        })
    }
}

impl View for Lazy<'_> {
    fn dtype(&self) -> Dtype {
        if self.is_integer() { Dtype::I64 } else { Dtype::F32 }
    }
    fn shape(&self) -> &[usize] {
        &self.spec.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        if self.is_integer() {
            let count = self.spec.shape.iter().product::<usize>() as i64;
            let value = |index: i64| if self.fill == Some(Fill::Counter) { 0 } else { index };
            return Cow::Owned((0..count).flat_map(|index| value(index).to_le_bytes()).collect());
        }
        let values = self.values().unwrap_or_else(|error| {
            // A view cannot return an error to the writer, so the error is stored and returned afterwards.
            if let Ok(mut failure) = self.failure.lock() {
                *failure = Some(error);
            }
            vec![0.0; self.spec.shape.iter().product()]
        });
        Cow::Owned(f32_bytes(&values))
    }
    fn data_len(&self) -> usize {
        let size = if self.is_integer() { 8 } else { 4 };
        self.spec.shape.iter().product::<usize>() * size
    }
}

/// Writes `source` as a safetensors file that the authors' code can load, with all their keys, their layout and
/// f32 values.
///
/// Tensors that the source lacks because they do not influence the mask are filled in: computed tables are
/// computed, tied tensors are copied, and unused heads are set to zero.
///
/// # Errors
/// The network cannot be built, the source cannot be read, or the file cannot be written.
pub fn export(path: &Path, network: &dyn Network, source: &dyn TensorSource) -> Result<(), WeightsError> {
    let failure = std::sync::Mutex::new(None);
    let found = source.shapes();
    let parameters =
        manifest::parameters(network).map_err(|error| WeightsError::config(source.path(), error.to_string()))?;
    let mut outgoing = Vec::new();
    let mut add = |spec: KeySpec, fill: Option<Fill>| {
        outgoing.push((spec.name.clone(), Lazy { spec, fill, source, failure: &failure }));
    };
    let exported = parameters.into_iter().filter(|spec| network.is_exported(&spec.name));
    exported.for_each(|spec| add(spec, None));
    for (spec, fill) in network.auxiliary() {
        match found.get(&spec.name) {
            Some(shape) if !matches!(fill, Fill::Counter | Fill::Indices) => {
                add(KeySpec { shape: shape.clone(), ..spec }, None)
            }
            _ => add(spec, Some(fill)),
        }
    }
    let failed = || failure.lock().ok().and_then(|mut failure| failure.take());
    write_unless(path, outgoing, failed)
}

/// Writes a temporary file beside the target and renames it.
fn write<V: View>(path: &Path, tensors: impl IntoIterator<Item = (String, V)>) -> Result<(), WeightsError> {
    write_unless(path, tensors, || None)
}

/// Like [`write()`], but calls `failed` before the file is renamed.
fn write_unless<V: View>(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, V)>,
    failed: impl FnOnce() -> Option<WeightsError>,
) -> Result<(), WeightsError> {
    let fail = |error: String| {
        WeightsError::file(path, format!("cannot be written ({error}); make room or choose another folder"))
    };
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    atomic_file::write_to(
        path,
        |error| fail(error.to_string()),
        |part| {
            serialize_to_file(tensors, Some(metadata), part).map_err(|error| fail(error.to_string()))?;
            failed().map_or(Ok(()), Err)
        },
    )
}
