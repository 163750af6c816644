//! The exponential moving average of the weights.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::model::Model;
use crate::model::weights::Tensors;

/// The name of the number of steps among the arrays.
const STEPS: &str = "steps";

/// The moving average of all parameters and running statistics, by their path.
///
/// After step `t`, counted from 0, the average moves towards the weights by `1 − d`, where `d` is the smaller of the
/// decay and `(1 + t) / (10 + t)`, so that the random initial weights are soon forgotten.
pub struct Average {
    decay: f64,
    steps: usize,
    values: BTreeMap<String, Tensor<1>>,
}

impl Average {
    /// Creates an average without values.
    pub fn new(decay: f64) -> Self {
        Self { decay, steps: 0, values: BTreeMap::new() }
    }

    /// Adds the weights after a step of the optimiser.
    pub fn add(&mut self, model: &dyn Model) {
        let steps = self.steps as f64;
        let share = 1.0 - self.decay.min((1.0 + steps) / (10.0 + steps));
        // The running statistics are up to date only in the model for evaluation.
        model.without_gradients().visit_parameters(&mut |path, parameter| {
            let now = parameter.flat();
            let average = match self.values.remove(path) {
                // In this form, a weight that does not change stays the same to the last bit.
                Some(average) => average.clone() + (now - average) * share,
                None => now,
            };
            self.values.insert(path.to_owned(), average);
        });
        self.steps += 1;
    }

    /// The averaged weights as a model for evaluation, shaped like `model`; the weights of `model` before the first
    /// step.
    pub fn model(&self, model: &dyn Model) -> Box<dyn Model> {
        model.without_gradients().map_parameters(&mut |path, slot| {
            if let Some(average) = self.values.get(path) {
                slot.load(numbers(average), false);
            }
        })
    }

    /// The average by path, and the number of steps.
    pub fn to_arrays(&self) -> Tensors {
        let array = |values: Vec<f32>| (vec![values.len()], values);
        let mut arrays: Tensors =
            self.values.iter().map(|(path, average)| (path.clone(), array(numbers(average)))).collect();
        // The number is exact up to 16 million steps.
        arrays.insert(STEPS.into(), array(vec![self.steps as f32]));
        arrays
    }

    /// Restores the average from the arrays of [`Self::to_arrays`].
    pub fn load(&mut self, arrays: &Tensors, device: &Device) {
        for (path, (_, values)) in arrays {
            match path.as_str() {
                STEPS => self.steps = values.first().map_or(0, |steps| *steps as usize),
                _ => {
                    let data = TensorData::new(values.clone(), [values.len()]);
                    self.values.insert(path.clone(), Tensor::from_data(data, device));
                }
            }
        }
    }
}

fn numbers(tensor: &Tensor<1>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}
