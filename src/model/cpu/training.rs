//! Operations of ConvNeXt and BERT with gradients of their own, instead of gradients composed of the library's operations:
//! GELU, layer norm, and convolutions that keep the grid, depthwise and not.
//!
//! The library computes a GELU and its gradient one value at a time through scalar functions, composes the gradient of a
//! layer norm of a dozen passes over memory, and computes the gradient of a depthwise kernel channel by channel as a
//! convolution with an image as its kernel.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::gradients::values;
use super::grid_conv::GridConv;
use super::layer_norm::{self, Affine, Moments};
use super::{activation, depthwise};

/// The exact GELU, for devices that satisfy [`super::is_cpu`].
pub fn exact_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as TrainingKernels>::exact_gelu(x.into_dispatch()))
}

/// The layer norm over the last axis, for devices that satisfy [`super::is_cpu`].
pub fn layer_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    let y = <Dispatch as TrainingKernels>::layer_norm_rows(x.into_dispatch(), gamma, beta, epsilon);
    Tensor::from_dispatch(y)
}

/// Depthwise 7×7 convolution with zero padding of `x`, `[batch, n, n, channels]`, for devices that satisfy
/// [`super::is_cpu`]. `weight` is `[channels, 1, 7, 7]`.
pub fn depthwise7_last(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as TrainingKernels>::depthwise7_last(x.into_dispatch(), weight, bias))
}

/// Convolution of `x`, `[batch, in, h, w]`, with `weight`, `[out, in, k, k]`, for an odd k, with the zeros around it that
/// keep the grid, for devices that satisfy [`super::is_cpu`]. Returns `[batch, out, h, w]`.
pub fn convolution_same(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as TrainingKernels>::convolution_same(x.into_dispatch(), weight, bias))
}

/// The operations for the CPU backend, with and without gradients.
#[backend_extension(Flex, Autodiff)]
pub trait TrainingKernels: Backend {
    /// Implements [`exact_gelu`] for a backend.
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Implements [`layer_norm`] for a backend.
    fn layer_norm_rows(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// Implements [`depthwise7_last`] for a backend.
    fn depthwise7_last(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Implements [`convolution_same`] for a backend.
    fn convolution_same(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

type Cpu = FloatTensor<Flex>;

/// A tensor with the shape of `like`.
fn shaped(values: Vec<f32>, like: &Cpu) -> Cpu {
    Cpu::from_data(TensorData::new(values, like.shape()))
}

fn normalise(x: &Cpu, gamma: &Cpu, beta: &Cpu, epsilon: f64) -> (Cpu, Vec<Moments>) {
    let affine = Affine { gamma: values(gamma), beta: values(beta) };
    let (output, moments) = layer_norm::forward(values(x), affine, epsilon as f32);
    (shaped(output, x), moments)
}

/// The weight `[channels, 1, 7, 7]` as `[49, channels]`.
fn taps(weight: &Cpu) -> Vec<f32> {
    transposed(values(weight), weight.shape()[0])
}

/// Transposes `[rows, ..]`.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows.max(1);
    (0..values.len()).map(|place| values[place % rows * columns + place / rows]).collect()
}

fn convolve(x: &Cpu, taps: &[f32], bias: &Cpu) -> Cpu {
    shaped(depthwise::depthwise(values(x), x.shape()[1], taps, values(bias)), x)
}

fn grid_conv(x: &Cpu, weight: &Cpu) -> GridConv {
    let (x, weight) = (x.shape(), weight.shape());
    GridConv { input: x[1], output: weight[0], height: x[2], width: x[3], kernel: weight[2] }
}

fn convolve_same(x: &Cpu, weight: &Cpu, bias: &Cpu) -> Cpu {
    let conv = grid_conv(x, weight);
    let output = conv.forward(values(x), values(weight), values(bias));
    Cpu::from_data(TensorData::new(output, [x.shape()[0], conv.output, conv.height, conv.width]))
}

impl TrainingKernels for Flex {
    fn exact_gelu(x: Cpu) -> Cpu {
        let x = x.to_contiguous();
        shaped(activation::forward(values(&x)), &x)
    }

    fn layer_norm_rows(x: Cpu, gamma: Cpu, beta: Cpu, epsilon: f64) -> Cpu {
        let [x, gamma, beta] = [x, gamma, beta].map(|x| x.to_contiguous());
        normalise(&x, &gamma, &beta, epsilon).0
    }

    fn depthwise7_last(x: Cpu, weight: Cpu, bias: Cpu) -> Cpu {
        let [x, weight, bias] = [x, weight, bias].map(|x| x.to_contiguous());
        convolve(&x, &taps(&weight), &bias)
    }

    fn convolution_same(x: Cpu, weight: Cpu, bias: Cpu) -> Cpu {
        let [x, weight, bias] = [x, weight, bias].map(|x| x.to_contiguous());
        convolve_same(&x, &weight, &bias)
    }
}

/// Registers the gradients of the inputs that have some.
fn register<const N: usize>(ids: [Option<NodeId>; N], gradients: [Cpu; N], grads: &mut Gradients) {
    for (id, gradient) in ids.into_iter().zip(gradients) {
        if let Some(id) = id {
            grads.register::<Flex>(id, gradient);
        }
    }
}

#[derive(Debug)]
struct GeluBackward;

impl Backward<Flex, 1> for GeluBackward {
    type State = Cpu;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let x = ops.state;
        let by_input = shaped(activation::backward(values(&x), values(&gradient)), &x);
        register(ops.parents.map(|parent| parent.map(|parent| parent.id)), [by_input], grads);
    }
}

/// The values that the gradient of a layer norm needs.
#[derive(Clone, Debug)]
struct NormState {
    x: Cpu,
    gamma: Cpu,
    moments: Arc<[Moments]>,
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = NormState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let NormState { x, gamma, moments } = ops.state;
        let [by_input, by_gamma, by_beta] =
            layer_norm::backward(values(&x), values(&gradient), &moments, values(&gamma));
        let parts = [shaped(by_input, &x), shaped(by_gamma, &gamma), shaped(by_beta, &gamma)];
        register(ops.parents.map(|parent| parent.map(|parent| parent.id)), parts, grads);
    }
}

/// The values that the gradient of a depthwise convolution needs.
#[derive(Clone, Debug)]
struct ConvState {
    x: Cpu,
    weight: Cpu,
    bias: Cpu,
}

#[derive(Debug)]
struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let ConvState { x, weight, bias } = ops.state;
        let [by_input, by_weight, by_bias] =
            depthwise::backward(values(&x), values(&gradient), x.shape()[1], &taps(&weight));
        let by_weight = transposed(&by_weight, depthwise::TAPS);
        let parts = [shaped(by_input, &x), shaped(by_weight, &weight), shaped(by_bias, &bias)];
        register(ops.parents.map(|parent| parent.map(|parent| parent.id)), parts, grads);
    }
}

