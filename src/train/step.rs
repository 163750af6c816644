//! One optimiser step.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, GradientsParams, Optimizer as _};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::HiMix;

/// Named arrays with their shapes, as they lie in a file.
pub type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// AdamW as PyTorch's: β 0.9 and 0.999, ε 1e-8, decoupled weight decay. The arithmetic is burn's; the moments are kept here by the
/// parameters' paths, because burn's own record names parameters by numbers that another process does not know.
pub struct Optimiser {
    rule: AdamW,
    moments: HashMap<String, AdamWState<1>>,
}

impl Optimiser {
    /// No moments yet.
    pub fn new(weight_decay: f64) -> Self {
        let rule = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).build();
        Self { rule, moments: HashMap::new() }
    }

    /// Moves the weights once along the gradients.
    pub fn step(&mut self, model: HiMix, gradients: GradientsParams, learning_rate: f64) -> HiMix {
        model.map(&mut Step { optimiser: self, gradients, learning_rate, path: Vec::new() })
    }

    /// The moments: `first.PATH`, `second.PATH` and `time.PATH`.
    pub fn to_arrays(&self) -> Arrays {
        let mut arrays = Arrays::new();
        for (path, AdamWState { momentum }) in &self.moments {
            let values = |tensor: &Tensor<1>| tensor.clone().into_data().iter::<f32>().collect::<Vec<f32>>();
            for (name, tensor) in [("first", &momentum.moment_1), ("second", &momentum.moment_2)] {
                let values = values(tensor);
                arrays.insert(format!("{name}.{path}"), (vec![values.len()], values));
            }
            // Exact up to 16 million steps.
            arrays.insert(format!("time.{path}"), (vec![1], vec![momentum.time as f32]));
        }
        arrays
    }

    /// Takes over the moments that [`Self::to_arrays`] gave.
    pub fn load(&mut self, arrays: &Arrays, device: &Device) {
        for (name, (_, time)) in arrays {
            let Some(path) = name.strip_prefix("time.") else { continue };
            let tensor = |part: &str| -> Option<Tensor<1>> {
                let (_, values) = arrays.get(&format!("{part}.{path}"))?;
                Some(Tensor::from_data(TensorData::new(values.clone(), [values.len()]), device))
            };
            if let (Some(first), Some(second), Some(time)) = (tensor("first"), tensor("second"), time.first()) {
                let momentum = AdaptiveMomentumState::new(*time as usize, first, second);
                self.moments.insert(path.to_owned(), AdamWState::new(momentum));
            }
        }
    }
}

struct Step<'a> {
    optimiser: &'a mut Optimiser,
    gradients: GradientsParams,
    learning_rate: f64,
    path: Vec<String>,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.dims();
        let count: usize = shape.iter().product();
        let path = self.path.join(".");
        let state = self.optimiser.moments.remove(&path);
        let (flat, gradient) = (tensor.inner().reshape([count]), gradient.reshape([count]));
        let (moved, state) = self.optimiser.rule.step(self.learning_rate, flat, gradient, state);
        if let Some(state) = state {
            self.optimiser.moments.insert(path, state);
        }
        let tensor = Tensor::from_inner(moved.reshape(shape)).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }
}
