//! Operations for prediction on a GPU, each in one kernel of our own.
//!
//! A prompt is bound by the number of kernels, and by the work of this process for each of them. burn computes a layer
//! norm or a soft-max in several kernels, and an attention or the input of a convolution in ten. They do not support
//! gradients, and need tensors outside the memory of this process ([`accepts`]). On a device of another computer, where
//! our kernels cannot run, they are operations of burn.
//!
//! Products may be computed in half precision ([`Weight`]). The kernel before a product then stores what the product reads
//! in half precision ([`Operand`]), so that no kernel has to convert it, and the product stores single precision.

mod kernels;
mod operations;
mod plain;
mod product;

use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::{Device, Tensor};

use self::operations::{Given, Layout, Operations};
use super::cpu::{self, Activation};
use super::layers::LayerNorm;
use super::remote::is_remote;

pub use self::product::{Operand, Weight, multiplies_half};

/// Whether these operations accept tensors of this device.
pub fn accepts(device: &Device) -> bool {
    !device.is_autodiff() && !cpu::is_cpu(device)
}

/// What is added to the rows before and after a layer norm.
#[derive(Clone, Debug, Default)]
pub struct Added<'a> {
    /// A row added to all rows first, `[1, channels]`.
    pub shift: Option<&'a Tensor<2>>,
    /// A tensor added first, `[rows, channels]`.
    pub before: Option<Tensor<2>>,
    /// A tensor added to the result, `[rows, channels]`.
    pub after: Option<Tensor<2>>,
}

/// Computes the layer norm of each row of `x + shift + before`, plus `after`.
pub fn normalise(norm: &LayerNorm, x: Tensor<2>, added: Added<'_>) -> Tensor<2> {
    if is_remote(&x) {
        return plain::normalise(norm, x, added);
    }
    let [x, shift, before, weight, bias, after] = operands(norm, x, &added);
    let (eps, given) = (norm.eps() as f32, added.given());
    let output = <Dispatch as Operations>::normalise(x, shift, before, weight, bias, after, eps, given);
    Tensor::from_dispatch(output)
}

/// Computes the same, and what a product in half precision reads of it.
pub fn normalise_twice(norm: &LayerNorm, x: Tensor<2>, added: Added<'_>) -> (Tensor<2>, Operand) {
    let [x, shift, before, weight, bias, after] = operands(norm, x, &added);
    let (eps, given) = (norm.eps() as f32, added.given());
    let (output, rounded) =
        <Dispatch as Operations>::normalise_twice(x, shift, before, weight, bias, after, eps, given);
    (Tensor::from_dispatch(output), Operand::of_kernel(rounded))
}

impl Added<'_> {
    fn given(&self) -> Given {
        Given { shift: self.shift.is_some(), before: self.before.is_some(), after: self.after.is_some() }
    }
}

/// The operands of a layer norm. What is absent is not read, but every operand of a kernel is bound.
fn operands(norm: &LayerNorm, x: Tensor<2>, added: &Added<'_>) -> [DispatchTensor; 6] {
    let Added { shift, before, after } = added;
    let or_x = |tensor: Option<&Tensor<2>>| tensor.unwrap_or(&x).clone().into_dispatch();
    let (shift, before, after) = (or_x(*shift), or_x(before.as_ref()), or_x(after.as_ref()));
    let (weight, bias) = (norm.weight.val().into_dispatch(), norm.bias.val().into_dispatch());
    [x.into_dispatch(), shift, before, weight, bias, after]
}

/// Computes `activation(x + bias) + residual` for `x`, `[rows, channels]`. `bias` has one row or as many as `x`.
pub fn finish(x: Tensor<2>, bias: &Tensor<2>, activation: Activation, residual: Option<Tensor<2>>) -> Tensor<2> {
    if is_remote(&x) {
        return plain::finish(x, bias, activation, residual);
    }
    Tensor::from_dispatch(finished(x, bias, activation, residual, false))
}

/// Computes the same as a product in half precision reads it.
pub fn finish_rounded(
    x: Tensor<2>,
    bias: &Tensor<2>,
    activation: Activation,
    residual: Option<Tensor<2>>,
) -> Operand {
    Operand::of_kernel(finished(x, bias, activation, residual, true))
}

fn finished(
    x: Tensor<2>,
    bias: &Tensor<2>,
    activation: Activation,
    residual: Option<Tensor<2>>,
    is_half: bool,
) -> DispatchTensor {
    let code = match activation {
        Activation::None => kernels::NO_ACTIVATION,
        Activation::Gelu => kernels::GELU,
        Activation::Relu => kernels::RELU,
        Activation::LeakyRelu => kernels::LEAKY_RELU,
    };
    let has_residual = residual.is_some();
    let residual = residual.unwrap_or_else(|| x.clone()).into_dispatch();
    let (x, bias) = (x.into_dispatch(), bias.clone().into_dispatch());
    <Dispatch as Operations>::finish(x, bias, residual, code, has_residual, is_half)
}

