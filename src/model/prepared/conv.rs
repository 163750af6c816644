//! 3×3 convolutions as matrix products, and the up block and head built from them.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;

use super::linear::{activate, pack};
use crate::model::blocks::head::{self, ENLARGE, Head};
use crate::model::blocks::up_block::UpBlock;
use crate::model::cpu::conv::{PackedUp, TAPS};
use crate::model::cpu::product::PackedWeights;
use crate::model::cpu::{self, Activation};
use crate::model::layers::Conv2d;

/// A 3×3 convolution over channels-last positions with zero padding.
#[derive(Debug)]
pub enum Conv3 {
    /// On the CPU, where each position of the kernel reads the image where it is.
    Packed(PackedWeights),
    /// On a GPU, where starting a product costs more than copying its input nine times.
    Device {
        /// The weight, `[9 in, out]`.
        weight: Box<Tensor<2>>,
        /// The bias, `[1, out]`.
        bias: Box<Tensor<2>>,
    },
}

impl Conv3 {
    /// Creates a convolution from `weight`, `[out, in, 3, 3]`.
    fn new(weight: Tensor<4>, bias: Tensor<1>) -> Self {
        let [output, input, _, _] = weight.dims();
        if cpu::is_plain_cpu(&weight.device()) {
            return Self::Packed(packed(weight, bias));
        }
        let weight = weight.reshape([output, TAPS * input]).transpose();
        Self::Device { weight: Box::new(weight), bias: Box::new(bias.unsqueeze()) }
    }

    /// Maps `[n², in]` to `[n², out]`.
    fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::convolution(x, n, weights, activation),
            Self::Device { weight, bias } => {
                activate(patches(x, n).matmul((**weight).clone()) + (**bias).clone(), activation)
            }
        }
    }
}

/// Packs the weight `[out, in, 3, 3]` with the taps in row-major order.
fn packed(weight: Tensor<4>, bias: Tensor<1>) -> PackedWeights {
    let [output, input, _, _] = weight.dims();
    pack(weight.permute([0, 2, 3, 1]).reshape([output, TAPS * input]), bias, TAPS)
}

/// Maps `[n², in]` to the 3×3 neighbourhood of each position, `[n², 9 in]`, with zeros outside.
fn patches(x: Tensor<2>, n: usize) -> Tensor<2> {
    let [_, input] = x.dims();
    let padded: Tensor<3> = x.reshape([n, n, input]).pad([(1, 1), (1, 1), (0, 0)], PadMode::Constant(0.0));
    let windows: Tensor<5> = padded.unfold::<4, _>(0, 3, 1).unfold(1, 3, 1);
    windows.reshape([n * n, 9 * input])
}

/// The up block, prepared for prediction.
#[derive(Debug)]
pub enum PreparedUp {
    /// On the CPU, as one operation.
    Packed(PackedUp),
    /// On a GPU.
    Device {
        /// The transposed convolution, `[C, 4·C/2]`, with its four kernel positions side by side.
        upsample: Box<Tensor<2>>,
        /// The convolution of the raised values and the skip connection.
        conv1: Conv3,
        /// The convolution after it.
        conv2: Conv3,
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
    pub fn of(up: UpBlock) -> Self {
        let upsample = up.transp_conv.weight.into_value();
        let [input, output, _, _] = upsample.dims();
        let is_cpu = cpu::is_plain_cpu(&upsample.device());
        let ((weight1, bias1), (weight2, bias2)) = (fold(up.conv1, &up.norm1), fold(up.conv2, &up.norm2));
        if is_cpu {
            let none = Tensor::zeros([4 * output], &upsample.device());
            return Self::Packed(PackedUp {
                raise: pack(upsample.permute([2, 3, 1, 0]).reshape([4 * output, input]), none, 1),
                first: packed(weight1, bias1),
                second: packed(weight2, bias2),
            });
        }
        Self::Device {
            upsample: Box::new(upsample.permute([0, 2, 3, 1]).reshape([input, 4 * output])),
            conv1: Conv3::new(weight1, bias1),
            conv2: Conv3::new(weight2, bias2),
        }
    }

    /// Maps `[n², C]` and the skip connection `[4n², C/2]` to `[4n², C/2]`.
    pub fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let (upsample, conv1, conv2) = match self {
            Self::Packed(weights) => return cpu::up_block(x, skip, n, weights),
            Self::Device { upsample, conv1, conv2 } => (upsample, conv1, conv2),
        };
        let [_, half] = skip.dims();
        let raised =
            x.matmul((**upsample).clone()).reshape([n, n, 2, 2 * half]).swap_dims(1, 2).reshape([4 * n * n, half]);
        let x = Tensor::cat(vec![raised, skip], 1);
        let x = conv1.forward(x, 2 * n, Activation::LeakyRelu);
        conv2.forward(x, 2 * n, Activation::LeakyRelu)
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

#[cfg(test)]
mod tests {
    use burn::tensor::activation::leaky_relu;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Distribution, module};

    use super::*;
    use crate::model::blocks::up_block::LEAK;
    use crate::model::prepared::{to_planes, to_positions};

    fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar::<f32>()
    }

    #[test]
    fn every_arrangement_is_the_convolution() {
        let device = Device::flex();
        for (input, output, n) in [(3, 5, 4), (5, 3, 7), (1, 1, 1), (40, 70, 9)] {
            let draw = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
            let (weight, image) = (draw([output, input, 3, 3]), draw([1, input, n, n]));
            let bias = Tensor::<1>::random([output], Distribution::Uniform(-1.0, 1.0), &device);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let expected = module::conv2d(image.clone(), weight.clone(), Some(bias.clone()), options);
            let on_cpu = Conv3::new(weight.clone(), bias.clone());
            assert!(matches!(on_cpu, Conv3::Packed(_)));
            let weight = Box::new(weight.reshape([output, TAPS * input]).transpose());
            let on_gpu = Conv3::Device { weight, bias: Box::new(bias.unsqueeze()) };
            for (name, conv) in [("packed", on_cpu), ("device", on_gpu)] {
                let ours = to_planes(conv.forward(to_positions(image.clone()), n, Activation::None), n);
                let apart = difference(ours, expected.clone());
                assert!(apart < 1e-4, "{name} differs by {apart} with {input} to {output} channels");
            }
        }
    }

    #[test]
    fn both_arrangements_are_the_up_block() {
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
        let on_cpu = PreparedUp::of(up.clone());
        assert!(matches!(on_cpu, PreparedUp::Packed(_)));
        let upsample = up.transp_conv.weight.val().permute([0, 2, 3, 1]).reshape([channels, 2 * channels]);
        let conv = |(weight, bias): (Tensor<4>, Tensor<1>)| {
            let [output, input, _, _] = weight.dims();
            let weight = Box::new(weight.reshape([output, TAPS * input]).transpose());
            Conv3::Device { weight, bias: Box::new(bias.unsqueeze()) }
        };
        let (conv1, conv2) = (conv(fold(up.conv1, &up.norm1)), conv(fold(up.conv2, &up.norm2)));
        let on_gpu = PreparedUp::Device { upsample: Box::new(upsample), conv1, conv2 };
        for (name, prepared) in [("packed", on_cpu), ("device", on_gpu)] {
            let ours = prepared.forward(to_positions(x.clone()), to_positions(skip.clone()), n);
            let apart = difference(to_planes(ours, 2 * n), expected.clone());
            assert!(apart < 1e-4, "{name} differs by {apart}");
        }
    }
}
