//! Attribution of the mask to the levels of the decoder: the gradient of the mean logit through the rest of it.

use burn::tensor::Tensor;

use super::config::LEVELS;
use super::model::LViT;
use crate::model::network::{self, Features, TextStates};
use crate::model::prepared::{to_planes, to_positions};
use crate::model::trace::Trace;

/// Differentiates the mask with respect to the outputs of the decoder's levels. The network is frozen and on an autodiff
/// device.
#[derive(Debug)]
pub struct Attributor(pub LViT);

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
        let (levels, parts) = features.split_at(LEVELS + 1);
        let parts: Vec<Tensor<3>> =
            parts.iter().map(|part| Tensor::from_inner(part.clone().unsqueeze())).collect();
        let text = Tensor::from_inner(text[0].clone());
        let residuals = self.0.residuals(&parts, text, &mut Trace::off());
        let skips: Vec<Tensor<4>> =
            levels.iter().zip(residuals).map(|(level, residual)| planes(level) + residual).collect();
        let output = planes(output).require_grad();
        let logits = self.0.decode(stage + 1, output.clone(), &skips, &mut Trace::off());
        let gradients = ((logits * chosen.clone()).sum() / chosen.clone().sum()).backward();
        let zeros = || output.clone().inner().zeros_like();
        to_positions(output.grad(&gradients).unwrap_or_else(zeros))
    }
}
