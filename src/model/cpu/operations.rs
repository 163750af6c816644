//! The operations of a prediction on tensors, which read the values where they are, even if other handles share them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::Activation;
use super::conv::{self, PackedUp};
use super::depthwise;
use super::gradients::values;
use super::group_norm::GroupNormOf;
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

/// Maps `x`, `[n², in]`, and the skip connection, `[4n², channels]`, to `[4n², out]`.
pub fn up_block(x: Tensor<2>, skip: Option<Tensor<2>>, n: usize, weights: &PackedUp) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(match skip {
        Some(skip) => <Dispatch as PlainKernels>::up_block(x, skip.into_dispatch(), weights, n),
        None => <Dispatch as PlainKernels>::up_block_alone(x, weights, n),
    })
}

/// The maximum of squares of `kernel`×`kernel` positions at every second line and column of an image of n×n pixels, which
/// is at least as large as a square; maps `[n², channels]` to `[m², channels]` with `m = (n − kernel)/2 + 1`.
pub fn max_pool(x: Tensor<2>, n: usize, kernel: usize) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PlainKernels>::max_pool(x.into_dispatch(), n, kernel))
}

/// A group norm over the positions of an image, `[n², channels]`, plus `residual`, which has its shape, and the ReLU if
/// it `is_cut`.
pub fn group_norm(x: Tensor<2>, residual: Option<Tensor<2>>, norm: &GroupNormOf, is_cut: bool) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(match residual {
        Some(residual) => <Dispatch as PlainKernels>::group_norm_onto(x, residual.into_dispatch(), norm, is_cut),
        None => <Dispatch as PlainKernels>::group_norm(x, norm, is_cut),
    })
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

    /// Implements [`up_block`] without a skip connection.
    fn up_block_alone(x: FloatTensor<Self>, weights: &PackedUp, n: usize) -> FloatTensor<Self>;

    /// Implements [`max_pool`].
    fn max_pool(x: FloatTensor<Self>, n: usize, kernel: usize) -> FloatTensor<Self>;

    /// Implements [`group_norm`] without a residual.
    fn group_norm(x: FloatTensor<Self>, norm: &GroupNormOf, is_cut: bool) -> FloatTensor<Self>;

    /// Implements [`group_norm`] with a residual.
    fn group_norm_onto(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        norm: &GroupNormOf,
        is_cut: bool,
    ) -> FloatTensor<Self>;

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
        tensor(weights.forward(values(&x), values(&skip), n), weights.output())
    }

    fn up_block_alone(x: Cpu, weights: &PackedUp, n: usize) -> Cpu {
        tensor(weights.forward(values(&x.to_contiguous()), &[], n), weights.output())
    }

    fn max_pool(x: Cpu, n: usize, kernel: usize) -> Cpu {
        let (x, channels) = (x.to_contiguous(), x.shape()[1]);
        tensor(conv::max_pool(values(&x), n, kernel), channels)
    }

    fn group_norm(x: Cpu, norm: &GroupNormOf, is_cut: bool) -> Cpu {
        tensor(norm.forward(values(&x.to_contiguous()), None, is_cut), norm.weight.len())
    }

    fn group_norm_onto(x: Cpu, residual: Cpu, norm: &GroupNormOf, is_cut: bool) -> Cpu {
        let (x, residual) = (x.to_contiguous(), residual.to_contiguous());
        tensor(norm.forward(values(&x), Some(values(&residual)), is_cut), norm.weight.len())
    }

    fn depthwise7(x: Cpu, weight: &[f32], bias: &[f32], n: usize) -> Cpu {
        tensor(depthwise::depthwise(values(&x.to_contiguous()), n, weight, bias), bias.len())
    }
}
