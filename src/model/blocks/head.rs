//! The sub-pixel head: features at a quarter of the side to one logit a pixel.

use burn::module::Module;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, PadMode};
use burn::tensor::{Device, Tensor, module};

use crate::model::layers::{Conv2d, ConvShape};
use crate::model::trace::Trace;

/// Factor by which the head enlarges.
pub const ENLARGE: usize = 4;

/// 3×3 convolution, pixel shuffle, average pool, 1×1 convolution.
#[derive(Module, Debug)]
pub struct Head {
    /// C → 16 × sub-pixel channels
    pub conv: Conv2d,
    /// Sub-pixel channels → 1
    pub out: Conv2d,
}

impl Head {
    /// From `input` channels over `channels` sub-pixel channels; weights as PyTorch draws them.
    pub fn new(input: usize, channels: usize, device: &Device) -> Self {
        let wide = channels * ENLARGE * ENLARGE;
        let three = ConvShape { input, output: wide, kernel: 3, stride: 1, padding: 1, groups: 1 };
        let one = ConvShape { input: channels, output: 1, kernel: 1, stride: 1, padding: 0, groups: 1 };
        Self { conv: Conv2d::new(three, true, device), out: Conv2d::new(one, true, device) }
    }

    /// `[batch, C, side/4, side/4]` → logits `[batch, 1, side, side]`
    ///
    /// As written in the paper only where the sub-pixel tensor is asked for. Otherwise the 1×1 convolution, which
    /// commutes with mean and shuffle, goes into the weights of the first: the same logits and gradients from one
    /// channel instead of 24.
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

    /// The 3×3 convolution with the 1×1 convolution in it: weight `[16, C, 3, 3]`, bias `[16]`, and the bias `[1]` that
    /// is added last.
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

/// Pixel shuffle: `[batch, 16 c, n, n]` → `[batch, c, 4n, 4n]`
pub(in crate::model) fn shuffle(x: Tensor<4>) -> Tensor<4> {
    let [batch, wide, height, width] = x.dims();
    let channels = wide / (ENLARGE * ENLARGE);
    x.reshape([batch, channels, ENLARGE, ENLARGE, height, width]).permute([0, 1, 4, 2, 5, 3]).reshape([
        batch,
        channels,
        height * ENLARGE,
        width * ENLARGE,
    ])
}

/// Zeros on the left and top, then a 4×4 mean with stride 1: the same size, without the shuffle's checkerboard.
pub(in crate::model) fn blur(x: Tensor<4>) -> Tensor<4> {
    let pad = ENLARGE - 1;
    let padded = x.pad([(0, 0), (0, 0), (pad, 0), (pad, 0)], PadMode::Constant(0.0));
    let options = AvgPoolOptions::new([ENLARGE, ENLARGE]).with_stride([1, 1]);
    module::avg_pool2d(padded, options)
}
