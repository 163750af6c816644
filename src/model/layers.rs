//! The basic layers of the encoders and the decoder, with weights in PyTorch's layout.
//!
//! With PyTorch's layout (the weight of a linear layer is `[out, in]`), a checkpoint is used as it is stored:
//! neither loading nor export transposes anything, and a training step changes the same values as in the authors'
//! code.

use burn::module::{Initializer, Module, Param};
use burn::nn::Dropout;
use burn::tensor::activation;
use burn::tensor::module::{self, conv_transpose2d};
use burn::tensor::ops::{AttentionModuleOptions, ConvOptions, ConvTransposeOptions};
use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::remote::permuted;
use super::{cpu, part};

/// A linear layer, `y = x Wᵀ + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// The weight, `[out, in]`.
    pub weight: Param<Tensor<2>>,
    /// The bias, `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// Creates a layer with values drawn uniformly from ±1/√in, as in PyTorch.
    pub fn new(input: usize, output: usize, device: &Device) -> Self {
        let bound = 1.0 / (input as f64).sqrt();
        Self { weight: uniform([output, input], bound, device), bias: uniform([output], bound, device) }
    }

    /// Maps `[.., in]` to `[.., out]`.
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

/// A layer norm over the last axis.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// The scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// The offset, `[channels]`.
    pub bias: Param<Tensor<1>>,
    eps: f64,
}

impl LayerNorm {
    /// Creates a norm with weight 1 and bias 0.
    pub fn new(channels: usize, eps: f64, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            eps,
        }
    }

    /// The value added to the variance.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// Normalises `[.., channels]`; the shape is kept.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let device = x.device();
        if device.is_autodiff() && cpu::is_cpu(&device) {
            return cpu::layer_norm(x, self.weight.val(), self.bias.val(), self.eps);
        }
        module::layer_norm(x, self.weight.val(), Some(self.bias.val()), self.eps)
    }
}

/// A two-dimensional convolution.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// The weight, `[out, in / groups, k, k]`.
    pub weight: Param<Tensor<4>>,
    /// The bias, `[out]`, if the layer has one.
    pub bias: Option<Param<Tensor<1>>>,
    stride: usize,
    padding: usize,
    groups: usize,
}

/// The sizes of a [`Conv2d`].
#[derive(Clone, Copy, Debug)]
pub struct ConvShape {
    /// The number of input channels.
    pub input: usize,
    /// The number of output channels.
    pub output: usize,
    /// The side length of the kernel.
    pub kernel: usize,
    /// The stride.
    pub stride: usize,
    /// The number of zeros added on every side.
    pub padding: usize,
    /// The number of groups, which equals the number of channels for a depthwise convolution.
    pub groups: usize,
}

impl Conv2d {
    /// Creates a layer with values drawn uniformly from ±1/√fan-in, as in PyTorch.
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

    /// Maps `[batch, in, h, w]` to `[batch, out, h', w']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (s, p) = (self.stride, self.padding);
        let [output, _, kernel, _] = self.weight.dims();
        let bias = self.bias.as_ref().map(Param::val);
        let device = x.device();
        // The library is slower, above all in the gradient of the kernel.
        if cpu::is_cpu(&device) && self.groups == 1 {
            if s == 1 && kernel % 2 == 1 && p == kernel / 2 {
                let bias = bias.unwrap_or_else(|| Tensor::zeros([output], &device));
                return cpu::convolution_same(x, self.weight.val(), bias);
            }
            if s == kernel && p == 0 {
                return patches(x, self.weight.val(), bias);
            }
        }
        let options = ConvOptions::new([s, s], [p, p], [1, 1], self.groups);
        module::conv2d(x, self.weight.val(), bias, options)
    }
}

