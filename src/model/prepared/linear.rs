//! A linear layer with its activation.

use burn::tensor::activation::{gelu, leaky_relu, relu};
use burn::tensor::{Tensor, module};

use crate::model::blocks::up_block::LEAK;
use crate::model::cpu::product::RowWeights;
use crate::model::cpu::{self, Activation};
use crate::model::layers::{LayerNorm, Linear};

/// Computes `activation(x W + b)` with W as `[in, out]`.
#[derive(Debug)]
pub enum Affine {
    /// The general matrix product.
    General {
        /// The weight, `[in, out]`.
        weight: Box<Tensor<2>>,
        /// The bias, `[out]`.
        bias: Bias,
    },
    /// The product for the few rows of a prompt on the CPU.
    FewRows(RowWeights),
}

/// A bias in the representation that is fastest on its device.
#[derive(Clone, Debug)]
pub enum Bias {
    /// Added in place in the memory of this process.
    Plain(Vec<f32>),
    /// Added by the device, `[1, out]`.
    Device(Box<Tensor<2>>),
}

impl Bias {
    /// Creates a bias from a tensor `[out]`.
    pub fn new(bias: Tensor<1>) -> Self {
        if cpu::is_plain_cpu(&bias.device()) {
            Self::Plain(bias.into_data().iter::<f32>().collect())
        } else {
            Self::Device(Box::new(bias.unsqueeze()))
        }
    }

    /// Computes `activation(x + b)`.
    pub fn apply(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        match self {
            Self::Plain(bias) => cpu::bias_activation(x, bias, activation),
            Self::Device(bias) => {
                let x = x + (**bias).clone();
                match activation {
                    Activation::None => x,
                    Activation::Gelu => gelu(x),
                    Activation::Relu => relu(x),
                    Activation::LeakyRelu => leaky_relu(x, LEAK),
                }
            }
        }
    }
}

impl Affine {
    /// Creates a layer that shares the weights of `linear`.
    pub fn of(linear: &Linear) -> Self {
        Self::new(linear.weight.val(), linear.bias.val())
    }

    /// Creates a layer from `weight`, `[out, in]`.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self::General { weight: Box::new(weight.transpose()), bias: Bias::new(bias) }
    }

    /// Takes over the weights of the layer. On the CPU, a product for few rows reads them in place.
    pub fn for_few_rows(linear: Linear) -> Self {
        let (weight, bias) = (linear.weight.into_value(), linear.bias.into_value());
        if cpu::is_plain_cpu(&weight.device()) {
            Self::FewRows(RowWeights::new(weight, bias))
        } else {
            Self::new(weight, bias)
        }
    }

    /// Creates a layer whose outputs are multiplied by `scale`, `[out]`.
    pub fn scaled(linear: &Linear, scale: Tensor<1>) -> Self {
        let weight = linear.weight.val().transpose() * scale.clone().unsqueeze();
        Self::General { weight: Box::new(weight), bias: Bias::new(linear.bias.val() * scale) }
    }

    /// Maps `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        match self {
            Self::General { weight, bias } => bias.apply(x.matmul((**weight).clone()), activation),
            Self::FewRows(weights) => weights.forward(x, activation),
        }
    }
}

/// The layer norm of each row.
pub fn normalise(norm: &LayerNorm, x: Tensor<2>) -> Tensor<2> {
    module::layer_norm(x, norm.weight.val(), Some(norm.bias.val()), norm.eps())
}
