//! The transformers of LViT: blocks over patches, and the convolutions along tokens, patches or features.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, module};

use super::config::LViTConfig;
use crate::model::blocks::conv_norm::batch_norm;
use crate::model::layers::{LayerNorm, Linear, attend, drop_out, gelu, uniform};

/// The number of positions that a convolution along one axis reads.
pub const KERNEL: usize = 3;

/// A convolution along one axis with kernel size 3, which keeps the length.
#[derive(Module, Debug)]
pub struct Conv1d {
    /// The weight, `[out, in, 3]`.
    pub weight: Param<Tensor<3>>,
    /// The bias, `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Conv1d {
    /// Creates a layer with values drawn uniformly from ±1/√fan-in, as in PyTorch.
    pub fn new(input: usize, output: usize, device: &Device) -> Self {
        let bound = 1.0 / ((input * KERNEL) as f64).sqrt();
        Self { weight: uniform([output, input, KERNEL], bound, device), bias: uniform([output], bound, device) }
    }

    /// Maps `[batch, in, length]` to `[batch, out, length]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let options = ConvOptions::new([1], [KERNEL / 2], [1], 1);
        module::conv1d(x, self.weight.val(), Some(self.bias.val()), options)
    }

    /// Does the same along the axis in the middle: maps `[batch, length, in]` to `[batch, length, out]`.
    pub fn forward_middle(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x.swap_dims(1, 2)).swap_dims(1, 2)
    }
}

/// A convolution along one axis, a batch norm and a ReLU.
#[derive(Module, Debug)]
pub struct ConvNorm1d {
    /// The convolution.
    pub conv: Conv1d,
    /// The batch norm after it.
    pub norm: BatchNorm,
}

impl ConvNorm1d {
    /// Creates a block. `eps` is added to the variance.
    pub fn new(input: usize, output: usize, eps: f64, device: &Device) -> Self {
        let norm = BatchNormConfig::new(output).with_epsilon(eps).init(device);
        Self { conv: Conv1d::new(input, output, device), norm }
    }

    /// Maps `[batch, in, length]` to `[batch, out, length]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = self.conv.forward(x);
        let [batch, channels, length] = x.dims();
        let x = batch_norm(&self.norm, x.reshape([batch, channels, length, 1]), 0.0);
        x.reshape([batch, channels, length])
    }

    /// Does the same along the axis in the middle: maps `[batch, length, in]` to `[batch, length, out]`.
    pub fn forward_middle(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x.swap_dims(1, 2)).swap_dims(1, 2)
    }
}

/// A transformer block with the norms before attention and MLP. The MLP has a GELU after both of its layers.
#[derive(Module, Debug)]
pub struct Block {
    /// The layer norm before the attention.
    pub norm1: LayerNorm,
    /// Query, key and value, one below the other, `[3 channels, channels]`.
    pub qkv: Linear,
    /// The output of the attention.
    pub proj: Linear,
    /// The layer norm before the MLP.
    pub norm2: LayerNorm,
    /// The first layer of the MLP, which widens.
    pub fc1: Linear,
    /// The second layer of the MLP, which narrows.
    pub fc2: Linear,
    dropout: Dropout,
    heads: usize,
}

impl Block {
    /// Creates a block for `channels` channels, with PyTorch's default initialisation.
    pub fn new(config: &LViTConfig, channels: usize, device: &Device) -> Self {
        let wide = config.mlp_ratio * channels;
        let norm = || LayerNorm::new(channels, config.layer_norm_eps, device);
        Self {
            norm1: norm(),
            qkv: Linear::new(channels, 3 * channels, device),
            proj: Linear::new(channels, channels, device),
            norm2: norm(),
            fc1: Linear::new(channels, wide, device),
            fc2: Linear::new(wide, channels, device),
            dropout: DropoutConfig::new(config.dropout).init(),
            heads: config.vit_heads,
        }
    }

    /// The number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Maps `[batch, patches, channels]` to the same shape.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, patches, channels] = x.dims();
        let projected = self.qkv.forward(self.norm1.forward(x.clone()));
        let part = |index: usize| {
            projected.clone().slice([0..batch, 0..patches, index * channels..(index + 1) * channels])
        };
        let x = x + self.proj.forward(attend(part(0), part(1), part(2), self.heads, None));
        let wide = drop_out(&self.dropout, gelu(self.fc1.forward(self.norm2.forward(x.clone()))));
        x + drop_out(&self.dropout, gelu(self.fc2.forward(wide)))
    }
}

/// Runs the blocks of a level.
pub fn through(blocks: &[Block], x: Tensor<3>) -> Tensor<3> {
    blocks.iter().fold(x, |x, block| block.forward(x))
}