/// Where queries, keys and values of an attention come from, each with its bias. A bias has the columns of its matrix, and
/// one row or as many as it.
#[derive(Debug)]
pub struct Attended<'a> {
    queries: (Tensor<2>, &'a Tensor<2>),
    memory: (Tensor<2>, &'a Tensor<2>),
    key_start: usize,
}

impl<'a> Attended<'a> {
    /// Queries, keys and values side by side, `[n, 3 channels]`.
    pub fn itself(all: Tensor<2>, bias: &'a Tensor<2>) -> Self {
        let [_, columns] = all.dims();
        Self { queries: (all.clone(), bias), memory: (all, bias), key_start: columns / 3 }
    }

    /// Queries `[n, channels]`, and keys and values side by side, `[m, 2 channels]`.
    pub fn other(queries: (Tensor<2>, &'a Tensor<2>), memory: (Tensor<2>, &'a Tensor<2>)) -> Self {
        Self { queries, memory, key_start: 0 }
    }
}

/// Computes an attention with `heads` heads over `channels` channels: `[n, channels]`. Keys for which `hidden`, `[1, m]`,
/// is not zero are left out. With `is_half`, it is what a product in half precision reads.
pub fn attend(
    attended: Attended<'_>,
    hidden: Option<&Tensor<2>>,
    channels: usize,
    heads: usize,
    is_half: bool,
) -> Operand {
    if is_remote(&attended.queries.0) {
        return plain::attend(attended, hidden, channels, heads).into();
    }
    let Attended { queries, memory, key_start } = attended;
    let has_hidden = hidden.is_some();
    let hidden = hidden.unwrap_or(queries.1).clone().into_dispatch();
    let layout = Layout { channels, heads, key_start, value_start: key_start + channels, has_hidden };
    let output = <Dispatch as Operations>::attend_from(
        queries.0.into_dispatch(),
        queries.1.clone().into_dispatch(),
        memory.0.into_dispatch(),
        memory.1.clone().into_dispatch(),
        hidden,
        layout,
        is_half,
    );
    Operand::of_kernel(output)
}

/// Computes a depthwise 7×7 convolution with zero padding of `x`, `[n², channels]`. `weight` is `[49, channels]` and
/// `bias` `[1, channels]`.
pub fn depthwise7(x: Tensor<2>, n: usize, weight: &Tensor<2>, bias: &Tensor<2>) -> Tensor<2> {
    if is_remote(&x) {
        return plain::depthwise7(x, n, weight, bias);
    }
    let (weight, bias) = (weight.clone().into_dispatch(), bias.clone().into_dispatch());
    Tensor::from_dispatch(<Dispatch as Operations>::depthwise(x.into_dispatch(), weight, bias, n))
}

/// Maps `[n², channels]` to the 3×3 neighbourhood of each position, `[n², 9 channels]`, by rows, columns and channels,
/// with zeros outside. With `is_half`, it is what a product in half precision reads.
pub fn neighbourhoods(x: Tensor<2>, n: usize, is_half: bool) -> Operand {
    if is_remote(&x) {
        return plain::neighbourhoods(x, n).into();
    }
    let [_, channels] = x.dims();
    let x = x.into_dispatch();
    Operand::of_kernel(<Dispatch as Operations>::neighbourhoods(x.clone(), x, n, channels, false, is_half))
}

/// Returns the neighbourhoods of a grid whose channels are those of a raised tensor and of a skip connection: `raised`,
/// `[n²/4, 4 half]`, has the four positions of a 2×2 square in a row; `skip` is `[n², half]`.
pub fn raised_neighbourhoods(raised: Tensor<2>, skip: Tensor<2>, n: usize, is_half: bool) -> Operand {
    if is_remote(&skip) {
        return plain::raised_neighbourhoods(raised, skip, n).into();
    }
    let [_, half] = skip.dims();
    let (raised, skip) = (raised.into_dispatch(), skip.into_dispatch());
    Operand::of_kernel(<Dispatch as Operations>::neighbourhoods(raised, skip, n, 2 * half, true, is_half))
}

/// Maps the 16 sub-pixels of each position, `[n², 16]`, to the pixels `[1, 1, 4n, 4n]`: adds `bias`, `[1, 16]`, shuffles,
/// takes the mean of the 4×4 pixels that end at each pixel with zeros outside, and adds `last`, `[1]`.
pub fn shuffle_and_blur(x: Tensor<2>, bias: &Tensor<2>, last: &Tensor<1>, n: usize) -> Tensor<4> {
    if is_remote(&x) {
        return plain::shuffle_and_blur(x, bias, last, n);
    }
    let (bias, last) = (bias.clone().into_dispatch(), last.clone().into_dispatch());
    Tensor::from_dispatch(<Dispatch as Operations>::shuffle_and_blur(x.into_dispatch(), bias, last, n))
}
