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
    heads: Vec<Head>,
    rule: AdamW,
}

/// The head of a stage: the weights of its channels and a bias, which begin with 0.
struct Head {
    /// `[channels, 1]`.
    weight: Values,
    /// `[1, 1]`.
    bias: Values,
}

/// A parameter with its moments and the gradient of the passes of a step.
struct Values {
    tensor: Tensor<2>,
    gradient: Option<Tensor<2>>,
    moments: Option<AdamWState<2>>,
}

impl Values {
    fn new(rows: usize, device: &Device) -> Self {
        Self { tensor: Tensor::zeros([rows, 1], device).require_grad(), gradient: None, moments: None }
    }

    fn collect(&mut self, gradients: &mut Gradients) {
        let Some(gradient) = self.tensor.grad_remove(gradients) else { return };
        self.gradient = Some(match self.gradient.take() {
            Some(sum) => sum + gradient,
            None => gradient,
        });
    }

    fn step(&mut self, rule: &AdamW, rate: f64) {
        let Some(gradient) = self.gradient.take() else { return };
        let (moved, state) = rule.step(rate, self.tensor.clone().inner(), gradient, self.moments.take());
        self.tensor = Tensor::from_inner(moved).require_grad();
        self.moments = state;
    }

    fn write(&self, name: &str, arrays: &mut Tensors) {
        let mut put = |part: &str, tensor: &Tensor<2>| {
            let values: Vec<f32> = tensor.clone().into_data().iter::<f32>().collect();
            arrays.insert(format!("{part}.{name}"), (vec![values.len()], values));
        };
        put("value", &self.tensor.clone().inner());
        if let Some(AdamWState { momentum }) = &self.moments {
            put("first", &momentum.moment_1);
            put("second", &momentum.moment_2);
            arrays.insert(format!("time.{name}"), (vec![1], vec![momentum.time as f32]));
        }
    }

    fn read(&mut self, name: &str, arrays: &Tensors, plain: &Device) {
        let tensor = |part: &str| -> Option<Tensor<2>> {
            let (_, values) = arrays.get(&format!("{part}.{name}"))?;
            Some(Tensor::from_data(TensorData::new(values.clone(), [values.len(), 1]), plain))
        };
        if let Some(value) = tensor("value") {
            self.tensor = Tensor::from_inner(value).require_grad();
        }
        let time = arrays.get(&format!("time.{name}")).and_then(|(_, time)| time.first());
        if let (Some(first), Some(second), Some(time)) = (tensor("first"), tensor("second"), time) {
            self.moments = Some(AdamWState::new(AdaptiveMomentumState::new(*time as usize, first, second)));
        }
    }
}

impl StageHeads {
    /// Creates the heads for the stages of a network on a device with gradients; `weights` are those of the stages,
    /// coarse to fine.
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
                "stage_losses has {} numbers and the network {} decoder stages; give one number for each stage, coarse to fine, or none",
                weights.len(),
                stages.len()
            )));
        }
        let head = |stage: &StageShape| Head {
            weight: Values::new(stage.channels, device),
            bias: Values::new(1, device),
        };
        let rule = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).build();
        Ok(Self { weights: weights.to_vec(), heads: stages.iter().map(head).collect(), rule })
    }

    /// A recorder for the outputs of the stages.
    pub fn trace() -> Trace {
        Trace::only(OUTPUT)
    }

    /// The weighted sum of the losses of all stages, `[1]`. The target, `[batch, 1, side, side]`, is averaged within
    /// each position of a stage.
    pub fn loss(&self, terms: &LossTerms, recorded: Trace, target: &Tensor<4>) -> Option<Tensor<1>> {
        let [batch, _, side, _] = target.dims();
        let stages = recorded.into_tensors().into_iter().zip(&self.heads).zip(&self.weights);
        let losses = stages.filter(|(_, weight)| **weight > 0.0).map(|((output, head), weight)| {
            // The outputs are recorded as `[batch, positions, channels]`.
            let [positions, channels] = [output.shape[1], output.shape[2]];
            let grid = positions.isqrt();
            let x = output.values.reshape([batch * positions, channels]);
            let logits = x.matmul(head.weight.tensor.clone()) + head.bias.tensor.clone();
            let logits = logits.reshape([batch, 1, grid, grid]);
            let cell = side / grid;
            let cells = target.clone().reshape([batch, grid, cell, grid, cell]);
            let shares = cells.mean_dim(4).mean_dim(2).reshape([batch, 1, grid, grid]);
            terms.loss(logits, shares).total * *weight
        });
        losses.reduce(|sum, loss| sum + loss)
    }

    /// Takes the gradients of the heads out of those of a pass.
    pub fn collect(&mut self, gradients: &mut Gradients) {
        self.values().for_each(|(_, values)| values.collect(gradients));
    }

    /// Updates the heads with the gradients that were collected.
    pub fn step(&mut self, rate: f64) {
        let rule = self.rule.clone();
        self.values().for_each(|(_, values)| values.step(&rule, rate));
    }

    /// The heads with their moments by name.
    pub fn to_arrays(&mut self) -> Tensors {
        let mut arrays = Tensors::new();
        self.values().for_each(|(name, values)| values.write(&name, &mut arrays));
        arrays
    }

    /// Restores the heads from the arrays of [`Self::to_arrays`].
    pub fn load(&mut self, arrays: &Tensors, plain: &Device) {
        self.values().for_each(|(name, values)| values.read(&name, arrays, plain));
    }

    fn values(&mut self) -> impl Iterator<Item = (String, &mut Values)> {
        self.heads.iter_mut().enumerate().flat_map(|(index, head)| {
            [(format!("{index}.weight"), &mut head.weight), (format!("{index}.bias"), &mut head.bias)]
        })
    }
}