/// A convolution whose stride is the side of its kernel `[out, in, k, k]`, as a product: maps `[batch, in, h, w]` to
/// `[batch, out, h / k, w / k]`.
fn patches(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let ([batch, input, height, width], [output, _, k, _]) = (x.dims(), weight.dims());
    let (h, w) = (height / k, width / k);
    let x = x.slice([0..batch, 0..input, 0..h * k, 0..w * k]).reshape([batch, input, h, k, w, k]);
    let x = permuted(x, [0, 2, 4, 1, 3, 5]).reshape([batch * h * w, input * k * k]);
    let y = x.matmul(weight.reshape([output, input * k * k]).transpose());
    let y = match bias {
        Some(bias) => y + bias.unsqueeze::<2>(),
        None => y,
    };
    to_channels_first(y.reshape([batch, h, w, output]))
}

/// A transposed convolution with kernel size 2 and stride 2.
#[derive(Module, Debug)]
pub struct Upsample2 {
    /// The weight, `[in, out, 2, 2]`.
    pub weight: Param<Tensor<4>>,
    /// The bias, `[out]`, if the layer has one.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Upsample2 {
    /// Creates a layer with values drawn uniformly from ±1/√(4 out), as in PyTorch.
    pub fn new(input: usize, output: usize, has_bias: bool, device: &Device) -> Self {
        let bound = 1.0 / ((output * 4) as f64).sqrt();
        Self {
            weight: uniform([input, output, 2, 2], bound, device),
            bias: has_bias.then(|| uniform([output], bound, device)),
        }
    }

    /// Maps `[batch, in, n, n]` to `[batch, out, 2n, 2n]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        let device = x.device();
        if cpu::is_cpu(&device) {
            // As a product, whose gradient is one too.
            let ([batch, input, h, w], [_, output, ..]) = (x.dims(), self.weight.dims());
            let y = to_channels_last(x).reshape([batch * h * w, input]);
            let y = y.matmul(self.weight.val().reshape([input, 4 * output]));
            let y = y.reshape([batch, h, w, output, 2, 2]).permute([0, 3, 1, 4, 2, 5]);
            let y = y.reshape([batch, output, 2 * h, 2 * w]);
            return match bias {
                Some(bias) => y + bias.reshape([1, output, 1, 1]),
                None => y,
            };
        }
        let options = ConvTransposeOptions::new([2, 2], [0, 0], [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.weight.val(), bias, options)
    }
}

/// The matrix, `[2n, n]`, that doubles `n` values by linear interpolation from corner to corner.
pub fn interpolation(n: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; 2 * n * n];
    for (line, (before, after, weight)) in values.chunks_exact_mut(n.max(1)).zip(cpu::conv::between(n)) {
        line[before] += 1.0 - weight;
        line[after] += weight;
    }
    Tensor::from_data(TensorData::new(values, [2 * n, n]), device)
}

/// Doubles the grid by bilinear interpolation from corner to corner (PyTorch's `align_corners`): `[batch, C, n, n]` to
/// `[batch, C, 2n, 2n]`. As products, it has gradients on every device.
pub fn double(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, n, _] = x.dims();
    let matrix = interpolation(n, &x.device()).transpose();
    let along = x.reshape([batch * channels * n, n]).matmul(matrix.clone());
    let turned = along.reshape([batch * channels, n, 2 * n]).swap_dims(1, 2);
    let both = turned.reshape([batch * channels * 2 * n, n]).matmul(matrix);
    both.reshape([batch * channels, 2 * n, 2 * n]).swap_dims(1, 2).reshape([batch, channels, 2 * n, 2 * n])
}

/// Multi-head attention with one stacked projection for query, key and value, as in PyTorch.
#[derive(Module, Debug)]
pub struct Attention {
    /// The stacked weights of query, key and value, `[3 channels, channels]`.
    pub in_proj_weight: Param<Tensor<2>>,
    /// The stacked biases, `[3 channels]`.
    pub in_proj_bias: Param<Tensor<1>>,
    /// The output projection.
    pub out_proj: Linear,
    heads: usize,
}

impl Attention {
    /// Creates a layer with Xavier-uniform projections and zero biases, as in PyTorch.
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

