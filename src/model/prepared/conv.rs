//! 3×3 convolutions as matrix products, and the up block and head built from them.

use burn::module::Param;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::linear::{by_quarters, pack};
use crate::model::Target;
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::blocks::head::{self, ENLARGE, Head};
use crate::model::blocks::up_block::UpBlock;
use crate::model::cpu::conv::{PackedRaise, PackedUp, TAPS};
use crate::model::cpu::product::PackedWeights;
use crate::model::cpu::{self, Activation};
use crate::model::gpu::{self, Operand, Weight};
use crate::model::layers::{Conv2d, Upsample2, interpolation};
use crate::model::remote::permuted;

/// A 3×3 convolution over channels-last positions with zero padding.
#[derive(Debug)]
pub enum Conv3 {
    /// On the CPU, where each position of the kernel reads the image where it is.
    Packed(PackedWeights),
    /// On a GPU, where starting a product costs more than copying its input nine times.
    Gpu {
        /// The weight, `[9 in, out]`, by rows, columns and channels.
        weight: Box<Weight>,
        /// The bias, `[1, out]`.
        bias: Box<Tensor<2>>,
    },
}

impl Conv3 {
    /// Takes over a convolution and its batch norm for `device`.
    pub fn of(block: ConvNorm, target: &Target) -> Self {
        let (weight, bias) = fold(block.conv, &block.norm);
        Self::new(weight, bias, target)
    }

    /// Creates a convolution for `device` from `weight`, `[out, in, 3, 3]`, and `bias`, `[out]`.
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, target: &Target) -> Self {
        if !gpu::accepts(&target.device) {
            return Self::Packed(packed(weight, bias));
        }
        let weight = Weight::of_rows(by_taps(weight), target);
        Self::Gpu { weight: Box::new(weight), bias: Box::new(bias.unsqueeze().to_device(&target.device)) }
    }

    /// Maps `[n², in]` to `[n², out]`.
    pub fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
        match self {
            Self::Packed(weights) => cpu::convolution(x, n, weights, activation),
            Self::Gpu { weight, bias } => {
                gpu::finish(weight.multiply(gpu::neighbourhoods(x, n, weight.is_half())), bias, activation, None)
            }
        }
    }
}

/// Maps a weight `[out, in, 3, 3]` to `[out, 9 in]`, by rows, columns and channels.
fn by_taps(weight: Tensor<4>) -> Tensor<2> {
    let [output, input, _, _] = weight.dims();
    permuted(weight, [0, 2, 3, 1]).reshape([output, TAPS * input])
}

/// Packs the weight `[out, in, 3, 3]` with the taps in row-major order.
fn packed(weight: Tensor<4>, bias: Tensor<1>) -> PackedWeights {
    pack(by_taps(weight), bias, TAPS)
}

/// How an up block doubles its grid.
#[derive(Debug)]
pub enum Raise {
    /// By a transposed convolution.
    Learned(Box<Upsample2>),
    /// By bilinear interpolation from corner to corner.
    Bilinear,
}

/// How an up block doubles its grid on a GPU.
#[derive(Debug)]
pub enum GpuRaise {
    /// By a transposed convolution, `[in, 4·channels]`, with its four kernel positions side by side, and its bias,
    /// `[1, 4·channels]`.
    Learned(Box<(Weight, Option<Tensor<2>>)>),
    /// By bilinear interpolation.
    Bilinear,
}

/// An up block, prepared for prediction: it doubles the grid, appends the skip connection and has one or two
/// convolutions.
#[derive(Debug)]
pub enum PreparedUp {
    /// On the CPU, as one operation.
    Packed(PackedUp),
    /// On a GPU.
    Gpu {
        /// How the grid is doubled.
        raise: GpuRaise,
        /// The convolution of the raised values and the skip connection.
        first: Conv3,
        /// The convolution after it, if there is one.
        second: Option<Conv3>,
        /// The activation after each of the two.
        activation: Activation,
    },
}

/// The weight of a convolution and its bias, which is zero if there is none.
pub fn weight_and_bias(conv: Conv2d) -> (Tensor<4>, Tensor<1>) {
    let weight = conv.weight.into_value();
    let [output, ..] = weight.dims();
    let bias = conv.bias.map_or_else(|| Tensor::zeros([output], &weight.device()), Param::into_value);
    (weight, bias)
}

