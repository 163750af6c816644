//! Attribution of the mask to a stage's output: the gradient of the mean logit through the rest of the decoder.

use burn::module::Module;
use burn::tensor::Tensor;

use super::decoder::DecoderStage;
use super::fusion::Fusion;
use super::model::HiMix;
use crate::model::blocks::head::Head;
use crate::model::network::{self, Features, TextStates};
use crate::model::overrides::Overrides;
use crate::model::prepared::{to_planes, to_positions};
use crate::model::trace::Trace;

/// A decoder that is differentiated with respect to its inputs, not its weights.
#[derive(Debug)]
pub struct Attributor {
    fusion: Fusion,
    stages: Vec<DecoderStage>,
    head: Head,
}

/// The inputs of the decoder, on the attributor's device.
#[derive(Debug)]
pub struct Inputs {
    /// The image features, fine to coarse, each `[1, C, n, n]`.
    pub features: Vec<Tensor<4>>,
    /// The outputs of the text encoder's embedding and layers, each `[1, tokens, hidden]`.
    pub states: Vec<Tensor<3>>,
}

impl Attributor {
    /// Takes the decoder of a model on an autodiff device and drops the encoders.
    pub fn of(model: HiMix, overrides: &Overrides) -> Self {
        // A frozen decoder keeps the statistics of its batch norms, applies no dropout and computes no gradients
        // of weights.
        let model = model.with_overrides(overrides).freeze();
        Self { fusion: model.fusion, stages: model.stages, head: model.head }
    }

    /// The mean logit over the pixels where `chosen`, `[1, 1, side, side]`, is 1, if stage `stage` (coarse to
    /// fine) outputs `output`, `[1, C/2, 2n, 2n]`. The result has shape `[1]`.
    pub fn mean_logit(&self, stage: usize, output: Tensor<4>, inputs: &Inputs, chosen: &Tensor<4>) -> Tensor<1> {
        let mut trace = Trace::off();
        let mut x = output;
        let last = inputs.features.len() - 1;
        let texts = self.fusion.forward(&inputs.states);
        for (index, text) in texts.into_iter().enumerate().skip(stage + 1) {
            let skip = inputs.features[last - 1 - index].clone();
            x = self.stages[index].forward(x, text, skip, "", &mut trace);
        }
        let logits = self.head.forward(x, &mut trace);
        (logits * chosen.clone()).sum() / chosen.clone().sum()
    }

    /// The gradient of [`Self::mean_logit`] with respect to the output of stage `stage`, in the shape of the
    /// output.
    pub fn gradient(&self, stage: usize, output: Tensor<4>, inputs: &Inputs, chosen: &Tensor<4>) -> Tensor<4> {
        let output = output.require_grad();
        let gradients = self.mean_logit(stage, output.clone(), inputs, chosen).backward();
        let zeros = || output.clone().inner().zeros_like();
        output.grad(&gradients).unwrap_or_else(zeros)
    }
}

impl network::Attributor for Attributor {
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2> {
        let planes = |x: &Tensor<2>| {
            let [positions, _] = x.dims();
            Tensor::<4>::from_inner(to_planes(x.clone(), positions.isqrt()))
        };
        let inputs = Inputs {
            features: features.iter().map(planes).collect(),
            states: text.iter().cloned().map(Tensor::from_inner).collect(),
        };
        to_positions(Self::gradient(self, stage, planes(output), &inputs, chosen))
    }
}