    /// The number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Maps query `[batch, n, channels]`, key and value `[batch, m, channels]` to `[batch, n, channels]`.
    pub fn forward(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Tensor<3> {
        let [query, key, value] = self.project(query, key, value);
        self.out_proj.forward(attend(query, key, value, self.heads, None))
    }

    /// Computes [`Self::forward`] with dropout of the attention's weights in training.
    pub fn forward_dropping(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        dropout: &Dropout,
    ) -> Tensor<3> {
        let [query, key, value] = self.project(query, key, value);
        self.out_proj.forward(attend_dropping(query, key, value, self.heads, dropout))
    }

    fn project(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> [Tensor<3>; 3] {
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
        [project(query, 0), project(key, 1), project(value, 2)]
    }
}

/// Scaled dot-product attention with `heads` heads of already projected tensors `[batch, length, channels]`.
///
/// `masked`, `[batch, heads, n, m]`, is true for keys that a query must not attend to.
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

/// [`attend`] with dropout of the weights in training, `[batch, heads · n, m]`.
fn attend_dropping(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    dropout: &Dropout,
) -> Tensor<3> {
    if !is_dropping(dropout, &query.device()) {
        return attend(query, key, value, heads, None);
    }
    let [batch, length, channels] = query.dims();
    let split = |x: Tensor<3>| {
        let [_, length, _] = x.dims();
        x.reshape([batch, length, heads, channels / heads]).swap_dims(1, 2)
    };
    let (query, key, value) = (split(query), split(key), split(value));
    let [_, _, others, width] = key.dims();
    let weights = activation::softmax(query.matmul(key.swap_dims(2, 3)) / (width as f64).sqrt(), 3);
    let weights = drop_out(dropout, weights.reshape([batch, heads * length, others]));
    let mixed = weights.reshape([batch, heads, length, others]).matmul(value);
    mixed.swap_dims(1, 2).reshape([batch, length, channels])
}

fn is_dropping(layer: &Dropout, device: &Device) -> bool {
    device.is_autodiff() && layer.training.is_enabled() && layer.prob > 0.0
}

/// The exact GELU.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if cpu::is_cpu(&x.device()) {
        return cpu::exact_gelu(x);
    }
    activation::gelu(x)
}

/// Applies dropout, `[batch, length, channels]`. In the pass over a part of a batch, its random numbers do not depend on
/// how the batch is divided ([`part::dropout_factors`]).
pub fn drop_out(layer: &Dropout, x: Tensor<3>) -> Tensor<3> {
    let (device, shape) = (x.device(), x.dims());
    let [batch, length, channels] = shape;
    if is_dropping(layer, &device)
        && let Some(factors) = part::dropout_factors(batch, length * channels, layer.prob)
    {
        return x * Tensor::from_data(TensorData::new(factors, shape), &device);
    }
    layer.forward(x)
}

/// Creates a parameter with values drawn uniformly from ±`bound`.
pub fn uniform<const D: usize>(shape: [usize; D], bound: f64, device: &Device) -> Param<Tensor<D>> {
    Initializer::Uniform { min: -bound, max: bound }.init(shape, device)
}

/// Converts channels first, `[batch, c, h, w]`, to channels last, `[batch, h, w, c]`.
pub fn to_channels_last(x: Tensor<4>) -> Tensor<4> {
    permuted(x, [0, 2, 3, 1])
}

/// Converts channels last, `[batch, h, w, c]`, to channels first, `[batch, c, h, w]`.
pub fn to_channels_first(x: Tensor<4>) -> Tensor<4> {
    permuted(x, [0, 3, 1, 2])
}

/// The sine position table with base 10000 and sine and cosine alternating over the channels,
/// `[1, length, channels]`.
pub fn sine_positions(length: usize, channels: usize, device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(sine_table(length, channels), [1, length, channels]), device)
}

/// The values of [`sine_positions`], row-major over positions and channels.
pub fn sine_table(length: usize, channels: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(length * channels);
    for position in 0..length {
        for channel in 0..channels {
            // The frequency is computed in f32 like the authors' table, the sine and cosine of the angle in f64.
            let exponent = -(10_000f32.ln()) / channels as f32 * (channel / 2 * 2) as f32;
            let angle = f64::from(position as f32 * exponent.exp());
            values.push(if channel % 2 == 0 { angle.sin() } else { angle.cos() } as f32);
        }
    }
    values
}
