//! One step of the optimiser.

use std::collections::HashMap;

use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer as _};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use rayon::prelude::*;

use super::config::{OptimiserKind, TrainConfig};
use crate::model::Model;
use crate::model::cpu;
use crate::model::weights::Tensors;

/// Gradients by the path of their parameter, summed over the passes of a step. They are flattened and on the plain
/// device.
#[derive(Default)]
pub struct GradientSum(HashMap<String, Tensor<1>>);

impl GradientSum {
    /// The gradients of one pass.
    pub fn of(model: &dyn Model, mut gradients: Gradients) -> Self {
        let mut found = HashMap::new();
        model.visit_parameters(&mut |path, parameter| {
            if let Some(gradient) = parameter.take_gradient(&mut gradients) {
                found.insert(path.to_owned(), gradient);
            }
        });
        Self(found)
    }

    /// Adds the gradients of another pass or of another part of the batch.
    pub fn merge(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        let is_cpu = self.is_on_cpu();
        let pairs: Vec<_> = other.0.into_iter().map(|(path, more)| (self.0.remove(&path), path, more)).collect();
        let add = |(sum, path, more): (Option<Tensor<1>>, String, Tensor<1>)| match sum {
            Some(sum) => (path, sum + more),
            None => (path, more),
        };
        if is_cpu {
            self.0.par_extend(pairs.into_par_iter().map(add));
        } else {
            self.0.extend(pairs.into_iter().map(add));
        }
    }

    fn is_on_cpu(&self) -> bool {
        self.0.values().next().is_some_and(|gradient| cpu::is_plain_cpu(&gradient.device()))
    }

    /// Scales all gradients down so that their common Euclidean norm is at most `most`. Nothing is read back from a GPU.
    pub fn clip(&mut self, most: f64) {
        // In a fixed order, because the sum of rounded numbers depends on it.
        let mut paths: Vec<&String> = self.0.keys().collect();
        paths.sort_unstable();
        let squares: Vec<Tensor<1>> = paths.iter().map(|path| self.0[*path].clone().square().sum()).collect();
        if squares.is_empty() {
            return;
        }
        if !self.is_on_cpu() {
            return self.scale_on_device(&Tensor::cat(squares, 0).sum().sqrt(), most);
        }
        let norm = Tensor::cat(squares, 0).into_data().iter::<f32>().map(f64::from).sum::<f64>().sqrt();
        // A norm that is not finite is left to the check of the loss.
        if norm.is_finite() && norm > most {
            for gradient in self.0.values_mut() {
                *gradient = gradient.clone() * (most / norm);
            }
        }
    }

    /// Scales all gradients by `most / norm`, or by 1 if the norm, `[1]`, is smaller. One that is not finite leads to a loss
    /// that is not, which is found when it is read.
    fn scale_on_device(&mut self, norm: &Tensor<1>, most: f64) {
        let scale = norm.clone().clamp_min(most).recip() * most;
        for gradient in self.0.values_mut() {
            *gradient = gradient.clone() * scale.clone();
        }
    }

    /// The gradient of the parameter at `path`; `None` if there is none.
    pub fn get(&self, path: &str) -> Option<&Tensor<1>> {
        self.0.get(path)
    }
}

/// The rule by which a step moves the weights.
enum Rule {
    /// AdamW as in PyTorch: β 0.9 and 0.999, ε 1e-8, decoupled weight decay. burn computes the steps.
    AdamW(AdamW),
    /// Gradient descent with momentum as in PyTorch: the decay is added to the gradient. It is not burn's, whose velocities
    /// cannot be stored.
    Sgd { momentum: f64, decay: f64 },
}

/// What a rule remembers of a parameter.
enum Moments {
    AdamW(Box<AdamWState<1>>),
    /// The sum of the gradients so far, each of which decays with every step by the momentum.
    Velocity(Box<Tensor<1>>),
}

