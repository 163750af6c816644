//! The projection of the text encoder's output to the sizes of a decoder stage.

use burn::module::{Module, Param};
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Device, Tensor};

use super::up_block::LEAK;
use crate::model::layers::{Linear, gelu, uniform};

/// Projects a text to the sizes of a stage: from the number of tokens to L by a 1×1 convolution over the token axis, and
/// from hidden to C channels.
#[derive(Module, Debug)]
pub struct TextProjection {
    /// The weight of the convolution, `[L, tokens, 1]`.
    pub token_weight: Param<Tensor<3>>,
    /// The bias of the convolution, `[L]`.
    pub token_bias: Param<Tensor<1>>,
    /// The linear layer from hidden to C channels.
    pub linear: Linear,
}

impl TextProjection {
    /// Creates a projection from `[tokens, hidden]` to `[L, C]`. The weights follow PyTorch's default initialisation.
    pub fn new([tokens, hidden]: [usize; 2], [length, channels]: [usize; 2], device: &Device) -> Self {
        let bound = 1.0 / (tokens as f64).sqrt();
        Self {
            token_weight: uniform([length, tokens, 1], bound, device),
            token_bias: uniform([length], bound, device),
            linear: Linear::new(hidden, channels, device),
        }
    }

    /// Maps `[batch, tokens, hidden]` to `[batch, L, C]`.
    pub fn forward(&self, text: Tensor<3>) -> Tensor<3> {
        let mix = self.token_weight.val();
        let [length, tokens, _] = mix.dims();
        let mixed = mix.reshape([1, length, tokens]).matmul(text) + self.token_bias.val().reshape([1, length, 1]);
        leaky_relu(self.linear.forward(gelu(mixed)), LEAK)
    }
}
