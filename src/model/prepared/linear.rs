//! A linear layer with its activation.

use burn::module::Param;
use burn::tensor::Tensor;

use crate::model::Target;
use crate::model::cpu::product::PackedWeights;
use crate::model::cpu::{self, Activation};
use crate::model::gpu::{self, Operand, Weight};
use crate::model::layers::{Linear, Upsample2};
use crate::model::remote::permuted;

/// Computes `activation(x Wᵀ + b)`.
#[derive(Debug)]
pub enum Affine {
    /// On the CPU, with weights in the order in which the product uses them.
    Packed(PackedWeights),
    /// On a GPU.
    Gpu {
        /// The weight, `[in, out]`.
        weight: Box<Weight>,
        /// The bias, `[1, out]`.
        bias: Box<Tensor<2>>,
    },
}

/// Rows for a layer norm. On a GPU, the norm adds what has yet to be added.
#[derive(Debug)]
pub struct Rows<'a> {
    pub(super) x: Tensor<2>,
    /// A row that has yet to be added to all rows, `[1, channels]`.
    pub(super) shift: Option<&'a Tensor<2>>,
    /// A residual that has yet to be added, `[rows, channels]`.
    pub(super) before: Option<Tensor<2>>,
}

impl From<Tensor<2>> for Rows<'_> {
    fn from(x: Tensor<2>) -> Self {
        Self { x, shift: None, before: None }
    }
}

impl Rows<'_> {
    /// Adds what has yet to be added, for rows that enter no layer norm.
    pub fn summed(self) -> Tensor<2> {
        let Self { x, shift, before } = self;
        match shift {
            Some(shift) => gpu::finish(x, shift, Activation::None, before),
            None => match before {
                Some(before) => x + before,
                None => x,
            },
        }
    }
}

/// Packs `weight`, `[out, taps · in]`, and `bias`, `[out]`, which are in the memory of this process.
pub fn pack(weight: Tensor<2>, bias: Tensor<1>, taps: usize) -> PackedWeights {
    let weight = weight.into_data();
    match weight.as_slice::<f32>() {
        Ok(values) => PackedWeights::new(values, bias.into_data().iter::<f32>().collect(), taps),
        Err(error) => panic!("the network's numbers are f32 in this process: {error}"),
    }
}

/// A transposed convolution as a product that gives the four pixels of a position side by side: its weight,
/// `[4·out, in]`, by rows, columns and channels, and its bias, `[4·out]`, if there is one.
pub fn by_quarters(layer: Upsample2) -> (Tensor<2>, Option<Tensor<1>>) {
    let weight = layer.weight.into_value();
    let [input, output, _, _] = weight.dims();
    let weight = permuted(weight, [2, 3, 1, 0]).reshape([4 * output, input]);
    (weight, layer.bias.map(|bias| bias.into_value().repeat_dim(0, 4)))
}

impl Affine {
    /// Creates the product of [`by_quarters`].
    pub fn of_raise(layer: Upsample2, target: &Target) -> Self {
        let (weight, bias) = by_quarters(layer);
        let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[0]], &weight.device()));
        Self::new(weight, bias, target)
    }

    /// Takes over the weights of `linear` for `device`. On the CPU they are rearranged, and their memory is freed if no
    /// other handle refers to it.
    pub fn of(linear: Linear, target: &Target) -> Self {
        Self::new(linear.weight.into_value(), linear.bias.into_value(), target)
    }

    /// Creates a layer for `device` from `weight`, `[out, in]`, and `bias`, `[out]`.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>, target: &Target) -> Self {
        if gpu::accepts(&target.device) {
            let weight = Box::new(Weight::of_rows(weight, target));
            return Self::Gpu { weight, bias: Box::new(bias.unsqueeze().to_device(&target.device)) };
        }
        Self::Packed(pack(weight, bias, 1))
    }

    /// Creates a 1×1 convolution from its weight, `[out, in, 1, 1]`, and bias, `[out]`.
    pub fn of_pixels((weight, bias): (Tensor<4>, Tensor<1>), target: &Target) -> Self {
        let [output, input, ..] = weight.dims();
        Self::new(weight.reshape([output, input]), bias, target)
    }

    /// Creates a layer whose outputs are multiplied by `scale`, `[out]`.
    pub fn scaled(linear: Linear, scale: Tensor<1>, target: &Target) -> Self {
        let weight = linear.weight.into_value() * scale.clone().unsqueeze_dim(1);
        Self::new(weight, linear.bias.into_value() * scale, target)
    }

    /// Maps `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: impl Into<Operand>, activation: Activation) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::product(x.into().into_inner(), weights, activation),
            Self::Gpu { weight, bias } => gpu::finish(weight.multiply(x), bias, activation, None),
        }
    }

    /// Computes the same for another product.
    pub fn forward_to_product(&self, x: impl Into<Operand>, activation: Activation) -> Operand {
        match self {
            Self::Gpu { weight, bias } if weight.is_half() => {
                gpu::finish_rounded(weight.multiply(x), bias, activation, None)
            }
            _ => self.forward(x, activation).into(),
        }
    }

    /// Computes `x Wᵀ + b + residual`; maps `[rows, in]` to `[rows, out]`.
    pub fn forward_onto(&self, x: impl Into<Operand>, residual: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::product_onto(x.into().into_inner(), weights, residual),
            Self::Gpu { weight, bias } => gpu::finish(weight.multiply(x), bias, Activation::None, Some(residual)),
        }
    }

    /// Computes the same for another product.
    pub fn forward_onto_to_product(&self, x: impl Into<Operand>, residual: Tensor<2>) -> Operand {
        match self {
            Self::Gpu { weight, bias } if weight.is_half() => {
                gpu::finish_rounded(weight.multiply(x), bias, Activation::None, Some(residual))
            }
            _ => self.forward_onto(x, residual).into(),
        }
    }

    /// Computes `x Wᵀ + b + residual` for a layer norm; maps `[rows, in]` to `[rows, out]`.
    pub fn forward_to_norm(&self, x: impl Into<Operand>, residual: Option<Tensor<2>>) -> Rows<'_> {
        match (self, residual) {
            (Self::Gpu { weight, bias }, before) => Rows { x: weight.multiply(x), shift: Some(bias), before },
            (Self::Packed(_), None) => self.forward(x, Activation::None).into(),
            (Self::Packed(_), Some(residual)) => self.forward_onto(x, residual).into(),
        }
    }
}

/// The value of a scalar parameter.
pub fn number(param: &Param<Tensor<1>>) -> f32 {
    param.val().into_data().iter::<f32>().next().unwrap_or_default()
}