impl Rule {
    fn step(
        &self,
        rate: f64,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        moments: Option<Moments>,
    ) -> (Tensor<1>, Option<Moments>) {
        match self {
            Self::AdamW(rule) => {
                let state = match moments {
                    Some(Moments::AdamW(state)) => Some(*state),
                    _ => None,
                };
                let (weights, state) = rule.step(rate, weights, gradient, state);
                (weights, state.map(|state| Moments::AdamW(Box::new(state))))
            }
            Self::Sgd { momentum, decay } => {
                let gradient = if *decay > 0.0 { gradient + weights.clone() * *decay } else { gradient };
                let velocity = match moments {
                    Some(Moments::Velocity(velocity)) => *velocity * *momentum + gradient,
                    _ => gradient,
                };
                (weights - velocity.clone() * rate, Some(Moments::Velocity(Box::new(velocity))))
            }
        }
    }
}

/// Moves the weights. What the rule remembers is stored here by parameter path because burn's own record identifies
/// parameters by numbers that change with every process.
pub struct Optimiser {
    rule: Rule,
    moments: HashMap<String, Moments>,
}

impl Optimiser {
    /// Creates AdamW without moments.
    pub fn new(weight_decay: f64) -> Self {
        let rule = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).build();
        Self { rule: Rule::AdamW(rule), moments: HashMap::new() }
    }

    /// Creates the optimiser of these settings.
    pub fn of(config: &TrainConfig) -> Self {
        match config.optimiser {
            OptimiserKind::AdamW => Self::new(config.weight_decay),
            OptimiserKind::Sgd => {
                let rule = Rule::Sgd { momentum: config.momentum, decay: config.weight_decay };
                Self { rule, moments: HashMap::new() }
            }
        }
    }

    /// Updates the weights with the gradients. A parameter without a gradient is not changed.
    pub fn step(&mut self, model: Box<dyn Model>, mut gradients: GradientSum, rate: f64) -> Box<dyn Model> {
        let mut moved = self.moved(model.as_ref(), &mut gradients, rate);
        model.map_parameters(&mut |path, slot| {
            let mut value = moved.remove(path);
            let mut gradient = gradients.0.remove(path);
            if value.is_none() && gradient.is_none() {
                return;
            }
            slot.update(&mut |weights| match (value.take(), gradient.take()) {
                (Some(value), _) => value,
                (None, Some(gradient)) => {
                    let (value, state) = self.rule.step(rate, weights, gradient, self.moments.remove(path));
                    self.moments.extend(state.map(|state| (path.to_owned(), state)));
                    value
                }
                (None, None) => weights,
            });
        })
    }

    /// Computes the new weights of all parameters at the same time on the CPU, and takes their gradients. Nothing is
    /// computed on a GPU, which does one after the other in any case.
    fn moved(&mut self, model: &dyn Model, gradients: &mut GradientSum, rate: f64) -> HashMap<String, Tensor<1>> {
        let mut tasks = Vec::new();
        if gradients.is_on_cpu() {
            model.visit_parameters(&mut |path, parameter| {
                if let Some(gradient) = gradients.0.remove(path) {
                    tasks.push((path.to_owned(), parameter.flat(), gradient, self.moments.remove(path)));
                }
            });
        }
        let rule = &self.rule;
        let step = |(path, weights, gradient, state): (String, Tensor<1>, Tensor<1>, Option<Moments>)| {
            let (value, state) = rule.step(rate, weights, gradient, state);
            (path, value, state)
        };
        // The parameters differ in size by four orders of magnitude, so that they are handed out one by one.
        let results: Vec<_> = tasks.into_par_iter().with_max_len(1).map(step).collect();
        let mut moved = HashMap::new();
        for (path, value, state) in results {
            self.moments.extend(state.map(|state| (path.clone(), state)));
            moved.insert(path, value);
        }
        moved
    }

    /// The moments as `first.PATH`, `second.PATH` and `time.PATH`, or `velocity.PATH`.
    pub fn to_arrays(&self) -> Tensors {
        let mut arrays = Tensors::new();
        let values = |tensor: &Tensor<1>| tensor.clone().into_data().iter::<f32>().collect::<Vec<f32>>();
        for (path, moments) in &self.moments {
            let momentum = match moments {
                Moments::AdamW(state) => &state.momentum,
                Moments::Velocity(velocity) => {
                    let values = values(velocity);
                    arrays.insert(format!("velocity.{path}"), (vec![values.len()], values));
                    continue;
                }
            };
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
        for (name, (_, values)) in arrays {
            if let Some(path) = name.strip_prefix("velocity.") {
                let velocity = Tensor::from_data(TensorData::new(values.clone(), [values.len()]), device);
                self.moments.insert(path.to_owned(), Moments::Velocity(Box::new(velocity)));
                continue;
            }
            let Some(path) = name.strip_prefix("time.") else { continue };
            let tensor = |part: &str| -> Option<Tensor<1>> {
                let (_, values) = arrays.get(&format!("{part}.{path}"))?;
                Some(Tensor::from_data(TensorData::new(values.clone(), [values.len()]), device))
            };
            if let (Some(first), Some(second), Some(time)) = (tensor("first"), tensor("second"), values.first()) {
                let momentum = AdaptiveMomentumState::new(*time as usize, first, second);
                self.moments.insert(path.to_owned(), Moments::AdamW(Box::new(AdamWState::new(momentum))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[(&str, &[f32])]) -> GradientSum {
        let tensor = |values: &[f32]| {
            Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
        };
        GradientSum(parts.iter().map(|(path, values)| ((*path).to_owned(), tensor(values))).collect())
    }

    fn values(sum: &GradientSum, path: &str) -> Vec<f32> {
        sum.get(path).expect("a gradient").clone().into_data().iter().collect()
    }

    #[test]
    fn a_gradient_is_clipped_by_its_common_norm() {
        // The norm of 3, 4 and 12 is 13.
        let mut long = sum(&[("a", &[3.0, 4.0]), ("b", &[12.0])]);
        long.clip(6.5);
        assert_eq!((values(&long, "a"), values(&long, "b")), (vec![1.5, 2.0], vec![6.0]));
        let mut short = sum(&[("a", &[3.0, 4.0])]);
        short.clip(5.5);
        assert_eq!(values(&short, "a"), [3.0, 4.0], "one that is short enough stays");
        let mut broken = sum(&[("a", &[f32::NAN]), ("b", &[1.0])]);
        broken.clip(0.1);
        assert_eq!(values(&broken, "b"), [1.0]);
        GradientSum::default().clip(1.0);
    }

    #[test]
    fn a_gradient_is_clipped_without_reading_its_norm() {
        let norm = Tensor::<1>::from_data([13.0], &Device::flex());
        let clipped = |most: f64| {
            let mut long = sum(&[("a", &[3.0, 4.0]), ("b", &[12.0])]);
            long.scale_on_device(&norm, most);
            [values(&long, "a"), values(&long, "b")].concat()
        };
        for (most, expected) in [(6.5, [1.5, 2.0, 6.0]), (20.0, [3.0, 4.0, 12.0])] {
            let found = clipped(most);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
        }
    }

    #[test]
    fn gradient_descent_with_momentum_is_its_formula_and_is_stored() {
        let config = TrainConfig {
            optimiser: OptimiserKind::Sgd,
            momentum: 0.9,
            weight_decay: 0.1,
            ..TrainConfig::default()
        };
        let device = Device::flex();
        let tensor = |value: f32| Tensor::<1>::from_data([value], &device);
        let number = |tensor: &Tensor<1>| tensor.clone().into_data().iter::<f64>().next().expect("a number");
        let mut optimiser = Optimiser::of(&config);
        let (mut weight, mut velocity, mut ours) = (2.0, 0.0, tensor(2.0));
        for (step, gradient) in [0.5, -1.0, 0.25, 3.0].into_iter().enumerate() {
            // v = 0.9 v + (g + 0.1 w); w = w - 0.01 v, where the first v is the gradient.
            velocity = 0.9 * velocity + gradient + 0.1 * weight;
            weight -= 0.01 * velocity;
            let moments = optimiser.moments.remove("a");
            let (moved, moments) = optimiser.rule.step(0.01, ours, tensor(gradient as f32), moments);
            ours = moved;
            optimiser.moments.extend(moments.map(|moments| ("a".to_owned(), moments)));
            assert!((number(&ours) - weight).abs() < 1e-6, "step {step}");
            // Another optimiser goes on from what is stored.
            let arrays = optimiser.to_arrays();
            assert_eq!(arrays.keys().collect::<Vec<_>>(), ["velocity.a"]);
            optimiser = Optimiser::of(&config);
            optimiser.load(&arrays, &device);
        }
    }
}
