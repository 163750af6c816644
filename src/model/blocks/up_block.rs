//! The up block of the decoder, which doubles the grid, halves the channels and adds a skip connection.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};

use super::conv_norm::batch_norm;
use crate::model::layers::{Conv2d, ConvShape, Upsample2};

/// The negative slope of every leaky ReLU.
pub const LEAK: f64 = 0.01;

/// A transposed convolution that doubles the grid, the concatenation with the skip connection, and two 3×3
/// convolutions.
#[derive(Module, Debug)]
pub struct UpBlock {
    /// The transposed convolution from C to C/2, which doubles the side length.
    pub transp_conv: Upsample2,
    /// The convolution from C to C/2 over the concatenation of the upsampled features and the skip connection.
    pub conv1: Conv2d,
    /// The batch norm after the first convolution.
    pub norm1: BatchNorm,
    /// The convolution from C/2 to C/2.
    pub conv2: Conv2d,
    /// The batch norm after the second convolution.
    pub norm2: BatchNorm,
}

fn conv3(input: usize, output: usize, device: &Device) -> Conv2d {
    let shape = ConvShape { input, output, kernel: 3, stride: 1, padding: 1, groups: 1 };
    Conv2d::new(shape, false, device)
}

impl UpBlock {
    /// Creates a block for `channels` input channels. The weights follow PyTorch's default initialisation.
    pub fn new(channels: usize, device: &Device) -> Self {
        let half = channels / 2;
        Self {
            transp_conv: Upsample2::new(channels, half, false, device),
            conv1: conv3(channels, half, device),
            norm1: BatchNormConfig::new(half).init(device),
            conv2: conv3(half, half, device),
            norm2: BatchNormConfig::new(half).init(device),
        }
    }

    /// Maps `[batch, C, n, n]` and the skip connection `[batch, C/2, 2n, 2n]` to `[batch, C/2, 2n, 2n]`.
    pub fn forward(&self, x: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        self.merge(self.transp_conv.forward(x), skip)
    }

    /// Maps the output of the transposed convolution and the skip connection, both `[batch, C/2, 2n, 2n]`, to
    /// `[batch, C/2, 2n, 2n]`.
    pub fn merge(&self, upsampled: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        let x = Tensor::cat(vec![upsampled, skip], 1);
        let x = batch_norm(&self.norm1, self.conv1.forward(x), LEAK);
        batch_norm(&self.norm2, self.conv2.forward(x), LEAK)
    }
}
