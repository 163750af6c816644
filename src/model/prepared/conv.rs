//! 3×3 convolutions as matrix products over shifted rows, and the up block and head built from them.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;

use super::linear::Bias;
use crate::model::blocks::head::{self, ENLARGE, Head};
use crate::model::blocks::up_block::UpBlock;
use crate::model::cpu::Activation;
use crate::model::layers::Conv2d;

/// A 3×3 convolution over channels-last positions with zero padding.
#[derive(Debug)]
pub struct Conv3 {
    /// One matrix `[in, out]` for each position of the kernel in row-major order, or one `[3 in, out]` for each
    /// kernel row.
    taps: Vec<Tensor<2>>,
    bias: Bias,
}

impl Conv3 {
    /// Creates a convolution from `weight`, `[out, in, 3, 3]`.
    fn new(weight: Tensor<4>, bias: Tensor<1>) -> Self {
        let [output, input, _, _] = weight.dims();
        // Three products over three times the depth are more efficient than nine, but their input has to be
        // rearranged. That is worthwhile if there are no more input than output channels.
        let count = if input <= output { 3 } else { 9 };
        let places = weight.permute([2, 3, 1, 0]).reshape([count, 9 / count * input, output]);
        let taps = (0..count).map(|place| places.clone().slice([place..place + 1]).squeeze_dim(0)).collect();
        Self { taps, bias: Bias::new(bias) }
    }

    /// Maps `[n², in]` to `[n², out]`.
    ///
    /// The grid is padded with zeros so that the input of every kernel position is one contiguous range of rows.
    /// Each row of the result then ends with two values that belong to no pixel and are cut off.
    fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        let [_, input] = x.dims();
        let wide = n + 2;
        // The bottom padding has two rows instead of one because the last range extends two positions beyond the
        // padded grid.
        let padded = x
            .reshape([n, n, input])
            .pad([(1, 2), (1, 1), (0, 0)], PadMode::Constant(0.0))
            .reshape([(n + 3) * wide, input]);
        let run = |x: &Tensor<2>, start: usize, rows: usize| x.clone().slice([start..start + rows]);
        let sum = if self.taps.len() == 3 {
            let side_by_side = Tensor::cat((0..3).map(|column| run(&padded, column, (n + 2) * wide)).collect(), 1);
            let term = |row: usize| run(&side_by_side, row * wide, n * wide).matmul(self.taps[row].clone());
            term(0) + term(1) + term(2)
        } else {
            let term = |place: usize| {
                run(&padded, (place / 3) * wide + place % 3, n * wide).matmul(self.taps[place].clone())
            };
            (1..9).fold(term(0), |sum, place| sum + term(place))
        };
        let [_, output] = sum.dims();
        let inner = sum.reshape([n, wide, output]).slice([0..n, 0..n]).reshape([n * n, output]);
        self.bias.apply(inner, activation)
    }
}

/// The up block, prepared for prediction.
#[derive(Debug)]
pub struct PreparedUp {
    /// The transposed convolution, `[C, 4·C/2]`, with its four kernel positions side by side.
    upsample: Tensor<2>,
    conv1: Conv3,
    conv2: Conv3,
}

/// Folds a batch norm into the convolution before it.
fn fold(conv: &Conv2d, norm: &BatchNorm) -> Conv3 {
    let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let bias = norm.beta.val() - norm.running_mean.value() * scale.clone();
    let [output] = scale.dims();
    Conv3::new(conv.weight.val() * scale.reshape([output, 1, 1, 1]), bias)
}

impl PreparedUp {
    /// Folds the norms into the convolutions.
    pub fn of(up: &UpBlock) -> Self {
        let [input, output, _, _] = up.transp_conv.weight.dims();
        Self {
            upsample: up.transp_conv.weight.val().permute([0, 2, 3, 1]).reshape([input, 4 * output]),
            conv1: fold(&up.conv1, &up.norm1),
            conv2: fold(&up.conv2, &up.norm2),
        }
    }

    /// Maps `[n², C]` and the skip connection `[4n², C/2]` to `[4n², C/2]`.
    pub fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let [_, half] = skip.dims();
        let raised = x
            .matmul(self.upsample.clone())
            .reshape([n, n, 2, 2 * half])
            .swap_dims(1, 2)
            .reshape([4 * n * n, half]);
        let x = Tensor::cat(vec![raised, skip], 1);
        let x = self.conv1.forward(x, 2 * n, Activation::LeakyRelu);
        self.conv2.forward(x, 2 * n, Activation::LeakyRelu)
    }
}

/// The head, prepared for prediction.
#[derive(Debug)]
pub struct PreparedHead {
    conv: Conv3,
    bias: Tensor<1>,
}

impl PreparedHead {
    /// Takes the composed convolution of the head.
    pub fn of(head: &Head) -> Self {
        let (weight, bias, last) = head.composed();
        Self { conv: Conv3::new(weight, bias), bias: last }
    }

    /// Maps `[n², C]` to logits `[1, 1, 4n, 4n]`.
    pub fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<4> {
        let fine = self
            .conv
            .forward(x, n, Activation::None)
            .reshape([n, n, ENLARGE, ENLARGE])
            .swap_dims(1, 2)
            .reshape([1, 1, ENLARGE * n, ENLARGE * n]);
        head::blur(fine) + self.bias.clone().reshape([1, 1, 1, 1])
    }
}
