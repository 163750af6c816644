//! Our kernels for a GPU against the same operations of burn on the CPU, at sizes that no number of units divides.

use burn::tensor::activation::{gelu, leaky_relu, relu, softmax};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, PadMode};
use burn::tensor::{DType, Device, Distribution, Tensor, module};
use himix::device::{self, DeviceChoice};
use himix::model::Target;
use himix::model::cpu::Activation;
use himix::model::gpu::{self, Added, Attended, Operand, Weight};
use himix::model::layers::LayerNorm;

use super::assert_close;
use crate::common::{self, Child, Need};

const TOLERANCE: f32 = 1e-4;
/// The largest difference in half precision: a rounding is at most 2⁻¹¹ of a number.
const HALF: f32 = 1e-3;

#[test]
fn our_kernels_compute_what_burn_computes() {
    println!("{}", Child::with_little_tuning("kernels::in_a_child").run());
}

/// The CPU, which draws the inputs and computes what is expected, and the GPU.
struct Devices {
    cpu: Device,
    gpu: Device,
}

impl Devices {
    fn draw<const D: usize>(&self, shape: [usize; D]) -> [Tensor<D>; 2] {
        let drawn = Tensor::<D>::random(shape, Distribution::Uniform(-1.0, 1.0), &self.cpu);
        [drawn.clone(), Tensor::from_data(drawn.into_data(), &self.gpu)]
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

fn assert_same<const D: usize>(ours: Tensor<D>, expected: Tensor<D>, what: &str) {
    assert_eq!(ours.dims(), expected.dims(), "{what}");
    assert_close(&values(ours), &values(expected), TOLERANCE, what);
}

/// What a kernel has stored in half precision is what it stores in single precision.
fn assert_rounded(ours: Operand, expected: impl Into<Operand>, what: &str) {
    let (ours, expected) = (ours.into_inner(), expected.into().into_inner());
    assert_eq!((ours.dims(), ours.dtype()), (expected.dims(), DType::F16), "{what}");
    assert_eq!(expected.dtype(), DType::F32, "{what}");
    assert_close(&values(ours), &values(expected), HALF, &format!("{what} in half precision"));
}

#[test]
#[ignore = "run by our_kernels_compute_what_burn_computes"]
fn in_a_child() {
    if device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let open = device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    let has_half = open.offers_half();
    let devices = Devices { cpu: Device::flex(), gpu: open.device };
    assert!(gpu::accepts(&devices.gpu) && !gpu::accepts(&devices.cpu));
    norms(&devices);
    biases(&devices);
    self_attention(&devices);
    cross_attention(&devices);
    depthwise(&devices);
    neighbourhoods(&devices);
    head(&devices);
    if !has_half {
        return common::skip(Need::Installable, "the adapter has no half precision");
    }
    products(&devices);
    rounded_outputs(&devices);
    what_is_too_large(&devices);
}

fn products(devices: &Devices) {
    let target = Target::half(&devices.gpu);
    for (rows, input, output) in [(1, 7, 5), (24, 96, 192), (196, 64, 33)] {
        let ([x, gx], [weight, _]) = (devices.draw([rows, input]), devices.draw([input, output]));
        let expected = values(x.matmul(weight.clone()));
        for half in [Weight::of(weight.clone(), &target), Weight::of_rows(weight.clone().transpose(), &target)] {
            assert!(half.is_half() && half.dims() == [input, output]);
            let product = half.multiply(gx.clone());
            assert_eq!((product.dims(), product.dtype()), ([rows, output], DType::F32));
            assert_close(&values(product), &expected, HALF, "product in half precision");
        }
    }
    // A weight with a number that half precision cannot hold.
    let ([x, gx], [weight, _]) = (devices.draw([3, 8]), devices.draw([8, 4]));
    let weight = weight * 1e6;
    let single = Weight::of(weight.clone(), &target);
    assert!(!single.is_half());
    assert_same(single.multiply(gx.clone()), x.matmul(weight.clone()), "product of large weights");
    let around = |x: Tensor<2>, is_half| gpu::neighbourhoods(x, 2, is_half);
    let ([_, gx], [weight, _]) = (devices.draw([4, 2]), devices.draw([18, 4]));
    let large = Weight::of(weight * 1e6, &target);
    let expected = values(large.multiply(around(gx.clone(), false)));
    assert_close(&values(large.multiply(around(gx, true))), &expected, HALF, "rounded inputs of large weights");
}

fn rounded_outputs(devices: &Devices) {
    let [_, x] = devices.draw([49, 36]);
    let [_, other] = devices.draw([49, 36]);
    let [_, row] = devices.draw([1, 36]);
    let norm = LayerNorm::new(36, 1e-5, &devices.gpu);
    for added in [
        Added::default(),
        Added { shift: Some(&row), before: Some(other.clone()), after: None },
        Added { shift: None, before: None, after: Some(other.clone()) },
    ] {
        let expected = gpu::normalise(&norm, x.clone(), added.clone());
        let (same, rounded) = gpu::normalise_twice(&norm, x.clone(), added);
        assert_eq!(values(same), values(expected.clone()), "the single precision is the same");
        assert_rounded(rounded, expected, "norm");
    }
    for activation in [Activation::None, Activation::Gelu, Activation::Relu, Activation::LeakyRelu] {
        for residual in [None, Some(other.clone())] {
            let expected = gpu::finish(x.clone(), &row, activation, residual.clone());
            let rounded = gpu::finish_rounded(x.clone(), &row, activation, residual);
            assert_rounded(rounded, expected, &format!("{activation:?}"));
        }
    }
    let [_, bias] = devices.draw([1, 36]);
    let attend = |is_half| gpu::attend(Attended::itself(x.clone(), &bias), None, 12, 3, is_half);
    assert_rounded(attend(true), attend(false), "attention");
    let around = |is_half| gpu::neighbourhoods(x.clone(), 7, is_half);
    assert_rounded(around(true), around(false), "neighbourhoods");
    let ([_, raised], [_, skip]) = (devices.draw([9, 20]), devices.draw([36, 5]));
    let around = |is_half| gpu::raised_neighbourhoods(raised.clone(), skip.clone(), 6, is_half);
    assert_rounded(around(true), around(false), "raised neighbourhoods");
}

/// What half precision cannot hold is not a number, and remains none in every kernel after it.
fn what_is_too_large(devices: &Devices) {
    let x = Tensor::<2>::from_floats([[65_504.0, 65_505.0, -1e9, 2.0]], &devices.gpu);
    let none = Tensor::<2>::zeros([1, 4], &devices.gpu);
    let stored = values(gpu::finish_rounded(x.clone(), &none, Activation::None, None).into_inner());
    assert!(stored[0] == 65_504.0 && stored[1].is_nan() && stored[2].is_nan() && stored[3] == 2.0, "{stored:?}");
    let weight = Weight::of(Tensor::ones([4, 3], &devices.cpu), &Target::half(&devices.gpu));
    let product = weight.multiply(x);
    let none = Tensor::<2>::zeros([1, 3], &devices.gpu);
    for activation in [Activation::None, Activation::Gelu, Activation::Relu, Activation::LeakyRelu] {
        let found = values(gpu::finish(product.clone(), &none, activation, None));
        assert!(found.iter().all(|value| value.is_nan()), "{activation:?}: {found:?}");
    }
    let norm = LayerNorm::new(3, 1e-5, &devices.gpu);
    assert!(values(gpu::normalise(&norm, product.clone(), Added::default())).iter().all(|value| value.is_nan()));
    // One position of four, which every query reads.
    let [_, others] = devices.draw([3, 9]);
    let all = Tensor::cat(vec![others, product.repeat_dim(1, 3)], 0);
    let bias = Tensor::<2>::zeros([1, 9], &devices.gpu);
    let mixed = values(gpu::attend(Attended::itself(all, &bias), None, 3, 1, true).into_inner());
    assert!(mixed.iter().all(|value| value.is_nan()), "{mixed:?}");
}

fn norms(devices: &Devices) {
    for (rows, channels) in [(3, 5), (24, 96), (7, 1030), (65_537, 3)] {
        let [x, gx] = devices.draw([rows, channels]);
        let [shift, gshift] = devices.draw([1, channels]);
        let [before, gbefore] = devices.draw([rows, channels]);
        let [after, gafter] = devices.draw([rows, channels]);
        let ([weight, gweight], [bias, gbias]) = (devices.draw([channels]), devices.draw([channels]));
        let norm = |weight: Tensor<1>, bias: Tensor<1>| {
            let mut norm = LayerNorm::new(channels, 1e-5, &weight.device());
            norm.weight = norm.weight.map(|_| weight.clone());
            norm.bias = norm.bias.map(|_| bias.clone());
            norm
        };
        let plain = gpu::normalise(&norm(gweight.clone(), gbias.clone()), gx.clone(), Added::default());
        let added = Added { shift: Some(&gshift), before: Some(gbefore), after: Some(gafter) };
        let full = gpu::normalise(&norm(gweight, gbias), gx, added);
        // The definition: (x - mean) / sqrt(variance + eps) · weight + bias.
        let expected = |x: Tensor<2>| {
            let centred = x.clone() - x.mean_dim(1);
            let variance = centred.clone().powi_scalar(2).mean_dim(1);
            centred / (variance + 1e-5).sqrt() * weight.clone().unsqueeze() + bias.clone().unsqueeze()
        };
        assert_same(plain, expected(x.clone()), "norm");
        assert_same(full, expected(x + shift + before) + after, "norm of a sum");
    }
}

fn biases(devices: &Devices) {
    let [x, gx] = devices.draw([37, 29]);
    let [residual, gresidual] = devices.draw([37, 29]);
    for rows in [1, 37] {
        let [bias, gbias] = devices.draw([rows, 29]);
        let sum = x.clone() + bias;
        for (activation, expected) in [
            (Activation::None, sum.clone()),
            (Activation::Gelu, gelu(sum.clone())),
            (Activation::Relu, relu(sum.clone())),
            (Activation::LeakyRelu, leaky_relu(sum.clone(), 0.01)),
        ] {
            let ours = gpu::finish(gx.clone(), &gbias, activation, None);
            assert_same(ours, expected.clone(), &format!("{activation:?}"));
            let ours = gpu::finish(gx.clone(), &gbias, activation, Some(gresidual.clone()));
            assert_same(ours, expected + residual.clone(), &format!("{activation:?} and residual"));
        }
    }
}

/// The definition, for queries `[n, C]`, keys and values `[m, C]`.
fn attention(query: Tensor<2>, key: Tensor<2>, value: Tensor<2>, seen: usize, heads: usize) -> Tensor<2> {
    let [n, channels] = query.dims();
    let width = channels / heads;
    let head = |index: usize| {
        let columns = index * width..(index + 1) * width;
        let (key, value) = (key.clone().slice([0..seen]), value.clone().slice([0..seen]));
        let scores =
            query.clone().slice([0..n, columns.clone()]).matmul(key.slice([0..seen, columns.clone()]).transpose());
        softmax(scores / (width as f64).sqrt(), 1).matmul(value.slice([0..seen, columns]))
    };
    Tensor::cat((0..heads).map(head).collect(), 1)
}

fn self_attention(devices: &Devices) {
    for (n, channels, heads, seen) in
        [(24, 24, 4, 9), (49, 96, 8, 49), (70, 10, 2, 70), (1100, 8, 1, 1030), (5, 300, 1, 5), (20, 768, 1, 20)]
    {
        let [all, gall] = devices.draw([n, 3 * channels]);
        for rows in [1, n] {
            let [bias, gbias] = devices.draw([rows, 3 * channels]);
            let hidden: Vec<f32> = (0..n).map(|key| if key < seen { 0.0 } else { 1.0 }).collect();
            let hidden = Tensor::<1>::from_floats(hidden.as_slice(), &devices.gpu).unsqueeze::<2>();
            let hidden = (seen < n).then_some(&hidden);
            let ours = gpu::attend(Attended::itself(gall.clone(), &gbias), hidden, channels, heads, false);
            let ours = ours.into_inner();
            let sum = all.clone() + bias;
            let part = |part: usize| sum.clone().slice([0..n, part * channels..(part + 1) * channels]);
            assert_same(ours, attention(part(0), part(1), part(2), seen, heads), "self-attention");
        }
    }
}

fn cross_attention(devices: &Devices) {
    let (n, m, channels, heads) = (50, 9, 24, 8);
    let ([x, gx], [bias, gbias]) = (devices.draw([n, channels]), devices.draw([n, channels]));
    let ([both, gboth], [shift, gshift]) = (devices.draw([m, 2 * channels]), devices.draw([m, 2 * channels]));
    let attended = Attended::other((gx, &gbias), (gboth, &gshift));
    let ours = gpu::attend(attended, None, channels, heads, false).into_inner();
    let both = both + shift;
    let [key, value] = [0, channels].map(|start| both.clone().slice([0..m, start..start + channels]));
    assert_same(ours, attention(x + bias, key, value, m, heads), "cross-attention");
}

/// `[n², C]` as `[1, C, n, n]`.
fn planes(x: Tensor<2>, n: usize) -> Tensor<4> {
    let [_, channels] = x.dims();
    x.transpose().reshape([1, channels, n, n])
}

fn depthwise(devices: &Devices) {
    for (n, channels) in [(3, 5), (14, 24)] {
        let [x, gx] = devices.draw([n * n, channels]);
        let ([weight, gweight], [bias, gbias]) = (devices.draw([49, channels]), devices.draw([1, channels]));
        let options = ConvOptions::new([1, 1], [3, 3], [1, 1], channels);
        let weight = weight.transpose().reshape([channels, 1, 7, 7]);
        let expected = module::conv2d(planes(x, n), weight, Some(bias.squeeze_dim(0)), options);
        assert_same(planes(gpu::depthwise7(gx, n, &gweight, &gbias), n), expected, "depthwise convolution");
    }
}

fn neighbourhoods(devices: &Devices) {
    for (n, channels) in [(4, 3), (14, 10)] {
        let half = channels;
        let [x, gx] = devices.draw([n * n, channels]);
        // A product with the identity of one tap is the grid, shifted.
        let ours = gpu::neighbourhoods(gx.clone(), n, false).into_inner();
        let padded: Tensor<3> =
            x.clone().reshape([n, n, channels]).pad([(1, 1), (1, 1), (0, 0)], PadMode::Constant(0.0));
        let tap = |padded: &Tensor<3>, tap: usize| {
            let [_, _, channels] = padded.dims();
            let (row, column) = (tap / 3, tap % 3);
            padded.clone().slice([row..row + n, column..column + n]).reshape([n * n, channels])
        };
        let expected = Tensor::cat((0..9).map(|index| tap(&padded, index)).collect(), 1);
        assert_same(ours, expected, "neighbourhoods");

        let [raised, graised] = devices.draw([n * n / 4, 4 * half]);
        let squares = raised.reshape([n / 2, n / 2, 2, 2 * half]).swap_dims(1, 2).reshape([n * n, half]);
        let joined = Tensor::cat(vec![squares, x], 1).reshape([n, n, 2 * half]);
        let padded = joined.pad([(1, 1), (1, 1), (0, 0)], PadMode::Constant(0.0));
        let expected = Tensor::cat((0..9).map(|index| tap(&padded, index)).collect(), 1);
        assert_same(
            gpu::raised_neighbourhoods(graised, gx, n, false).into_inner(),
            expected,
            "raised neighbourhoods",
        );
    }
}

fn head(devices: &Devices) {
    let n = 5;
    let ([x, gx], [bias, gbias], [last, glast]) =
        (devices.draw([n * n, 16]), devices.draw([1, 16]), devices.draw([1]));
    let ours = gpu::shuffle_and_blur(gx, &gbias, &glast, n);
    let fine = (x + bias).reshape([n, n, 4, 4]).swap_dims(1, 2).reshape([1, 1, 4 * n, 4 * n]);
    let padded = fine.pad([(0, 0), (0, 0), (3, 0), (3, 0)], PadMode::Constant(0.0));
    let mean = module::avg_pool2d(padded, AvgPoolOptions::new([4, 4]).with_stride([1, 1]));
    assert_same(ours, mean + last.reshape([1, 1, 1, 1]), "head");
}
