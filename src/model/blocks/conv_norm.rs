//! A 3×3 convolution with a batch norm and a ReLU, the building block of the U-shaped networks.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::{Device, Tensor};

use crate::model::cpu;
use crate::model::layers::{Conv2d, ConvShape};

/// A 3×3 convolution, a batch norm and a ReLU.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// The convolution, which keeps the grid.
    pub conv: Conv2d,
    /// The batch norm after it.
    pub norm: BatchNorm,
}

impl ConvNorm {
    /// Creates a block whose weights follow PyTorch's default initialisation. `eps` is added to the variance.
    pub fn new(input: usize, output: usize, has_bias: bool, eps: f64, device: &Device) -> Self {
        let shape = ConvShape { input, output, kernel: 3, stride: 1, padding: 1, groups: 1 };
        Self {
            conv: Conv2d::new(shape, has_bias, device),
            norm: BatchNormConfig::new(output).with_epsilon(eps).init(device),
        }
    }

    /// Maps `[batch, in, n, n]` to `[batch, out, n, n]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        batch_norm(&self.norm, self.conv.forward(x), 0.0)
    }
}

/// Applies a batch norm and the leaky ReLU with this slope after it; with slope 0 it is the ReLU.
pub fn batch_norm(norm: &BatchNorm, x: Tensor<4>, slope: f64) -> Tensor<4> {
    let device = x.device();
    // In training, the norm itself would see only a part of a batch that is divided among threads.
    if device.is_autodiff() && norm.training.is_enabled() && cpu::is_cpu(&device) {
        return cpu::batch_norm_leaky_relu(norm, x, slope);
    }
    let x = norm.forward(x);
    if slope == 0.0 { relu(x) } else { leaky_relu(x, slope) }
}