/// The factor and the offset, `[out]` each, that replace a batch norm after a layer with this bias.
pub fn factor_and_offset(norm: &BatchNorm, bias: Option<Tensor<1>>) -> (Tensor<1>, Tensor<1>) {
    let factor = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let mean = match bias {
        Some(bias) => norm.running_mean.value() - bias,
        None => norm.running_mean.value(),
    };
    let offset = norm.beta.val() - mean * factor.clone();
    (factor, offset)
}

/// Folds a batch norm into the convolution before it. Returns weight and bias.
pub fn fold(conv: Conv2d, norm: &BatchNorm) -> (Tensor<4>, Tensor<1>) {
    let (scale, bias) = factor_and_offset(norm, conv.bias.map(Param::into_value));
    let [output] = scale.dims();
    (conv.weight.into_value() * scale.reshape([output, 1, 1, 1]), bias)
}

impl PreparedUp {
    /// Prepares the block of a text-guided decoder.
    pub fn of(up: UpBlock, target: &Target) -> Self {
        let (first, second) = (fold(up.conv1, &up.norm1), fold(up.conv2, &up.norm2));
        Self::new(Raise::Learned(Box::new(up.transp_conv)), first, Some(second), Activation::LeakyRelu, target)
    }

    /// Prepares a block from the weights, `[out, in, 3, 3]`, and biases, `[out]`, of its one or two convolutions, into which
    /// their norms are folded.
    pub fn new(
        raise: Raise,
        first: (Tensor<4>, Tensor<1>),
        second: Option<(Tensor<4>, Tensor<1>)>,
        activation: Activation,
        target: &Target,
    ) -> Self {
        if !gpu::accepts(&target.device) {
            let raise = match raise {
                Raise::Learned(layer) => {
                    let (weight, bias) = by_quarters(*layer);
                    let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[0]], &weight.device()));
                    PackedRaise::Learned(pack(weight, bias, 1))
                }
                Raise::Bilinear => PackedRaise::Bilinear,
            };
            let first = packed(first.0, first.1);
            let second = second.map(|(weight, bias)| packed(weight, bias));
            return Self::Packed(PackedUp { raise, first, second, activation });
        }
        let raise = match raise {
            Raise::Learned(layer) => {
                let (weight, bias) = by_quarters(*layer);
                let bias = bias.map(|bias| bias.unsqueeze::<2>().to_device(&target.device));
                GpuRaise::Learned(Box::new((Weight::of(weight.transpose(), target), bias)))
            }
            Raise::Bilinear => GpuRaise::Bilinear,
        };
        Self::Gpu {
            raise,
            first: Conv3::new(first.0, first.1, target),
            second: second.map(|(weight, bias)| Conv3::new(weight, bias, target)),
            activation,
        }
    }

    /// Maps `[n², in]` and the skip connection, `[4n², channels]`, to `[4n², out]`. A transposed convolution makes as many
    /// channels as the skip connection has.
    pub fn forward(&self, x: impl Into<Operand>, skip: Option<Tensor<2>>, n: usize) -> Tensor<2> {
        let x = x.into();
        let (raise, first, second, activation) = match self {
            Self::Packed(weights) => return cpu::up_block(x.into_inner(), skip, n, weights),
            Self::Gpu { raise, first, second, activation } => (raise, first, second, *activation),
        };
        let x = match (raise, skip, first) {
            (GpuRaise::Learned(learned), Some(skip), Conv3::Gpu { weight, bias }) => {
                let (upsample, of_raised) = &**learned;
                let raised = upsample.multiply(x);
                let raised = match of_raised {
                    Some(bias) => gpu::finish(raised, bias, Activation::None, None),
                    None => raised,
                };
                let x = gpu::raised_neighbourhoods(raised, skip, 2 * n, weight.is_half());
                gpu::finish(weight.multiply(x), bias, activation, None)
            }
            (GpuRaise::Learned(learned), skip, first) => {
                let (upsample, of_raised) = &**learned;
                let [_, channels] = upsample.dims();
                let raised = upsample.multiply(x);
                let raised = of_raised.iter().fold(raised, |raised, bias| raised + bias.clone());
                let raised = raised.reshape([n, n, 2, channels / 2]).swap_dims(1, 2);
                first.forward(appended(raised.reshape([4 * n * n, channels / 4]), skip), 2 * n, activation)
            }
            (GpuRaise::Bilinear, skip, first) => {
                first.forward(appended(enlarged(x.into_single(), n), skip), 2 * n, activation)
            }
        };
        match second {
            Some(second) => second.forward(x, 2 * n, activation),
            None => x,
        }
    }
}

