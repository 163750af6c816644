//! The few layers that the encoders and the decoder share, with weights laid out as PyTorch stores them.
//!
//! Keeping PyTorch's layout (a linear layer's weight is `[out, in]`) means that a checkpoint is used as it
//! lies in its file: nothing is transposed on loading or on export, and a training step changes the same
//! numbers as in the authors' code.

use burn::module::{Initializer, Module, Param};
use burn::tensor::module::{self, conv_transpose2d};
use burn::tensor::ops::{AttentionModuleOptions, ConvOptions, ConvTransposeOptions};
use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::cpu;

/// `y = x Wᵀ + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out, in]`
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// Weights uniform in ±1/√in, as PyTorch draws them.
    pub fn new(input: usize, output: usize, device: &Device) -> Self {
        let bound = 1.0 / (input as f64).sqrt();
        Self { weight: uniform([output, input], bound, device), bias: uniform([output], bound, device) }
    }

    /// `[.., in]` → `[.., out]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut dims = x.dims();
        let input = dims[D - 1];
        let rows = dims[..D - 1].iter().product::<usize>();
        let [output] = self.bias.dims();
        dims[D - 1] = output;
        let y = x.reshape([rows, input]).matmul(self.weight.val().transpose());
        (y + self.bias.val().unsqueeze::<2>()).reshape(dims)
    }
}

/// Layer norm over the last axis.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `[channels]`
    pub weight: Param<Tensor<1>>,
    /// `[channels]`
    pub bias: Param<Tensor<1>>,
    eps: f64,
}

impl LayerNorm {
    /// Weight 1, bias 0.
    pub fn new(channels: usize, eps: f64, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            eps,
        }
    }

    /// Added to the variance.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// `[.., channels]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        module::layer_norm(x, self.weight.val(), Some(self.bias.val()), self.eps)
    }
}

/// Two-dimensional convolution.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[out, in / groups, k, k]`
    pub weight: Param<Tensor<4>>,
    /// `[out]`, where the layer has one.
    pub bias: Option<Param<Tensor<1>>>,
    stride: usize,
    padding: usize,
    groups: usize,
}

/// The numbers of a [`Conv2d`].
#[derive(Clone, Copy, Debug)]
pub struct ConvShape {
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
    /// Groups; equal to the channels for a depthwise convolution.
    pub groups: usize,
}

impl Conv2d {
    /// Weights uniform in ±1/√fan-in, as PyTorch draws them.
    pub fn new(shape: ConvShape, has_bias: bool, device: &Device) -> Self {
        let ConvShape { input, output, kernel, stride, padding, groups } = shape;
        let bound = 1.0 / ((input / groups * kernel * kernel) as f64).sqrt();
        Self {
            weight: uniform([output, input / groups, kernel, kernel], bound, device),
            bias: has_bias.then(|| uniform([output], bound, device)),
            stride,
            padding,
            groups,
        }
    }

    /// `[batch, in, h, w]` → `[batch, out, h', w']`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (s, p) = (self.stride, self.padding);
        let options = ConvOptions::new([s, s], [p, p], [1, 1], self.groups);
        module::conv2d(x, self.weight.val(), self.bias.as_ref().map(Param::val), options)
    }
}

/// Transposed convolution, kernel 2, stride 2, no bias.
#[derive(Module, Debug)]
pub struct Upsample2 {
    /// `[in, out, 2, 2]`
    pub weight: Param<Tensor<4>>,
}

impl Upsample2 {
    /// Weights uniform in ±1/√(4 out), as PyTorch draws them.
    pub fn new(input: usize, output: usize, device: &Device) -> Self {
        Self { weight: uniform([input, output, 2, 2], 1.0 / ((output * 4) as f64).sqrt(), device) }
    }

    /// `[batch, in, n, n]` → `[batch, out, 2n, 2n]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvTransposeOptions::new([2, 2], [0, 0], [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.weight.val(), None, options)
    }
}

