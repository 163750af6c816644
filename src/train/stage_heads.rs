//! Auxiliary losses on the decoder stages (deep supervision): a 1×1 convolution for each stage, which is trained with
//! the network and is no part of its bundle.

use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer as _};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::error::TrainError;
use super::loss::LossTerms;
use crate::model::Trace;
use crate::model::network::StageShape;
use crate::model::weights::Tensors;

/// The end of the names under which the outputs of the stages are recorded, coarse to fine.
const OUTPUT: &str = ".decoded";

/// The heads of the stages and their optimiser, AdamW as for the network.
pub struct StageHeads {
    weights: Vec<f64>,
    /// The weights of the channels of each stage, `[channels, 1]`, followed by its bias, `[1, 1]`. All begin with 0.
    values: Vec<Value>,
    rule: AdamW,
}

/// A parameter of a head on the plain device, with its moments and the gradient of the passes of a step.
struct Value {
    tensor: Tensor<2>,
    gradient: Option<Tensor<2>>,
    moments: Option<AdamWState<2>>,
}

/// The heads for one pass, with gradients of their own.
pub struct Heads {
    weights: Vec<f64>,
    values: Vec<Tensor<2>>,
}

/// The gradients of a pass.
pub struct HeadGradients(Vec<Option<Tensor<2>>>);

impl StageHeads {
    /// Creates the heads for the stages of a network on a plain device; `weights` are those of the stages, coarse to
    /// fine.
    ///
    /// # Errors
    /// The network has another number of stages.
    pub fn new(
        weights: &[f64],
        stages: &[StageShape],
        weight_decay: f64,
        device: &Device,
    ) -> Result<Self, TrainError> {
        if weights.len() != stages.len() {
            return Err(TrainError::Config(format!(
                "stage_losses has {} numbers and the network has {} decoder stages; give one number for each stage, coarse to fine, or none",
                weights.len(),
                stages.len()
            )));
        }
        let value =
            |rows: usize| Value { tensor: Tensor::zeros([rows, 1], device), gradient: None, moments: None };
        let values = stages.iter().flat_map(|stage| [value(stage.channels), value(1)]).collect();
        let rule = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).build();
        Ok(Self { weights: weights.to_vec(), values, rule })
    }

    /// The heads for a pass on another thread.
    pub fn detached(&self) -> Heads {
        let leaf = |value: &Value| Tensor::from_inner(value.tensor.clone()).require_grad();
        Heads { weights: self.weights.clone(), values: self.values.iter().map(leaf).collect() }
    }

    /// Adds the gradients of a pass.
    pub fn add(&mut self, gradients: HeadGradients) {
        let own = HeadGradients(self.values.iter_mut().map(|value| value.gradient.take()).collect());
        let sum = own.and(gradients);
        self.values.iter_mut().zip(sum.0).for_each(|(value, gradient)| value.gradient = gradient);
    }

    /// Updates the heads with the gradients that were added.
    pub fn step(&mut self, rate: f64) {
        for value in &mut self.values {
            let Some(gradient) = value.gradient.take() else { continue };
            let (moved, state) = self.rule.step(rate, value.tensor.clone(), gradient, value.moments.take());
            value.tensor = moved;
            value.moments = state;
        }
    }

    /// The heads with their moments as `value.N`, `first.N`, `second.N` and `time.N`.
    pub fn to_arrays(&self) -> Tensors {
        let mut arrays = Tensors::new();
        for (number, value) in self.values.iter().enumerate() {
            let mut put = |part: &str, values: Vec<f32>| {
                arrays.insert(format!("{part}.{number}"), (vec![values.len()], values));
            };
            put("value", numbers(&value.tensor));
            if let Some(AdamWState { momentum }) = &value.moments {
                put("first", numbers(&momentum.moment_1));
                put("second", numbers(&momentum.moment_2));
                put("time", vec![momentum.time as f32]);
            }
        }
        arrays
    }

    /// Restores the heads from the arrays of [`Self::to_arrays`].
    pub fn load(&mut self, arrays: &Tensors, device: &Device) {
        for (number, value) in self.values.iter_mut().enumerate() {
            let tensor = |part: &str| -> Option<Tensor<2>> {
                let (_, values) = arrays.get(&format!("{part}.{number}"))?;
                Some(Tensor::from_data(TensorData::new(values.clone(), [values.len(), 1]), device))
            };
            if let Some(tensor) = tensor("value") {
                value.tensor = tensor;
            }
            let time = arrays.get(&format!("time.{number}")).and_then(|(_, time)| time.first());
            if let (Some(first), Some(second), Some(time)) = (tensor("first"), tensor("second"), time) {
                let momentum = AdaptiveMomentumState::new(*time as usize, first, second);
                value.moments = Some(AdamWState::new(momentum));
            }
        }
    }
}

impl Heads {
    /// A recorder for the outputs of the stages.
    pub fn trace() -> Trace {
        Trace::only(OUTPUT)
    }

