//! The operations of a prediction on tensors, which read the values where they are, even if other handles share them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::Activation;
use super::conv::{self, PackedUp};
use super::depthwise;
use super::gradients::values;
use super::product::{PackedWeights, Rows};

/// Computes `activation(x Wᵀ + b)`; maps `[rows, in]` to `[rows, out]`.
pub fn product(x: Tensor<2>, weights: &PackedWeights, activation: Activation) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PlainKernels>::packed(x.into_dispatch(), weights, activation))
}

/// Computes `x Wᵀ + b + residual`; maps `[rows, in]` to `[rows, out]`.
pub fn product_onto(x: Tensor<2>, weights: &PackedWeights, residual: Tensor<2>) -> Tensor<2> {
    let (x, residual) = (x.into_dispatch(), residual.into_dispatch());
    Tensor::from_dispatch(<Dispatch as PlainKernels>::packed_onto(x, residual, weights))
}

/// The 3×3 convolution of an image of n×n pixels; maps `[n², in]` to `[n², out]`.
pub fn convolution(x: Tensor<2>, n: usize, weights: &PackedWeights, activation: Activation) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PlainKernels>::convolution(x.into_dispatch(), weights, n, activation))
}

/// Maps `x`, `[n², C]`, and the skip connection, `[4n², C/2]`, to `[4n², C/2]`.
pub fn up_block(x: Tensor<2>, skip: Tensor<2>, n: usize, weights: &PackedUp) -> Tensor<2> {
    let (x, skip) = (x.into_dispatch(), skip.into_dispatch());
    Tensor::from_dispatch(<Dispatch as PlainKernels>::up_block(x, skip, weights, n))
}

/// Depthwise 7×7 convolution with zero padding of `x`, `[n·n, channels]`. `weight` is `[49, channels]`.
pub fn depthwise7(x: Tensor<2>, n: usize, weight: &[f32], bias: &[f32]) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PlainKernels>::depthwise7(x.into_dispatch(), weight, bias, n))
}

/// The operations for the CPU backend without gradients.
#[backend_extension(Flex)]
pub trait PlainKernels: Backend {
    /// Implements [`product`].
    fn packed(x: FloatTensor<Self>, weights: &PackedWeights, activation: Activation) -> FloatTensor<Self>;

    /// Implements [`product_onto`].
    fn packed_onto(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weights: &PackedWeights,
    ) -> FloatTensor<Self>;

    /// Implements [`convolution`].
    fn convolution(
        x: FloatTensor<Self>,
        weights: &PackedWeights,
        n: usize,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// Implements [`up_block`].
    fn up_block(x: FloatTensor<Self>, skip: FloatTensor<Self>, weights: &PackedUp, n: usize) -> FloatTensor<Self>;

    /// Implements [`depthwise7`].
    fn depthwise7(x: FloatTensor<Self>, weight: &[f32], bias: &[f32], n: usize) -> FloatTensor<Self>;
}

type Cpu = FloatTensor<Flex>;

fn tensor(values: Vec<f32>, columns: usize) -> Cpu {
    let rows = values.len() / columns.max(1);
    Cpu::from_data(TensorData::new(values, [rows, columns]))
}

impl PlainKernels for Flex {
    fn packed(x: Cpu, weights: &PackedWeights, activation: Activation) -> Cpu {
        let (x, rows) = (x.to_contiguous(), x.shape()[0]);
        tensor(weights.multiply(values(&x), Rows::same(rows), activation, None), weights.output())
    }

    fn packed_onto(x: Cpu, residual: Cpu, weights: &PackedWeights) -> Cpu {
        let (x, residual, rows) = (x.to_contiguous(), residual.to_contiguous(), x.shape()[0]);
        let sums = weights.multiply(values(&x), Rows::same(rows), Activation::None, Some(values(&residual)));
        tensor(sums, weights.output())
    }

    fn convolution(x: Cpu, weights: &PackedWeights, n: usize, activation: Activation) -> Cpu {
        tensor(conv::convolve(values(&x.to_contiguous()), weights, n, activation), weights.output())
    }

    fn up_block(x: Cpu, skip: Cpu, weights: &PackedUp, n: usize) -> Cpu {
        let (x, skip) = (x.to_contiguous(), skip.to_contiguous());
        tensor(weights.forward(values(&x), values(&skip), n), weights.first.output())
    }

    fn depthwise7(x: Cpu, weight: &[f32], bias: &[f32], n: usize) -> Cpu {
        tensor(depthwise::depthwise(values(&x.to_contiguous()), n, weight, bias), bias.len())
    }
}
