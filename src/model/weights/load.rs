//! Loads weights from a source of tensors into a network.

use burn::tensor::Device;

use super::check::{self, Mismatch};
use super::{TensorSource, WeightsError};
use crate::model::network::{Model, Network};

/// How to handle parameters that the source lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Reject the source.
    Refuse,
    /// Keep the random initial values of the parameter.
    KeepFresh,
}

/// Compares a source with a network.
///
/// # Errors
/// The network cannot be built, or the tensors have the names of another program.
pub fn check(network: &dyn Network, source: &dyn TensorSource) -> Result<Mismatch, WeightsError> {
    let found = source.shapes();
    let mismatch =
        check::compare(network, &found).map_err(|error| WeightsError::config(source.path(), error.to_string()))?;
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    if let Some(reason) = network.other_layout(&names).filter(|_| !mismatch.is_empty()) {
        return Err(WeightsError::file(source.path(), reason));
    }
    Ok(Mismatch { prefix: source.prefix().to_owned(), ..mismatch })
}

/// Creates a model on `device` with the weights of `source`.
///
/// Tensors are read one at a time directly into their parameter, whose random initial values are never computed,
/// so that the weights are in memory only once.
///
/// # Errors
/// The network cannot be built, or the source cannot be read or does not match the network.
pub fn load(
    network: &dyn Network,
    source: &dyn TensorSource,
    missing: Missing,
    device: &Device,
) -> Result<Box<dyn Model>, WeightsError> {
    let mut mismatch = check(network, source)?;
    if missing == Missing::KeepFresh {
        mismatch.missing.clear();
    }
    if !mismatch.is_empty() {
        return Err(WeightsError::mismatch(source, network, mismatch));
    }
    let model = network.build(device).map_err(|error| WeightsError::config(source.path(), error.to_string()))?;
    let shapes = source.shapes();
    let mut failure = None;
    let model = model.map_parameters(&mut |path, slot| {
        let key = network.key(path);
        if failure.is_some() || !shapes.contains_key(&key) {
            return;
        }
        let shape = slot.shape();
        match values(network, source, &key, &shape) {
            Ok(values) => slot.load(values),
            Err(error) => failure = Some(error),
        }
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(model),
    }
}

/// Reads the values of a tensor and checks their number and that training can have produced them.
///
/// # Errors
/// The tensor cannot be read, has another number of values, or has values that the network refuses.
pub fn values(
    network: &dyn Network,
    source: &dyn TensorSource,
    key: &str,
    shape: &[usize],
) -> Result<Vec<f32>, WeightsError> {
    let values = source.read(key)?;
    if let Some(reason) = network.refuse(key, &values) {
        return Err(WeightsError::file(source.path(), reason));
    }
    let count = shape.iter().product::<usize>();
    if values.len() != count {
        let reason = format!("{key} has {} values instead of {count}", values.len());
        return Err(WeightsError::file(source.path(), reason));
    }
    Ok(values)
}