#[derive(Debug)]
struct GridConvBackward;

impl Backward<Flex, 3> for GridConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let ConvState { x, weight, bias } = ops.state;
        let [for_x, for_weight, for_bias] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let conv = grid_conv(&x, &weight);
        // The image that a network reads has no gradient.
        let parts = conv.backward(values(&x), values(&gradient), values(&weight), for_x.is_some());
        if let Some(by_input) = parts.input {
            register([for_x], [shaped(by_input, &x)], grads);
        }
        register([for_weight, for_bias], [shaped(parts.weight, &weight), shaped(parts.bias, &bias)], grads);
    }
}

impl<C: CheckpointStrategy> TrainingKernels for Autodiff<Flex, C> {
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive().to_contiguous();
        let output = shaped(activation::forward(values(&x)), &x);
        match GeluBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn layer_norm_rows(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let [x, gamma, beta] = [x, gamma, beta].map(|x| x.into_primitive().to_contiguous());
        let (output, moments) = normalise(&x, &gamma, &beta, epsilon);
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(NormState { x, gamma, moments: moments.into() }, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn depthwise7_last(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [x, weight, bias].map(|x| x.into_primitive().to_contiguous());
        let output = convolve(&x, &taps(&weight), &bias);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(ConvState { x, weight, bias }, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn convolution_same(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [x, weight, bias].map(|x| x.into_primitive().to_contiguous());
        let output = convolve_same(&x, &weight, &bias);
        match GridConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(ConvState { x, weight, bias }, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Distribution, activation as library, module};

    use super::*;

    fn draw<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::<D>::random(shape, Distribution::Normal(0.3, 1.5), device).detach().require_grad()
    }

    /// Compares values, and gradients with respect to `inputs` for random gradients of the output.
    fn compare<const D: usize>(name: &str, ours: Tensor<D>, theirs: Tensor<D>, inputs: &[Tensor<4>]) {
        let close = |what: &str, ours: TensorData, theirs: TensorData| {
            let pairs = ours.iter::<f32>().zip(theirs.iter::<f32>());
            let largest = theirs.iter::<f32>().fold(1.0, |m, x| x.abs().max(m));
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest;
            assert!(worst < 2e-5, "{name}, {what}: {worst:e}");
        };
        close("values", ours.clone().inner().into_data(), theirs.clone().inner().into_data());
        let weights = draw(ours.dims(), &ours.device()).detach();
        let (mut a, mut b) = ((ours * weights.clone()).sum().backward(), (theirs * weights).sum().backward());
        for (index, input) in inputs.iter().enumerate() {
            let [a, b] = [&mut a, &mut b].map(|gradients| input.grad_remove(gradients).expect("a gradient"));
            close(&format!("gradient {index}"), a.into_data(), b.into_data());
        }
    }

    #[test]
    fn values_and_gradients_are_those_of_the_library() {
        let device = Device::flex().autodiff();
        let x = draw([2, 3, 5, 33], &device);
        compare("GELU", exact_gelu(x.clone()), library::gelu(x.clone()), &[x]);
        // More rows than a task, and widths beside those of the side-by-side sums.
        for width in [1, 8, 16, 33] {
            let x = draw([2, 15, 11, width], &device);
            let (gamma, beta) = (draw([1, 1, 1, width], &device), draw([1, 1, 1, width], &device));
            let flat = |tensor: &Tensor<4>| tensor.clone().reshape([width]);
            let ours = layer_norm(x.clone(), flat(&gamma), flat(&beta), 1e-3);
            let theirs = module::layer_norm(x.clone(), flat(&gamma), Some(flat(&beta)), 1e-3);
            compare(&format!("layer norm of {width}"), ours, theirs, &[x, gamma, beta]);
        }
        // Images smaller and larger than the kernel, and channels that do not fill vectors.
        for (channels, n) in [(3, 2), (16, 5), (20, 9), (40, 7)] {
            let x = draw([2, channels, n, n], &device);
            let (weight, bias) = (draw([channels, 1, 7, 7], &device), draw([1, 1, 1, channels], &device));
            let options = ConvOptions::new([1, 1], [3, 3], [1, 1], channels);
            let flat = || bias.clone().reshape([channels]);
            let ours = depthwise7_last(x.clone().permute([0, 2, 3, 1]), weight.clone(), flat());
            let theirs = module::conv2d(x.clone(), weight.clone(), Some(flat()), options);
            let name = format!("{channels} channels, {n} pixels");
            compare(&name, ours.permute([0, 3, 1, 2]), theirs, &[x, weight, bias]);
        }
    }

    #[test]
    fn convolutions_that_keep_the_grid_are_those_of_the_library() {
        let device = Device::flex().autodiff();
        // One channel and more than a panel of 64, a kernel that reaches beyond the image, and lines unlike columns.
        for (input, output, [h, w], k) in
            [(1, 1, [1, 1], 1), (3, 5, [4, 7], 1), (5, 70, [9, 6], 3), (67, 2, [2, 2], 3), (2, 3, [3, 8], 7)]
        {
            let x = draw([2, input, h, w], &device);
            let (weight, bias) = (draw([output, input, k, k], &device), draw([1, 1, 1, output], &device));
            let options = ConvOptions::new([1, 1], [k / 2, k / 2], [1, 1], 1);
            let flat = || bias.clone().reshape([output]);
            let ours = convolution_same(x.clone(), weight.clone(), flat());
            let theirs = module::conv2d(x.clone(), weight.clone(), Some(flat()), options);
            let name = format!("{input} to {output} channels, {h} × {w} pixels, kernel {k}");
            compare(&name, ours, theirs, &[x, weight, bias]);
        }
    }

    #[test]
    fn an_image_without_a_gradient_gets_none() {
        let device = Device::flex().autodiff();
        let weight = draw([3, 2, 3, 3], &device);
        let image = Tensor::<4>::random([1, 2, 4, 4], Distribution::Default, &device);
        let y = convolution_same(image.clone(), weight.clone(), Tensor::zeros([3], &device));
        let mut gradients = y.sum().backward();
        assert!(image.grad_remove(&mut gradients).is_none());
        let ours = weight.grad_remove(&mut gradients).expect("a gradient");
        let library = module::conv2d(image, weight.clone(), None, ConvOptions::new([1, 1], [1, 1], [1, 1], 1));
        let theirs = weight.grad(&library.sum().backward()).expect("a gradient");
        let worst = (ours - theirs).abs().max().into_scalar::<f32>();
        assert!(worst < 1e-4, "{worst:e}");
    }
}