    /// The weighted sum of the losses of all stages, `[1]`; `None` if all weights are 0. The target,
    /// `[batch, 1, side, side]`, is averaged within each position of a stage.
    pub fn loss(&self, terms: &LossTerms, recorded: Trace, target: &Tensor<4>) -> Option<Tensor<1>> {
        let [batch, _, side, _] = target.dims();
        let stages = recorded.into_tensors().into_iter().zip(self.values.chunks_exact(2)).zip(&self.weights);
        let losses = stages.filter(|(_, weight)| **weight > 0.0).map(|((output, head), weight)| {
            // The outputs are recorded as `[batch, positions, channels]` or `[batch, channels, height, width]`.
            let (positions, values) = match output.shape[..] {
                [_, channels, height, width] => {
                    let planes = output.values.reshape([batch, channels, height * width]);
                    (height * width, planes.swap_dims(1, 2))
                }
                _ => {
                    let [positions, channels] = [output.shape[1], output.shape[2]];
                    (positions, output.values.reshape([batch, positions, channels]))
                }
            };
            let (grid, channels) = (positions.isqrt(), values.dims()[2]);
            let x = values.reshape([batch * positions, channels]);
            let logits = x.matmul(head[0].clone()) + head[1].clone();
            let logits = logits.reshape([batch, 1, grid, grid]);
            let cell = side / grid;
            let cells = target.clone().reshape([batch, grid, cell, grid, cell]);
            let shares = cells.mean_dim(4).mean_dim(2).reshape([batch, 1, grid, grid]);
            terms.loss(logits, shares).total * *weight
        });
        losses.reduce(|sum, loss| sum + loss)
    }

    /// Takes the gradients of the heads out of those of a pass.
    pub fn gradients(&self, gradients: &mut Gradients) -> HeadGradients {
        HeadGradients(self.values.iter().map(|value| value.grad_remove(gradients)).collect())
    }
}

impl HeadGradients {
    /// The sum of the gradients of two passes.
    pub fn and(self, other: Self) -> Self {
        let sum = |pair: (Option<Tensor<2>>, Option<Tensor<2>>)| match pair {
            (Some(one), Some(more)) => Some(one + more),
            (one, more) => one.or(more),
        };
        Self(self.0.into_iter().zip(other.0).map(sum).collect())
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> Vec<Vec<f32>> {
        self.0.iter().map(|gradient| gradient.as_ref().map(numbers).unwrap_or_default()).collect()
    }
}

fn numbers(tensor: &Tensor<2>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{LossKind, TrainConfig};

    #[test]
    fn heads_learn_where_a_channel_tells_the_lesion() {
        let device = Device::flex();
        let stage = StageShape { grid: 2, channels: 2 };
        let mut heads = StageHeads::new(&[0.5], &[stage], 0.0, &device).expect("one stage");
        assert!(StageHeads::new(&[0.5, 0.5], &[stage], 0.0, &device).is_err_and(|error| {
            error.to_string().contains("stage_losses has 2 numbers and the network has 1 decoder stages")
        }));
        // A target of 8×8 over an output of 4×4: the left half.
        let target: Vec<f32> = (0..64).map(|at| f32::from(u8::from(at % 8 < 4))).collect();
        let target = Tensor::<4>::from_data(TensorData::new(target, [1, 1, 8, 8]), &device.clone().autodiff());
        let output: Vec<f32> = (0..16).flat_map(|at| [if at % 4 < 2 { 1.0 } else { -1.0 }, 0.3]).collect();
        let terms = LossTerms { kind: LossKind::Binary, ..LossTerms::of(&TrainConfig::default()) };
        let mut losses = Vec::new();
        for _ in 0..30 {
            let mut trace = Heads::trace();
            let data = TensorData::new(output.clone(), [1, 16, 2]);
            trace.record("stage1.asrm", &Tensor::<3>::zeros([1, 16, 2], &device));
            trace.record("stage1.decoded", &Tensor::<3>::from_data(data, &device.clone().autodiff()));
            let pass = heads.detached();
            let loss = pass.loss(&terms, trace, &target).expect("a loss");
            losses.push(loss.clone().into_data().iter::<f64>().next().expect("a number"));
            let gradients = pass.gradients(&mut loss.backward());
            heads.add(gradients);
            heads.step(0.1);
        }
        // At first every probability is one half: half of Dice 1/2 and cross-entropy ln 2, times the weight.
        assert!((losses[0] - 0.5 * 0.5 * (0.5 + 2.0_f64.ln())).abs() < 1e-4, "{}", losses[0]);
        assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
        let mut other = StageHeads::new(&[0.5], &[stage], 0.0, &device).expect("one stage");
        other.load(&heads.to_arrays(), &device);
        assert_eq!(other.to_arrays(), heads.to_arrays());
        assert_eq!(heads.to_arrays()["time.1"].1, [30.0]);
    }
}
