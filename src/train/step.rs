//! One step of the optimiser.

use std::collections::HashMap;

use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer as _};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::model::Model;
use crate::model::weights::Tensors;

/// Gradients by the path of their parameter, summed over the passes of a step. They are flattened and on the plain
/// device.
#[derive(Default)]
pub struct GradientSum(HashMap<String, Tensor<1>>);

impl GradientSum {
    /// The gradients of one pass.
    pub fn of(model: &dyn Model, gradients: Gradients) -> Self {
        let mut sum = Self::default();
        sum.add(model, gradients);
        sum
    }

    /// Adds the gradients of a pass.
    pub fn add(&mut self, model: &dyn Model, mut gradients: Gradients) {
        model.visit_parameters(&mut |path, parameter| {
            let Some(gradient) = parameter.take_gradient(&mut gradients) else { return };
            let sum = match self.0.remove(path) {
                Some(sum) => sum + gradient,
                None => gradient,
            };
            self.0.insert(path.to_owned(), sum);
        });
    }

    /// Scales all gradients down so that their common Euclidean norm is at most `most`.
    pub fn clip(&mut self, most: f64) {
        // In a fixed order, because the sum of rounded numbers depends on it.
        let mut paths: Vec<&String> = self.0.keys().collect();
        paths.sort_unstable();
        let squares: Vec<Tensor<1>> = paths.iter().map(|path| self.0[*path].clone().square().sum()).collect();
        if squares.is_empty() {
            return;
        }
        let norm = Tensor::cat(squares, 0).into_data().iter::<f32>().map(f64::from).sum::<f64>().sqrt();
        // A norm that is not finite is left to the check of the loss.
        if norm.is_finite() && norm > most {
            for gradient in self.0.values_mut() {
                *gradient = gradient.clone() * (most / norm);
            }
        }
    }

    /// The gradient of the parameter at `path`; `None` if there is none.
    pub fn get(&self, path: &str) -> Option<&Tensor<1>> {
        self.0.get(path)
    }
}

/// AdamW as in PyTorch: β 0.9 and 0.999, ε 1e-8, decoupled weight decay. burn computes the steps. The moments are
/// stored here by parameter path because burn's own record identifies parameters by numbers that change with every
/// process.
pub struct Optimiser {
    rule: AdamW,
    moments: HashMap<String, AdamWState<1>>,
}

impl Optimiser {
    /// Creates an optimiser without moments.
    pub fn new(weight_decay: f64) -> Self {
        let rule = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).build();
        Self { rule, moments: HashMap::new() }
    }

    /// Updates the weights with the gradients. A parameter without a gradient is not changed.
    pub fn step(&mut self, model: Box<dyn Model>, mut gradients: GradientSum, rate: f64) -> Box<dyn Model> {
        model.map_parameters(&mut |path, slot| {
            let Some(gradient) = gradients.0.remove(path) else { return };
            let mut gradient = Some(gradient);
            slot.update(&mut |weights| {
                let Some(gradient) = gradient.take() else { return weights };
                let (moved, state) = self.rule.step(rate, weights, gradient, self.moments.remove(path));
                self.moments.extend(state.map(|state| (path.to_owned(), state)));
                moved
            });
        })
    }

    /// The moments as `first.PATH`, `second.PATH` and `time.PATH`.
    pub fn to_arrays(&self) -> Tensors {
        let mut arrays = Tensors::new();
        for (path, AdamWState { momentum }) in &self.moments {
            let values = |tensor: &Tensor<1>| tensor.clone().into_data().iter::<f32>().collect::<Vec<f32>>();
            for (name, tensor) in [("first", &momentum.moment_1), ("second", &momentum.moment_2)] {
                let values = values(tensor);
                arrays.insert(format!("{name}.{path}"), (vec![values.len()], values));
            }
            // The time is exact up to 16 million steps.
            arrays.insert(format!("time.{path}"), (vec![1], vec![momentum.time as f32]));
        }
        arrays
    }

    /// Restores the moments from the arrays of [`Self::to_arrays`].
    pub fn load(&mut self, arrays: &Tensors, device: &Device) {
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
