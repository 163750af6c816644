//! The sub-pixel head, which maps features at a quarter of the image's side length to one logit per pixel.

use burn::module::{Initializer, Module, Param, ParamId};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, PadMode};
use burn::tensor::{Device, Tensor, module};

use crate::model::cpu;
use crate::model::layers::{Conv2d, ConvShape};
use crate::model::remote::permuted;
use crate::model::trace::Trace;

/// The upsampling factor of the head.
pub const ENLARGE: usize = 4;

/// A 3×3 convolution, pixel shuffle, average pooling and a 1×1 convolution.
#[derive(Module, Debug)]
pub struct Head {
    /// The 3×3 convolution from C to 16 × sub-pixel channels.
    pub conv: Conv2d,
    /// The 1×1 convolution from the sub-pixel channels to one logit.
    pub out: Conv2d,
}

impl Head {
    /// Creates a head for `input` channels with `channels` sub-pixel channels. The weights follow PyTorch's
    /// default initialisation.
    pub fn new(input: usize, channels: usize, device: &Device) -> Self {
        let wide = channels * ENLARGE * ENLARGE;
        let three = ConvShape { input, output: wide, kernel: 3, stride: 1, padding: 1, groups: 1 };
        let one = ConvShape { input: channels, output: 1, kernel: 1, stride: 1, padding: 0, groups: 1 };
        Self { conv: Conv2d::new(three, true, device), out: Conv2d::new(one, true, device) }
    }

    /// The same head, but the sub-pixels of a channel begin with the same weights of the 3×3 convolution, drawn from
    /// Kaiming's normal distribution of the fan-in (ICNR; Aitken et al., "Checkerboard artifact free sub-pixel
    /// convolution", 2017).
    pub fn with_equal_subpixels(input: usize, channels: usize, device: &Device) -> Self {
        let mut head = Self::new(input, channels, device);
        let places = ENLARGE * ENLARGE;
        let std = (2.0 / (9 * input) as f64).sqrt();
        let init = move |device: &Device, is_trained: bool| {
            let one: Param<Tensor<4>> =
                Initializer::Normal { mean: 0.0, std }.init([channels, input, 3, 3], device);
            let all = one.val().inner().unsqueeze_dim::<5>(1).repeat_dim(1, places);
            let all = all.reshape([channels * places, input, 3, 3]);
            let all = if device.is_autodiff() { Tensor::from_inner(all) } else { all };
            all.set_require_grad(is_trained)
        };
        let shape = [channels * places, input, 3, 3].into();
        head.conv.weight = Param::uninitialized(ParamId::new(), init, device.clone(), true, shape);
        head
    }

    /// Maps `[batch, C, side/4, side/4]` to logits `[batch, 1, side, side]`.
    ///
    /// The order of operations is that of the paper only if the trace records the sub-pixel tensor. Otherwise the
    /// 1×1 convolution, which commutes with the mean and the shuffle, is merged into the weights of the 3×3
    /// convolution. This gives the same logits and gradients from one channel instead of 24.
    pub fn forward(&self, x: Tensor<4>, trace: &mut Trace) -> Tensor<4> {
        if trace.is_on() {
            let pooled = blur(shuffle(self.conv.forward(x)));
            trace.record("subpixel", &pooled);
            return self.out.forward(pooled);
        }
        let (weight, bias, last) = self.composed();
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let fine = module::conv2d(x, weight, Some(bias), options);
        blur(shuffle(fine)) + last.reshape([1, 1, 1, 1])
    }

    /// Merges the 1×1 convolution into the 3×3 convolution. Returns the weight `[16, C, 3, 3]`, the bias `[16]`
    /// and the bias `[1]` that is added last.
    pub(in crate::model) fn composed(&self) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
        let weight = self.conv.weight.val();
        let [wide, input, height, width] = weight.dims();
        let (places, channels) = (ENLARGE * ENLARGE, wide / (ENLARGE * ENLARGE));
        let device = weight.device();
        let out = self.out.weight.val().reshape([1, channels]);
        let mixed = out.clone().matmul(weight.reshape([channels, places * input * height * width]));
        let bias = match &self.conv.bias {
            Some(bias) => out.matmul(bias.val().reshape([channels, places])).reshape([places]),
            None => Tensor::zeros([places], &device),
        };
        let last = match &self.out.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([1], &device),
        };
        (mixed.reshape([places, input, height, width]), bias, last)
    }
}

/// Pixel shuffle from `[batch, 16 c, n, n]` to `[batch, c, 4n, 4n]`.
pub(in crate::model) fn shuffle(x: Tensor<4>) -> Tensor<4> {
    let [batch, wide, height, width] = x.dims();
    let channels = wide / (ENLARGE * ENLARGE);
    let parts = x.reshape([batch, channels, ENLARGE, ENLARGE, height, width]);
    permuted(parts, [0, 1, 4, 2, 5, 3]).reshape([batch, channels, height * ENLARGE, width * ENLARGE])
}

/// Pads with zeros on the left and top, then takes a 4×4 mean with stride 1. The size is kept, and the
/// checkerboard pattern of the pixel shuffle is removed.
pub fn blur(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let pad = ENLARGE - 1;
    let padded = x.pad([(0, 0), (0, 0), (pad, 0), (pad, 0)], PadMode::Constant(0.0));
    if cpu::is_cpu(&padded.device()) {
        let options = AvgPoolOptions::new([ENLARGE, ENLARGE]).with_stride([1, 1]);
        return module::avg_pool2d(padded, options);
    }
    // On a GPU, burn's fusion merges operations with the pooling before them into a kernel that gives wrong values
    // (seen on software Vulkan with sigmoid). Sums of shifted tensors give the same mean.
    let sum = |x: &Tensor<4>, axis: usize, length: usize| {
        (1..ENLARGE)
            .fold(x.clone().narrow(axis, 0, length), |sum, shift| sum + x.clone().narrow(axis, shift, length))
    };
    sum(&sum(&padded, 2, height), 3, width) / (ENLARGE * ENLARGE) as f64
}
