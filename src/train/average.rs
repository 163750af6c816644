//! The exponential moving average of the weights.

use std::collections::{BTreeMap, HashSet};

use burn::tensor::{Device, Tensor, TensorData};

use crate::model::Model;
use crate::model::weights::Tensors;

/// The name of the number of steps among the arrays.
const STEPS: &str = "steps";
/// A part of the path of a running statistic, which changes although it is not trained.
const STATISTIC: &str = "running_";

/// The moving average of all trained parameters and of the running statistics, by their path.
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
        let mut frozen = HashSet::new();
        model.visit_parameters(&mut |path, parameter| {
            if !parameter.is_trained() && !path.contains(STATISTIC) {
                frozen.insert(path.to_owned());
            }
        });
        // The running statistics are up to date only in the model for evaluation.
        model.without_gradients().visit_parameters(&mut |path, parameter| {
            if frozen.contains(path) {
                return;
            }
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
                slot.load(numbers(average));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Registry;

    const SIZES: &str = r#"{
        "text": { "vocab_size": 64, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2,
            "intermediate_size": 16, "max_position_embeddings": 8 },
        "vision": { "hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1] },
        "decoder": { "num_heads": 4, "text_lengths": [8, 4, 3], "input_text_length": 8, "image_size": 64 },
        "token_limit": 8
    }"#;

    /// A model all of whose values are `value`.
    fn model(value: f32) -> Box<dyn Model> {
        let network = Registry::default().parse(SIZES).expect("sizes").network;
        let model = network.build(&Device::flex().autodiff()).expect("a model");
        model.map_parameters(&mut |_, slot| {
            let count = slot.shape().iter().product::<usize>();
            slot.load(vec![value; count]);
        })
    }

    fn values(model: &dyn Model) -> Vec<f32> {
        let mut all = Vec::new();
        model.visit_parameters(&mut |_, parameter| all.extend(parameter.values()));
        all
    }

    #[test]
    fn an_average_follows_its_formula_and_comes_back_from_its_arrays() {
        let mut average = Average::new(0.15);
        let sequence = [1.0_f32, 3.0, 2.0, 5.0];
        // The first weights are taken as they are; from then on the decays are 2/11, 3/12, …, at most 0.15.
        let expected = sequence[1..].iter().fold(sequence[0], |mean, value| mean + (value - mean) * 0.85);
        for value in sequence {
            average.add(model(value).as_ref());
        }
        let shape = model(0.0);
        let found = values(average.model(shape.as_ref()).as_ref());
        assert_eq!(found.len(), values(shape.without_gradients().as_ref()).len());
        assert!(found.iter().all(|value| (value - expected).abs() < 1e-5), "{} for {expected}", found[0]);
        let mut other = Average::new(0.15);
        other.load(&average.to_arrays(), &Device::flex());
        assert_eq!(other.to_arrays(), average.to_arrays());
        [&mut average, &mut other].into_iter().for_each(|average| average.add(model(0.5).as_ref()));
        assert_eq!(other.to_arrays(), average.to_arrays());
    }

    #[test]
    fn frozen_weights_have_no_average_and_running_statistics_do() {
        let paths = |model: Box<dyn Model>| {
            let mut average = Average::new(0.9);
            average.add(model.as_ref());
            average.values.into_keys().collect::<Vec<_>>()
        };
        let (all, fewer) = (paths(model(0.1)), paths(model(0.1).freeze_text()));
        assert!(fewer.len() < all.len());
        assert!(all.iter().filter(|path| !fewer.contains(path)).all(|path| path.starts_with("text")), "{all:?}");
        assert!(!fewer.iter().any(|path| path.starts_with("text")), "{fewer:?}");
        assert!(fewer.iter().any(|path| path.contains(STATISTIC)), "{fewer:?}");
    }

    #[test]
    fn weights_that_do_not_change_have_themselves_as_their_average() {
        let mut average = Average::new(0.999);
        (0..5).for_each(|_| average.add(model(0.1).as_ref()));
        assert!(values(average.model(model(0.0).as_ref()).as_ref()).iter().all(|value| *value == 0.1));
        assert_eq!(values(Average::new(0.9).model(model(0.7).as_ref()).as_ref())[0], 0.7, "before the first step");
    }
}
