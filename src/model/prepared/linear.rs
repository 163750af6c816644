//! A linear layer with its activation.

use burn::tensor::activation::{gelu, leaky_relu, relu};
use burn::tensor::{Tensor, module};

use crate::model::blocks::up_block::LEAK;
use crate::model::cpu::product::PackedWeights;
use crate::model::cpu::{self, Activation};
use crate::model::layers::{LayerNorm, Linear};

/// Computes `activation(x Wᵀ + b)`.
#[derive(Debug)]
pub enum Affine {
    /// On the CPU, with weights in the order in which the product uses them.
    Packed(PackedWeights),
    /// On a GPU.
    Device {
        /// The weight, `[in, out]`.
        weight: Box<Tensor<2>>,
        /// The bias, `[1, out]`.
        bias: Box<Tensor<2>>,
    },
}

/// Packs `weight`, `[out, taps · in]`, and `bias`, `[out]`, which are in the memory of this process.
pub fn pack(weight: Tensor<2>, bias: Tensor<1>, taps: usize) -> PackedWeights {
    let weight = weight.into_data();
    match weight.as_slice::<f32>() {
        Ok(values) => PackedWeights::new(values, bias.into_data().iter::<f32>().collect(), taps),
        Err(error) => panic!("the network's numbers are f32 in this process: {error}"),
    }
}

/// Applies an activation on the device of the tensor.
pub fn activate(x: Tensor<2>, activation: Activation) -> Tensor<2> {
    match activation {
        Activation::None => x,
        Activation::Gelu => gelu(x),
        Activation::Relu => relu(x),
        Activation::LeakyRelu => leaky_relu(x, LEAK),
    }
}

impl Affine {
    /// Takes over the weights of `linear`. On the CPU they are rearranged, and their memory is freed if no other handle
    /// refers to it.
    pub fn of(linear: Linear) -> Self {
        Self::new(linear.weight.into_value(), linear.bias.into_value())
    }

    /// Creates a layer from `weight`, `[out, in]`, and `bias`, `[out]`.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        if cpu::is_plain_cpu(&weight.device()) {
            return Self::Packed(pack(weight, bias, 1));
        }
        Self::Device { weight: Box::new(weight.transpose()), bias: Box::new(bias.unsqueeze()) }
    }

    /// Creates a layer whose outputs are multiplied by `scale`, `[out]`.
    pub fn scaled(linear: Linear, scale: Tensor<1>) -> Self {
        let weight = linear.weight.into_value() * scale.clone().unsqueeze_dim(1);
        Self::new(weight, linear.bias.into_value() * scale)
    }

    /// Maps `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::product(x, weights, activation),
            Self::Device { weight, bias } => activate(x.matmul((**weight).clone()) + (**bias).clone(), activation),
        }
    }

    /// Computes `x Wᵀ + b + residual`; maps `[rows, in]` to `[rows, out]`.
    pub fn forward_onto(&self, x: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::product_onto(x, weights, residual),
            Self::Device { .. } => self.forward(x, Activation::None) + residual,
        }
    }
}

/// The layer norm of each row.
pub fn normalise(norm: &LayerNorm, x: Tensor<2>) -> Tensor<2> {
    module::layer_norm(x, norm.weight.val(), Some(norm.bias.val()), norm.eps())
}
