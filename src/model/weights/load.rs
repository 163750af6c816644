//! Fills a network from a source of tensors.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::check::{self, Mismatch};
use super::keys::{self, reference_key};
use super::{TensorSource, WeightsError};
use crate::model::config::ModelConfig;
use crate::model::cpu::is_plain_cpu;
use crate::model::himix::HiMix;

/// What to do with parameters that the source lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Refuse the source.
    Refuse,
    /// Leave the parameter at its random start.
    KeepFresh,
}

/// Compares a source with the architecture.
pub fn check(config: &ModelConfig, source: &dyn TensorSource) -> Result<Mismatch, WeightsError> {
    let needed =
        keys::parameters(config).map_err(|error| WeightsError::config(source.path(), error.to_string()))?;
    let carried: Vec<String> = keys::auxiliary(config).into_iter().map(|(spec, _)| spec.name).collect();
    let mismatch = check::compare(&needed, &carried, &source.shapes());
    Ok(Mismatch { prefix: source.prefix().to_owned(), ..mismatch })
}

/// A network on `device` with the weights of `source`.
///
/// Tensors are read one at a time straight into their parameter, whose random start is never computed, so the
/// weights are in memory once.
pub fn load(
    config: &ModelConfig,
    source: &dyn TensorSource,
    missing: Missing,
    device: &Device,
) -> Result<HiMix, WeightsError> {
    let mut mismatch = check(config, source)?;
    if missing == Missing::KeepFresh {
        mismatch.missing.clear();
    }
    if !mismatch.is_empty() {
        let (path, config) = (source.path().to_path_buf(), describe(config));
        return Err(WeightsError::Mismatch { path, config, mismatch: Box::new(mismatch) });
    }
    let model =
        HiMix::new(config, device).map_err(|error| WeightsError::config(source.path(), error.to_string()))?;
    let shapes = source.shapes();
    let mut loader =
        Loader { source, shapes: &shapes, stages: config.stage_count(), path: Vec::new(), error: None };
    let model = model.map(&mut loader);
    match loader.error {
        Some(error) => Err(error),
        None => Ok(model),
    }
}

/// The sizes of an architecture in a few words.
pub fn describe(config: &ModelConfig) -> String {
    format!(
        "text {} wide, {} layers; vision {:?}",
        config.text.hidden_size, config.text.num_hidden_layers, config.vision.hidden_sizes
    )
}

struct Loader<'a> {
    source: &'a dyn TensorSource,
    shapes: &'a std::collections::BTreeMap<String, Vec<usize>>,
    stages: usize,
    path: Vec<String>,
    error: Option<WeightsError>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let key = reference_key(&self.path.join("."), self.stages);
        if self.error.is_some() || !self.shapes.contains_key(&key) {
            return param;
        }
        let values = match self.source.read(&key).and_then(|values| self.examine(&key, values)) {
            Ok(values) => values,
            Err(error) => {
                self.error = Some(error);
                return param;
            }
        };
        let shape = param.lazy_shape();
        if values.len() != shape.num_elements() {
            let reason = format!("{key} has {} values instead of {}", values.len(), shape.num_elements());
            self.error = Some(WeightsError::file(self.source.path(), reason));
            return param;
        }
        let device = param.lazy_device();
        // A linear layer multiplies by its transposed weight. The CPU's matrix product wants that one lying row by row, so
        // the weight is laid out the other way round here, without a change of what it is. The text encoder's stay as they are:
        // its few rows have a product of their own.
        let is_linear = D == 2 && key.ends_with("weight") && !key.starts_with("text_encoder");
        let tensor = if is_linear && is_plain_cpu(&device) {
            let turned = transpose(&values, shape[0], shape[1]);
            Tensor::<D>::from_data(TensorData::new(turned, [shape[1], shape[0]]), &device).swap_dims(0, 1)
        } else {
            Tensor::from_data(TensorData::new(values, shape), &device)
        };
        let id = param.id;
        param.transform_for_load(tensor, id)
    }
}

/// `[rows, columns]` → `[columns, rows]`, in blocks that stay in the cache.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut turned = vec![0f32; values.len()];
    turned.par_chunks_mut(BLOCK * rows).enumerate().for_each(|(block, out)| {
        let first = block * BLOCK;
        for top in (0..rows).step_by(BLOCK) {
            for (offset, line) in out.chunks_exact_mut(rows).enumerate() {
                for row in top..(top + BLOCK).min(rows) {
                    line[row] = values[row * columns + first + offset];
                }
            }
        }
    });
    turned
}

impl Loader<'_> {
    /// Values that no training can have meant.
    fn examine(&self, key: &str, values: Vec<f32>) -> Result<Vec<f32>, WeightsError> {
        let path = self.source.path();
        if key.ends_with(".sig") && !values.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0) {
            let reason = format!(
                "{key}, the width of a spectrum filter, is {values:?} and must be positive; train again or choose another checkpoint"
            );
            return Err(WeightsError::file(path, reason));
        }
        Ok(values)
    }
}
