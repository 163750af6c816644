//! 3×3 convolutions as matrix products over shifted rows, and the up block and head built from them.

use burn::nn::BatchNorm;
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};

use super::linear::Bias;
use crate::model::blocks::head::{self, ENLARGE, Head};
use crate::model::blocks::up_block::UpBlock;
use crate::model::cpu::Activation;
use crate::model::gpu;
use crate::model::layers::Conv2d;

/// A 3×3 convolution over channels-last positions with zero padding.
#[derive(Debug)]
pub struct Conv3 {
    taps: Taps,
    bias: Bias,
}

/// The weights of a convolution, arranged for its device.
#[derive(Debug)]
enum Taps {
    /// One matrix `[in, out]` for each position of the kernel in row-major order: nine products that read the image
    /// where it is.
    Nine(Vec<Tensor<2>>),
    /// One matrix `[3 in, out]` for each kernel row. Three products over three times the depth are more efficient than
    /// nine, but their input has to be rearranged, which is worthwhile if there are no more input than output
    /// channels.
    Three(Vec<Tensor<2>>),
    /// One matrix `[9 in, out]`, by rows, columns and channels. On a GPU, starting a product costs more than copying its
    /// input nine times.
    One(Box<Tensor<2>>),
}

impl Conv3 {
    /// Creates a convolution for `device` from `weight`, `[out, in, 3, 3]`.
    fn new(weight: Tensor<4>, bias: Tensor<1>, device: &Device) -> Self {
        let [output, input, _, _] = weight.dims();
        let bias = Bias::new(bias, device);
        if gpu::has_kernels(device) {
            let weight = weight.permute([0, 2, 3, 1]).reshape([output, 9 * input]).to_device(device).transpose();
            return Self { taps: Taps::One(Box::new(weight)), bias };
        }
        let count = if input <= output { 3 } else { 9 };
        let places = weight.permute([2, 3, 1, 0]).reshape([count, 9 / count * input, output]);
        let taps = (0..count).map(|place| places.clone().slice([place..place + 1]).squeeze_dim(0)).collect();
        Self { taps: if count == 3 { Taps::Three(taps) } else { Taps::Nine(taps) }, bias }
    }

    /// Maps `[n², in]` to `[n², out]`.
    fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        self.bias.apply(self.product(x, n), activation, None)
    }

    /// Computes [`Self::forward`] without bias and activation.
    fn product(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        match &self.taps {
            Taps::One(weight) => gpu::neighbourhoods(x, n).matmul((**weight).clone()),
            Taps::Three(taps) | Taps::Nine(taps) => by_shifted_rows(x, n, taps),
        }
    }

    /// Maps the raised tensor `[n²/4, 4·in/2]`, which holds 2×2 squares, and the skip connection `[n², in/2]` to
    /// `[n², out]`.
    fn forward_raised(&self, raised: Tensor<2>, skip: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        let [_, half] = skip.dims();
        match &self.taps {
            Taps::One(weight) => {
                let product = gpu::raised_neighbourhoods(raised, skip, n).matmul((**weight).clone());
                self.bias.apply(product, activation, None)
            }
            Taps::Three(_) | Taps::Nine(_) => {
                let raised = raised.reshape([n / 2, n / 2, 2, 2 * half]).swap_dims(1, 2).reshape([n * n, half]);
                self.forward(Tensor::cat(vec![raised, skip], 1), n, activation)
            }
        }
    }
}

/// Maps `[n², in]` to `[n², out]` with one matrix for each position or row of the kernel.
///
/// The grid is padded with zeros so that the input of every kernel position is one contiguous range of rows. Each row
/// of the result then ends with two values that belong to no pixel and are cut off.
fn by_shifted_rows(x: Tensor<2>, n: usize, taps: &[Tensor<2>]) -> Tensor<2> {
    let [_, input] = x.dims();
    let wide = n + 2;
    // The bottom padding has two rows instead of one because the last range extends two positions beyond the padded
    // grid.
    let padded = x
        .reshape([n, n, input])
        .pad([(1, 2), (1, 1), (0, 0)], PadMode::Constant(0.0))
        .reshape([(n + 3) * wide, input]);
    let run = |x: &Tensor<2>, start: usize, rows: usize| x.clone().slice([start..start + rows]);
    let sum = if taps.len() == 3 {
        let side_by_side = Tensor::cat((0..3).map(|column| run(&padded, column, (n + 2) * wide)).collect(), 1);
        let term = |row: usize| run(&side_by_side, row * wide, n * wide).matmul(taps[row].clone());
        term(0) + term(1) + term(2)
    } else {
        let term =
            |place: usize| run(&padded, (place / 3) * wide + place % 3, n * wide).matmul(taps[place].clone());
        (1..9).fold(term(0), |sum, place| sum + term(place))
    };
    let [_, output] = sum.dims();
    sum.reshape([n, wide, output]).slice([0..n, 0..n]).reshape([n * n, output])
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
fn fold(conv: &Conv2d, norm: &BatchNorm, device: &Device) -> Conv3 {
    let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let bias = norm.beta.val() - norm.running_mean.value() * scale.clone();
    let [output] = scale.dims();
    Conv3::new(conv.weight.val() * scale.reshape([output, 1, 1, 1]), bias, device)
}

impl PreparedUp {
    /// Folds the norms into the convolutions.
    pub fn of(up: &UpBlock, device: &Device) -> Self {
        let [input, output, _, _] = up.transp_conv.weight.dims();
        let upsample = up.transp_conv.weight.val().permute([0, 2, 3, 1]).reshape([input, 4 * output]);
        Self {
            upsample: upsample.to_device(device),
            conv1: fold(&up.conv1, &up.norm1, device),
            conv2: fold(&up.conv2, &up.norm2, device),
        }
    }

    /// Maps `[n², C]` and the skip connection `[4n², C/2]` to `[4n², C/2]`.
    pub fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let raised = x.matmul(self.upsample.clone());
        let x = self.conv1.forward_raised(raised, skip, 2 * n, Activation::LeakyRelu);
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
    pub fn of(head: &Head, device: &Device) -> Self {
        let (weight, bias, last) = head.composed();
        Self { conv: Conv3::new(weight, bias, device), bias: last.to_device(device) }
    }

    /// Maps `[n², C]` to logits `[1, 1, 4n, 4n]`.
    pub fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<4> {
        if let Bias::Device(bias) = &self.conv.bias {
            return gpu::shuffle_and_blur(self.conv.product(x, n), bias, &self.bias, n);
        }
        let fine = self
            .conv
            .forward(x, n, Activation::None)
            .reshape([n, n, ENLARGE, ENLARGE])
            .swap_dims(1, 2)
            .reshape([1, 1, ENLARGE * n, ENLARGE * n]);
        head::blur(fine) + self.bias.clone().reshape([1, 1, 1, 1])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, module};

    use super::*;
    use crate::model::prepared::{to_planes, to_positions};

    #[test]
    fn every_arrangement_is_the_convolution() {
        let device = Device::flex();
        for (input, output, n) in [(3, 5, 4), (5, 3, 7), (1, 1, 1)] {
            let draw = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
            let (weight, image) = (draw([output, input, 3, 3]), draw([1, input, n, n]));
            let bias = Tensor::<1>::random([output], Distribution::Uniform(-1.0, 1.0), &device);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let expected = module::conv2d(image.clone(), weight.clone(), Some(bias.clone()), options);
            let conv = Conv3::new(weight, bias, &device);
            let ours = to_planes(conv.forward(to_positions(image), n, Activation::None), n);
            let difference = (ours - expected).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-5, "{:?} differs by {difference}", conv.taps);
        }
    }
}
