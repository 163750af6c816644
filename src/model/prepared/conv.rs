//! 3×3 convolutions as matrix products, and the up block and head built from them.

use burn::nn::BatchNorm;
use burn::tensor::{Device, Tensor};

use super::linear::pack;
use crate::model::blocks::head::{self, ENLARGE, Head};
use crate::model::blocks::up_block::UpBlock;
use crate::model::cpu::conv::{PackedUp, TAPS};
use crate::model::cpu::product::PackedWeights;
use crate::model::cpu::{self, Activation};
use crate::model::gpu;
use crate::model::layers::Conv2d;

/// A 3×3 convolution over channels-last positions with zero padding.
#[derive(Debug)]
pub enum Conv3 {
    /// On the CPU, where each position of the kernel reads the image where it is.
    Packed(PackedWeights),
    /// On a GPU, where starting a product costs more than copying its input nine times.
    Gpu {
        /// The weight, `[9 in, out]`, by rows, columns and channels.
        weight: Box<Tensor<2>>,
        /// The bias, `[1, out]`.
        bias: Box<Tensor<2>>,
    },
}

impl Conv3 {
    /// Creates a convolution for `device` from `weight`, `[out, in, 3, 3]`.
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, device: &Device) -> Self {
        if !gpu::has_kernels(device) {
            return Self::Packed(packed(weight, bias));
        }
        let weight = by_taps(weight).to_device(device).transpose();
        Self::Gpu { weight: Box::new(weight), bias: Box::new(bias.unsqueeze().to_device(device)) }
    }

    /// Maps `[n², in]` to `[n², out]`.
    pub fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::convolution(x, n, weights, activation),
            Self::Gpu { weight, bias } => {
                gpu::finish(gpu::neighbourhoods(x, n).matmul((**weight).clone()), bias, activation, None)
            }
        }
    }
}

/// Maps a weight `[out, in, 3, 3]` to `[out, 9 in]`, by rows, columns and channels.
fn by_taps(weight: Tensor<4>) -> Tensor<2> {
    let [output, input, _, _] = weight.dims();
    weight.permute([0, 2, 3, 1]).reshape([output, TAPS * input])
}

/// Packs the weight `[out, in, 3, 3]` with the taps in row-major order.
fn packed(weight: Tensor<4>, bias: Tensor<1>) -> PackedWeights {
    pack(by_taps(weight), bias, TAPS)
}

/// The up block, prepared for prediction.
#[derive(Debug)]
pub enum PreparedUp {
    /// On the CPU, as one operation.
    Packed(PackedUp),
    /// On a GPU.
    Gpu {
        /// The transposed convolution, `[C, 4·C/2]`, with its four kernel positions side by side.
        upsample: Box<Tensor<2>>,
        /// The weight and the bias of the convolution of the raised values and the skip connection, as those of
        /// [`Conv3::Gpu`].
        first: Box<(Tensor<2>, Tensor<2>)>,
        /// The convolution after it.
        second: Conv3,
    },
}

/// Folds a batch norm into the convolution before it. Returns weight and bias.
fn fold(conv: Conv2d, norm: &BatchNorm) -> (Tensor<4>, Tensor<1>) {
    let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let bias = norm.beta.val() - norm.running_mean.value() * scale.clone();
    let [output] = scale.dims();
    (conv.weight.into_value() * scale.reshape([output, 1, 1, 1]), bias)
}

