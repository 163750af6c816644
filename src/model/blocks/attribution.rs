//! Attribution of the mask to the levels of a decoder of convolutions: the gradient of the mean logit through the rest of
//! the decoder.

use std::fmt;

use burn::tensor::Tensor;

use crate::model::network::{self, Features, TextStates};
use crate::model::prepared::{to_planes, to_positions};

/// A decoder that reads nothing but the features of the image.
pub trait LevelDecoder: fmt::Debug + Send {
    /// The logits, `[1, 1, side, side]`, if level `level` (coarse to fine) outputs `output`, `[1, C, n, n]`. `features`
    /// are those of the executor, each `[1, C, n, n]`.
    fn rest(&self, level: usize, output: Tensor<4>, features: &[Tensor<4>]) -> Tensor<4>;
}

/// Differentiates the mask with respect to the outputs of the levels. The decoder is frozen and on an autodiff device.
#[derive(Debug)]
pub struct Attributor<D>(pub D);

impl<D: LevelDecoder> network::Attributor for Attributor<D> {
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        _text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2> {
        let planes = |x: &Tensor<2>| {
            let [positions, _] = x.dims();
            Tensor::<4>::from_inner(to_planes(x.clone(), positions.isqrt()))
        };
        let features: Vec<Tensor<4>> = features.iter().map(planes).collect();
        let output = planes(output).require_grad();
        let logits = self.0.rest(stage, output.clone(), &features);
        let gradients = ((logits * chosen.clone()).sum() / chosen.clone().sum()).backward();
        let zeros = || output.clone().inner().zeros_like();
        to_positions(output.grad(&gradients).unwrap_or_else(zeros))
    }
}
