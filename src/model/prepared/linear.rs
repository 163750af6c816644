//! A linear layer with its activation, and the layer norm.

use burn::tensor::{Device, Tensor, module};

use crate::model::cpu::product::RowWeights;
use crate::model::cpu::{self, Activation};
use crate::model::gpu::{self, Added};
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
    /// Added by the GPU, `[1, out]`, or as many rows as there are.
    Device(Box<Tensor<2>>),
}

impl Bias {
    /// Creates a bias for `device` from a tensor `[out]`.
    pub fn new(bias: Tensor<1>, device: &Device) -> Self {
        if gpu::has_kernels(device) {
            Self::Device(Box::new(bias.unsqueeze().to_device(device)))
        } else {
            Self::Plain(bias.into_data().iter::<f32>().collect())
        }
    }

    /// Computes `activation(x + b) + residual`.
    pub fn apply(&self, x: Tensor<2>, activation: Activation, residual: Option<Tensor<2>>) -> Tensor<2> {
        match self {
            Self::Plain(bias) => onto(cpu::bias_activation(x, bias, activation), residual),
            Self::Device(bias) => gpu::finish(x, bias, activation, residual),
        }
    }
}

fn onto(x: Tensor<2>, residual: Option<Tensor<2>>) -> Tensor<2> {
    match residual {
        Some(residual) => x + residual,
        None => x,
    }
}

/// Rows to which a bias has yet to be added, where the operation that follows does so at no cost.
#[derive(Debug)]
pub struct Rows<'a> {
    x: Tensor<2>,
    /// The bias, `[1, channels]`.
    shift: Option<&'a Tensor<2>>,
}

impl From<Tensor<2>> for Rows<'_> {
    fn from(x: Tensor<2>) -> Self {
        Self { x, shift: None }
    }
}

impl Affine {
    /// Creates a layer that shares the weights of `linear` if they are on `device`.
    pub fn of(linear: &Linear, device: &Device) -> Self {
        Self::new(linear.weight.val(), linear.bias.val(), device)
    }

    /// Creates a layer from `weight`, `[out, in]`.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>, device: &Device) -> Self {
        Self::General { weight: Box::new(weight.to_device(device).transpose()), bias: Bias::new(bias, device) }
    }

    /// Takes over the weights of the layer. On the CPU, a product for few rows reads them in place.
    pub fn for_few_rows(linear: Linear, device: &Device) -> Self {
        let (weight, bias) = (linear.weight.into_value(), linear.bias.into_value());
        if gpu::has_kernels(device) {
            Self::new(weight, bias, device)
        } else {
            Self::FewRows(RowWeights::new(weight, bias))
        }
    }

    /// Creates a layer whose outputs are multiplied by `scale`, `[out]`.
    pub fn scaled(linear: &Linear, scale: Tensor<1>, device: &Device) -> Self {
        let weight = linear.weight.val().transpose() * scale.clone().unsqueeze();
        Self::General {
            weight: Box::new(weight.to_device(device)),
            bias: Bias::new(linear.bias.val() * scale, device),
        }
    }

    /// Maps `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        self.compute(x, activation, None)
    }

    /// Maps `[rows, in]` to `[rows, out]` and adds `residual`, `[rows, out]`.
    pub fn forward_onto(&self, x: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        self.compute(x, Activation::None, Some(residual))
    }

    fn compute(&self, x: Tensor<2>, activation: Activation, residual: Option<Tensor<2>>) -> Tensor<2> {
        match self {
            Self::General { weight, bias } => bias.apply(x.matmul((**weight).clone()), activation, residual),
            Self::FewRows(weights) => onto(weights.forward(x, activation), residual),
        }
    }

    /// Maps `[rows, in]` to `[rows, out]` for a layer norm, which adds the bias on a GPU.
    pub fn forward_to_norm(&self, x: Tensor<2>) -> Rows<'_> {
        match self {
            Self::General { weight, bias: Bias::Device(bias) } => {
                Rows { x: x.matmul((**weight).clone()), shift: Some(bias) }
            }
            Self::General { bias: Bias::Plain(_), .. } | Self::FewRows(_) => {
                self.forward(x, Activation::None).into()
            }
        }
    }
}

/// Computes the layer norm of each row of `rows + before`, plus `after`, both of the shape of `rows`.
pub fn normalise<'a>(
    norm: &LayerNorm,
    rows: impl Into<Rows<'a>>,
    before: Option<Tensor<2>>,
    after: Option<Tensor<2>>,
) -> Tensor<2> {
    let Rows { x, shift } = rows.into();
    if gpu::has_kernels(&x.device()) {
        return gpu::normalise(norm, x, Added { shift, before, after });
    }
    let (weight, bias) = (norm.weight.val(), norm.bias.val());
    onto(module::layer_norm(onto(x, before), weight, Some(bias), norm.eps()), after)
}