impl PreparedUp {
    /// Folds the norms into the convolutions.
    pub fn of(up: UpBlock, device: &Device) -> Self {
        let upsample = up.transp_conv.weight.into_value();
        let [input, output, _, _] = upsample.dims();
        let ((weight1, bias1), (weight2, bias2)) = (fold(up.conv1, &up.norm1), fold(up.conv2, &up.norm2));
        if !gpu::has_kernels(device) {
            let none = Tensor::zeros([4 * output], &upsample.device());
            return Self::Packed(PackedUp {
                raise: pack(upsample.permute([2, 3, 1, 0]).reshape([4 * output, input]), none, 1),
                first: packed(weight1, bias1),
                second: packed(weight2, bias2),
            });
        }
        let upsample = upsample.permute([0, 2, 3, 1]).reshape([input, 4 * output]);
        let first = (by_taps(weight1).to_device(device).transpose(), bias1.unsqueeze::<2>().to_device(device));
        Self::Gpu {
            upsample: Box::new(upsample.to_device(device)),
            first: Box::new(first),
            second: Conv3::new(weight2, bias2, device),
        }
    }

    /// Maps `[n², C]` and the skip connection `[4n², C/2]` to `[4n², C/2]`.
    pub fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let (upsample, first, second) = match self {
            Self::Packed(weights) => return cpu::up_block(x, skip, n, weights),
            Self::Gpu { upsample, first, second } => (upsample, first, second),
        };
        let raised = x.matmul((**upsample).clone());
        let (weight, bias) = &**first;
        let x = gpu::raised_neighbourhoods(raised, skip, 2 * n).matmul(weight.clone());
        second.forward(gpu::finish(x, bias, Activation::LeakyRelu, None), 2 * n, Activation::LeakyRelu)
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
        if let Conv3::Gpu { weight, bias } = &self.conv {
            let product = gpu::neighbourhoods(x, n).matmul((**weight).clone());
            return gpu::shuffle_and_blur(product, bias, &self.bias, n);
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
    use burn::tensor::activation::leaky_relu;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, module};

    use super::*;
    use crate::model::blocks::up_block::LEAK;
    use crate::model::prepared::{to_planes, to_positions};

    fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar::<f32>()
    }

    #[test]
    fn the_product_is_the_convolution() {
        let device = Device::flex();
        for (input, output, n) in [(3, 5, 4), (5, 3, 7), (1, 1, 1), (40, 70, 9)] {
            let draw = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
            let (weight, image) = (draw([output, input, 3, 3]), draw([1, input, n, n]));
            let bias = Tensor::<1>::random([output], Distribution::Uniform(-1.0, 1.0), &device);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let expected = module::conv2d(image.clone(), weight.clone(), Some(bias.clone()), options);
            let ours =
                to_planes(Conv3::new(weight, bias, &device).forward(to_positions(image), n, Activation::None), n);
            let apart = difference(ours, expected);
            assert!(apart < 1e-4, "it differs by {apart} with {input} to {output} channels");
        }
    }

    #[test]
    fn the_operation_is_the_up_block() {
        let device = Device::flex();
        let (channels, n) = (12, 5);
        let mut up = UpBlock::new(channels, &device);
        // Statistics and scales that do something.
        let draw = || Tensor::<1>::random([channels / 2], Distribution::Uniform(0.5, 1.5), &device);
        for norm in [&mut up.norm1, &mut up.norm2] {
            norm.running_mean.update(draw());
            norm.running_var.update(draw());
            let _ = (norm.running_mean.value_sync(), norm.running_var.value_sync());
            norm.gamma = norm.gamma.clone().map(|_| draw());
            norm.beta = norm.beta.clone().map(|_| draw() - 1.0);
        }
        let image = |c, n| Tensor::<4>::random([1, c, n, n], Distribution::Uniform(-1.0, 1.0), &device);
        let (x, skip) = (image(channels, n), image(channels / 2, 2 * n));
        let expected = up.forward(x.clone(), skip.clone());
        assert!(
            difference(expected.clone(), leaky_relu(expected.clone(), LEAK)) > 0.0,
            "some values are negative"
        );
        let prepared = PreparedUp::of(up, &device);
        let ours = prepared.forward(to_positions(x), to_positions(skip), n);
        let apart = difference(to_planes(ours, 2 * n), expected);
        assert!(apart < 1e-4, "it differs by {apart}");
    }
}
