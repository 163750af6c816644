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
use crate::model::layers::{Conv2d, Upsample2};

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
    fn new(weight: Tensor<4>, bias: Tensor<1>, device: &Device) -> Self {
        if !gpu::has_kernels(device) {
            return Self::Packed(packed(weight, bias));
        }
        let weight = by_taps(weight).to_device(device).transpose();
        Self::Gpu { weight: Box::new(weight), bias: Box::new(bias.unsqueeze().to_device(device)) }
    }

    /// Maps `[n², in]` to `[n², out]`.
    fn forward(&self, x: Tensor<2>, n: usize, activation: Activation) -> Tensor<2> {
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
        /// The transposed convolution, `[C, 4·C/2]`, with its four kernel positions side by side, and its bias,
        /// `[1, 4·C/2]`, if it has one.
        upsample: Box<(Tensor<2>, Option<Tensor<2>>)>,
        /// The weight and the bias of the convolution of the raised values and the skip connection, as those of
        /// [`Conv3::Gpu`].
        first: Box<(Tensor<2>, Tensor<2>)>,
        /// The convolution after it, if there is one.
        second: Option<Conv3>,
        /// The activation after each of the two.
        activation: Activation,
    },
}

/// The layers of an up block of any network: the transposed convolution, and one or two convolutions with a batch norm and
/// the activation.
#[derive(Debug)]
pub struct Raised {
    /// The transposed convolution.
    pub raise: Upsample2,
    /// The convolution of the raised values and the skip connection.
    pub first: (Conv2d, BatchNorm),
    /// The convolution after it, if there is one.
    pub second: Option<(Conv2d, BatchNorm)>,
    /// The activation after each of the two.
    pub activation: Activation,
}

/// Folds a batch norm into the convolution before it. Returns weight and bias.
fn fold((conv, norm): (Conv2d, BatchNorm)) -> (Tensor<4>, Tensor<1>) {
    let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let before = match conv.bias {
        Some(bias) => bias.into_value() - norm.running_mean.value(),
        None => -norm.running_mean.value(),
    };
    let bias = norm.beta.val() + before * scale.clone();
    let [output] = scale.dims();
    (conv.weight.into_value() * scale.reshape([output, 1, 1, 1]), bias)
}

impl PreparedUp {
    /// Folds the norms into the convolutions.
    pub fn of(up: UpBlock, device: &Device) -> Self {
        let UpBlock { transp_conv, conv1, norm1, conv2, norm2 } = up;
        let (first, second) = ((conv1, norm1), Some((conv2, norm2)));
        Self::of_layers(Raised { raise: transp_conv, first, second, activation: Activation::LeakyRelu }, device)
    }

    /// Folds the norms of another up block into its convolutions.
    pub fn of_layers(up: Raised, device: &Device) -> Self {
        let Raised { raise: Upsample2 { weight, bias }, first, second, activation } = up;
        let upsample = weight.into_value();
        let [input, output, _, _] = upsample.dims();
        // The same bias at each of the four positions.
        let bias = bias.map(|bias| bias.into_value().unsqueeze::<2>().repeat_dim(0, 4).reshape([4 * output]));
        let ((weight1, bias1), second) = (fold(first), second.map(fold));
        if !gpu::has_kernels(device) {
            let bias = bias.unwrap_or_else(|| Tensor::zeros([4 * output], &upsample.device()));
            return Self::Packed(PackedUp {
                raise: pack(upsample.permute([2, 3, 1, 0]).reshape([4 * output, input]), bias, 1),
                first: packed(weight1, bias1),
                second: second.map(|(weight, bias)| packed(weight, bias)),
                activation,
            });
        }
        let upsample = upsample.permute([0, 2, 3, 1]).reshape([input, 4 * output]).to_device(device);
        let bias = bias.map(|bias| bias.unsqueeze::<2>().to_device(device));
        let first = (by_taps(weight1).to_device(device).transpose(), bias1.unsqueeze::<2>().to_device(device));
        Self::Gpu {
            upsample: Box::new((upsample, bias)),
            first: Box::new(first),
            second: second.map(|(weight, bias)| Conv3::new(weight, bias, device)),
            activation,
        }
    }

    /// Maps `[n², C]` and the skip connection `[4n², C/2]` to `[4n², C/2]`.
    pub fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let (upsample, first, second, activation) = match self {
            Self::Packed(weights) => return cpu::up_block(x, skip, n, weights),
            Self::Gpu { upsample, first, second, activation } => (upsample, first, second, *activation),
        };
        let raised = x.matmul(upsample.0.clone());
        let raised = match &upsample.1 {
            Some(bias) => gpu::finish(raised, bias, Activation::None, None),
            None => raised,
        };
        let (weight, bias) = &**first;
        let x = gpu::raised_neighbourhoods(raised, skip, 2 * n).matmul(weight.clone());
        let x = gpu::finish(x, bias, activation, None);
        match second {
            Some(second) => second.forward(x, 2 * n, activation),
            None => x,
        }
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