/// Multi-head attention with one stacked projection for query, key and value, as PyTorch's.
#[derive(Module, Debug)]
pub struct Attention {
    /// `[3 channels, channels]`: query, key, value.
    pub in_proj_weight: Param<Tensor<2>>,
    /// `[3 channels]`
    pub in_proj_bias: Param<Tensor<1>>,
    /// Output projection.
    pub out_proj: Linear,
    heads: usize,
}

impl Attention {
    /// Xavier-uniform projections and zero biases, as PyTorch draws them.
    pub fn new(channels: usize, heads: usize, device: &Device) -> Self {
        let mut out_proj = Linear::new(channels, channels, device);
        out_proj.bias = Initializer::Zeros.init([channels], device);
        let bound = (6.0 / (4 * channels) as f64).sqrt();
        Self {
            in_proj_weight: uniform([3 * channels, channels], bound, device),
            in_proj_bias: Initializer::Zeros.init([3 * channels], device),
            out_proj,
            heads,
        }
    }

    /// Number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Query `[batch, n, channels]`, key and value `[batch, m, channels]` → `[batch, n, channels]`
    pub fn forward(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Tensor<3> {
        let [_, _, channels] = query.dims();
        let weight = self.in_proj_weight.val();
        let bias = self.in_proj_bias.val();
        let project = |x: Tensor<3>, part: usize| {
            let [batch, length, _] = x.dims();
            let rows = part * channels..(part + 1) * channels;
            let y = x.reshape([batch * length, channels]).matmul(weight.clone().slice([rows.clone()]).transpose())
                + bias.clone().slice([rows]).unsqueeze::<2>();
            y.reshape([batch, length, channels])
        };
        let mixed = attend(project(query, 0), project(key, 1), project(value, 2), self.heads, None);
        self.out_proj.forward(mixed)
    }
}

/// Scaled dot-product attention over `heads` heads of already projected `[batch, length, channels]`.
///
/// `masked` is true where a key must not be seen, `[batch, heads, n, m]`.
pub fn attend(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    masked: Option<Tensor<4, Bool>>,
) -> Tensor<3> {
    let [batch, length, channels] = query.dims();
    if masked.is_none() && cpu::is_cpu(&query.device()) {
        return cpu::attend(query, key, value, heads);
    }
    let split = |x: Tensor<3>| {
        let [_, length, _] = x.dims();
        x.reshape([batch, length, heads, channels / heads]).swap_dims(1, 2)
    };
    let (query, key, value) = (split(query), split(key), split(value));
    let mixed = module::attention(query, key, value, masked, None, AttentionModuleOptions::default());
    mixed.swap_dims(1, 2).reshape([batch, length, channels])
}

/// A parameter drawn uniformly from ±`bound`.
pub fn uniform<const D: usize>(shape: [usize; D], bound: f64, device: &Device) -> Param<Tensor<D>> {
    Initializer::Uniform { min: -bound, max: bound }.init(shape, device)
}

/// Channels first to channels last: `[batch, c, h, w]` → `[batch, h, w, c]`
pub fn to_channels_last(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 2, 3, 1])
}

/// Channels last to channels first: `[batch, h, w, c]` → `[batch, c, h, w]`
pub fn to_channels_first(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 3, 1, 2])
}

/// Sine and cosine in turn over the channels, base 10000: `[1, length, channels]`.
pub fn sine_positions(length: usize, channels: usize, device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(sine_table(length, channels), [1, length, channels]), device)
}

/// The values of that table, row-major over positions and channels.
pub fn sine_table(length: usize, channels: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(length * channels);
    for position in 0..length {
        for channel in 0..channels {
            // The frequency is taken in f32 as the authors' table is, the angle then in f64.
            let exponent = -(10_000f32.ln()) / channels as f32 * (channel / 2 * 2) as f32;
            let angle = f64::from(position as f32 * exponent.exp());
            values.push(if channel % 2 == 0 { angle.sin() } else { angle.cos() } as f32);
        }
    }
    values
}