/// Appends the channels of the skip connection, if there is one.
fn appended(x: Tensor<2>, skip: Option<Tensor<2>>) -> Tensor<2> {
    match skip {
        Some(skip) => Tensor::cat(vec![x, skip], 1),
        None => x,
    }
}

/// Doubles the grid by bilinear interpolation from corner to corner: `[n², C]` to `[4n², C]`.
fn enlarged(x: Tensor<2>, n: usize) -> Tensor<2> {
    let [_, channels] = x.dims();
    let matrix = interpolation(n, &x.device());
    let rows = matrix.clone().matmul(x.reshape([n, n * channels])).reshape([2 * n, n, channels]);
    let matrix = matrix.unsqueeze::<3>().expand([2 * n, 2 * n, n]);
    matrix.matmul(rows).reshape([4 * n * n, channels])
}

/// The head, prepared for prediction.
#[derive(Debug)]
pub struct PreparedHead {
    conv: Conv3,
    bias: Tensor<1>,
}

impl PreparedHead {
    /// Takes the composed convolution of the head.
    pub fn of(head: &Head, target: &Target) -> Self {
        let (weight, bias, last) = head.composed();
        Self { conv: Conv3::new(weight, bias, target), bias: last.to_device(&target.device) }
    }

    /// Maps `[n², C]` to logits `[1, 1, 4n, 4n]`.
    pub fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<4> {
        if let Conv3::Gpu { weight, bias } = &self.conv {
            let product = weight.multiply(gpu::neighbourhoods(x, n, weight.is_half()));
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
    use burn::tensor::{Device, Distribution, module};

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
            let ours = to_planes(
                Conv3::new(weight, bias, &Target::single(&device)).forward(
                    to_positions(image),
                    n,
                    Activation::None,
                ),
                n,
            );
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
        let prepared = PreparedUp::of(up, &Target::single(&device));
        let ours = prepared.forward(to_positions(x), Some(to_positions(skip)), n);
        let apart = difference(to_planes(ours, 2 * n), expected);
        assert!(apart < 1e-4, "it differs by {apart}");
    }

    #[test]
    fn an_interpolated_block_is_its_definition() {
        let device = Device::flex();
        for (channels, of_skip, n) in [(5, 3, 4), (2, 0, 7), (3, 2, 1)] {
            let draw = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
            let bias = || Tensor::<1>::random([4], Distribution::Uniform(-1.0, 1.0), &device);
            let weights = [(draw([4, channels + of_skip, 3, 3]), bias()), (draw([4, 4, 3, 3]), bias())];
            let x = draw([1, channels, n, n]);
            let skip = (of_skip > 0).then(|| draw([1, of_skip, 2 * n, 2 * n]));
            let mut expected = crate::model::layers::double(x.clone());
            if let Some(skip) = &skip {
                expected = Tensor::cat(vec![expected, skip.clone()], 1);
            }
            for (weight, bias) in &weights {
                let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
                let sums = module::conv2d(expected, weight.clone(), Some(bias.clone()), options);
                expected = burn::tensor::activation::relu(sums);
            }
            assert!(
                difference(
                    to_planes(enlarged(to_positions(x.clone()), n), 2 * n),
                    crate::model::layers::double(x.clone())
                ) < 1e-5
            );
            let [first, second] = weights;
            let prepared =
                PreparedUp::new(Raise::Bilinear, first, Some(second), Activation::Relu, &Target::single(&device));
            let ours = prepared.forward(to_positions(x), skip.map(to_positions), n);
            let apart = difference(to_planes(ours, 2 * n), expected);
            assert!(apart < 1e-4, "it differs by {apart}");
        }
    }
}
