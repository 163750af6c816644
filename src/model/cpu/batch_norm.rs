//! Batch normalisation in training, followed by a leaky ReLU, with its own backward pass.
//!
//! Composed of the library's operations, these take a dozen passes over the activations, one thread each. Here the
//! forward pass reads them three times and the backward pass twice. If the batch is divided ([`crate::model::part`]),
//! the statistics are those of the whole batch, and so are the gradients (synchronised batch normalisation).

use std::sync::{Arc, OnceLock};

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::module::RunningState;
use burn::nn::BatchNorm;
use burn::tensor::{Tensor, TensorData};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::gradients::values;
use crate::model::part::{self, Part};

/// Normalises `x`, `[batch, channels, h, w]`, with the statistics of the batch, applies a leaky ReLU with this slope
/// and updates the running statistics of `norm`. The device must satisfy [`super::is_cpu`] and have gradients.
pub fn batch_norm_leaky_relu(norm: &BatchNorm, x: Tensor<4>, slope: f64) -> Tensor<4> {
    let batch = BatchOf {
        part: part::current(),
        epsilon: norm.epsilon,
        slope: slope as f32,
        statistics: Arc::new(OnceLock::new()),
    };
    let output = <Dispatch as BatchNormKernels>::batch_norm_leaky_relu(
        x.into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        batch.clone(),
    );
    // The statistics are those of the whole batch, so that one part updates them for all.
    let is_first = batch.part.as_ref().is_none_or(|part| part.index == 0);
    if let Some(statistics) = batch.statistics.get().filter(|_| is_first) {
        update(&norm.running_mean, &statistics.mean, norm.momentum);
        update(&norm.running_var, &statistics.variance, norm.momentum);
    }
    Tensor::from_dispatch(output)
}

/// Moves a running statistic towards that of a batch.
fn update(state: &RunningState<Tensor<1>>, batch: &[f64], momentum: f64) {
    let old = state.value_sync();
    let new: Vec<f32> = batch.iter().map(|value| *value as f32).collect();
    let new = Tensor::<1>::from_data(TensorData::new(new, [batch.len()]), &old.device());
    state.update(old * (1.0 - momentum) + new * momentum);
    // The library keeps updates by thread until the same thread asks again. The next pass may have another thread.
    let _ = state.value_sync();
}

/// What the operation has to know besides its tensors.
#[derive(Clone, Debug)]
pub struct BatchOf {
    /// The part of the batch that is computed; `None` if it is the whole batch.
    part: Option<Part>,
    epsilon: f64,
    slope: f32,
    /// The statistics of the batch, which the operation fills in.
    statistics: Arc<OnceLock<Statistics>>,
}

/// The statistics of a batch by channel.
#[derive(Clone, Debug)]
struct Statistics {
    mean: Vec<f64>,
    /// The biased variance.
    variance: Vec<f64>,
}

/// The operations for the CPU backend, with and without gradients.
#[backend_extension(Flex, Autodiff)]
pub trait BatchNormKernels: Backend {
    /// Implements [`batch_norm_leaky_relu`] for a backend.
    fn batch_norm_leaky_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        batch: BatchOf,
    ) -> FloatTensor<Self>;
}

type Cpu = FloatTensor<Flex>;

impl BatchNormKernels for Flex {
    fn batch_norm_leaky_relu(x: Cpu, gamma: Cpu, beta: Cpu, batch: BatchOf) -> Cpu {
        let [x, gamma, beta] = [x, gamma, beta].map(|x| x.to_contiguous());
        forward(&x, &gamma, &beta, &batch).0
    }
}

/// The values that the backward pass needs.
#[derive(Clone, Debug)]
struct BatchNormState {
    x: Cpu,
    channels: Arc<[Channel]>,
    count: f64,
    slope: f32,
    part: Option<Part>,
}

/// The values of a channel: its output is `leaky((x − mean) · inverse · gamma + beta)`.
#[derive(Clone, Copy, Debug)]
struct Channel {
    mean: f32,
    /// The reciprocal of the standard deviation.
    inverse: f32,
    gamma: f32,
    beta: f32,
}

/// The sizes of an image in memory: its number of channels, and the number of values of a channel.
fn planes(x: &Cpu) -> (usize, usize) {
    let shape = x.shape();
    (shape[1], shape[2] * shape[3])
}

fn forward(x: &Cpu, gamma: &Cpu, beta: &Cpu, batch: &BatchOf) -> (Cpu, BatchNormState) {
    let (channels, positions) = planes(x);
    let (input, part) = (values(x), batch.part.as_ref());
    let images = input.len() / (channels * positions).max(1);
    let arch = Arch::new();
    let over_images = |channel: usize, sum: &(dyn Fn(&[f32]) -> f32 + Sync)| -> f64 {
        (0..images).map(|image| f64::from(sum(plane(input, image * channels + channel, positions)))).sum()
    };
    let mut sums: Vec<f64> =
        (0..channels).into_par_iter().map(|c| over_images(c, &|plane| arch.dispatch(Sum { plane }))).collect();
    sums.push((images * positions) as f64);
    let mut sums = total(part, sums);
    let count = sums.pop().unwrap_or(1.0);
    let mean: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    // The squares are those of the differences from the mean, because a difference of squares would cancel.
    let squares: Vec<f64> = (0..channels)
        .into_par_iter()
        .map(|c| over_images(c, &|plane| arch.dispatch(Squares { plane, mean: mean[c] as f32 })))
        .collect();
    let variance: Vec<f64> = total(part, squares).iter().map(|sum| sum / count).collect();
    let of_channel: Arc<[Channel]> = values(gamma)
        .iter()
        .zip(values(beta))
        .zip(mean.iter().zip(&variance))
        .map(|((gamma, beta), (mean, variance))| Channel {
            mean: *mean as f32,
            inverse: (1.0 / (variance + batch.epsilon).sqrt()) as f32,
            gamma: *gamma,
            beta: *beta,
        })
        .collect();
    let mut output = vec![0f32; input.len()];
    output.par_chunks_mut(positions).zip(input.par_chunks(positions)).enumerate().for_each(
        |(index, (output, input))| {
            let channel = of_channel[index % channels];
            arch.dispatch(Normalise { output, input, channel, slope: batch.slope });
        },
    );
    // A second pass with the same description would find the statistics of the first; there is none.
    let _ = batch.statistics.set(Statistics { mean, variance });
    let output = Cpu::from_data(TensorData::new(output, x.shape()));
    let state =
        BatchNormState { x: x.clone(), channels: of_channel, count, slope: batch.slope, part: batch.part.clone() };
    (output, state)
}

/// Returns the gradients with respect to the input, `gamma` and `beta` from the gradient with respect to the output.
/// The last two are those of this part; the gradients of the parts are added later.
fn backward(state: &BatchNormState, gradient: &Cpu) -> [Cpu; 3] {
    let BatchNormState { x, channels: of_channel, count, slope, part } = state;
    let (channels, positions) = planes(x);
    let (input, gradients, slope) = (values(x), values(gradient), *slope);
    let images = input.len() / (channels * positions).max(1);
    let arch = Arch::new();
    let sums: Vec<[f64; 2]> = (0..channels)
        .into_par_iter()
        .map(|index| {
            let mut sums = [0f64; 2];
            for image in 0..images {
                let place = image * channels + index;
                let (input, gradient) = (plane(input, place, positions), plane(gradients, place, positions));
                let of_plane = arch.dispatch(GradientSums { input, gradient, channel: of_channel[index], slope });
                for (sum, value) in sums.iter_mut().zip(of_plane) {
                    *sum += f64::from(value);
                }
            }
            sums
        })
        .collect();
    let means: Vec<f32> =
        total(part.as_ref(), sums.as_flattened().to_vec()).into_iter().map(|sum| (sum / count) as f32).collect();
    let mut by_input = vec![0f32; input.len()];
    by_input
        .par_chunks_mut(positions)
        .zip(input.par_chunks(positions).zip(gradients.par_chunks(positions)))
        .enumerate()
        .for_each(|(place, (output, (input, gradient)))| {
            let index = place % channels;
            let means = [means[2 * index], means[2 * index + 1]];
            arch.dispatch(ByInput { output, input, gradient, channel: of_channel[index], means, slope });
        });
    let by_channel = |which: usize| {
        let values: Vec<f32> = sums.iter().map(|sums| sums[which] as f32).collect();
        Cpu::from_data(TensorData::new(values, [channels]))
    };
    [Cpu::from_data(TensorData::new(by_input, x.shape())), by_channel(1), by_channel(0)]
}

/// The sums over all parts of the batch.
fn total(part: Option<&Part>, sums: Vec<f64>) -> Vec<f64> {
    match part {
        Some(part) => part.total(sums),
        None => sums,
    }
}

fn plane(values: &[f32], index: usize, positions: usize) -> &[f32] {
    &values[index * positions..(index + 1) * positions]
}

#[derive(Debug)]
struct BatchNormBackward;

impl Backward<Flex, 3> for BatchNormBackward {
    type State = BatchNormState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let parts = backward(&ops.state, &gradient);
        for (parent, part) in ops.parents.into_iter().zip(parts) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, part);
            }
        }
    }
}

impl<C: CheckpointStrategy> BatchNormKernels for Autodiff<Flex, C> {
    fn batch_norm_leaky_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        batch: BatchOf,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let [x, gamma, beta] = [x, gamma, beta].map(|x| x.into_primitive().to_contiguous());
        let (output, state) = forward(&x, &gamma, &beta, &batch);
        match BatchNormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The number of sums that are kept side by side, so that a sum is vectorised.
const SIDE: usize = 16;

/// The sum of the values of a plane.
struct Sum<'a> {
    plane: &'a [f32],
}

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f32 {
        let mut sums = [0f32; SIDE];
        let (body, tail) = self.plane.as_chunks::<SIDE>();
        for chunk in body {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x;
            }
        }
        sums.iter().chain(tail).sum()
    }
}

/// The sum of the squared differences from the mean.
struct Squares<'a> {
    plane: &'a [f32],
    mean: f32,
}

impl WithSimd for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f32 {
        let mut sums = [0f32; SIDE];
        let (body, tail) = self.plane.as_chunks::<SIDE>();
        for chunk in body {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += (x - self.mean) * (x - self.mean);
            }
        }
        let rest: f32 = tail.iter().map(|x| (x - self.mean) * (x - self.mean)).sum();
        sums.iter().sum::<f32>() + rest
    }
}

/// Normalises a plane and applies the leaky ReLU.
struct Normalise<'a> {
    output: &'a mut [f32],
    input: &'a [f32],
    channel: Channel,
    slope: f32,
}

impl WithSimd for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { output, input, channel, slope } = self;
        for (y, x) in output.iter_mut().zip(input) {
            let z = normalised(*x, channel) * channel.gamma + channel.beta;
            *y = if z > 0.0 { z } else { slope * z };
        }
    }
}

#[inline(always)]
fn normalised(x: f32, channel: Channel) -> f32 {
    (x - channel.mean) * channel.inverse
}

/// The gradient before the leaky ReLU, whose argument is computed again.
#[inline(always)]
fn before_activation(gradient: f32, normalised: f32, channel: Channel, slope: f32) -> f32 {
    let z = normalised * channel.gamma + channel.beta;
    if z > 0.0 { gradient } else { slope * gradient }
}

/// The sums over a plane of the gradient and of its product with the normalised value, both before the activation.
struct GradientSums<'a> {
    input: &'a [f32],
    gradient: &'a [f32],
    channel: Channel,
    slope: f32,
}

impl WithSimd for GradientSums<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [f32; 2] {
        let Self { input, gradient, channel, slope } = self;
        let (mut plain, mut scaled) = ([0f32; SIDE], [0f32; SIDE]);
        let ((inputs, rest), (gradients, gradients_rest)) =
            (input.as_chunks::<SIDE>(), gradient.as_chunks::<SIDE>());
        for (inputs, gradients) in inputs.iter().zip(gradients) {
            for (((plain, scaled), x), g) in plain.iter_mut().zip(&mut scaled).zip(inputs).zip(gradients) {
                let x = normalised(*x, channel);
                let g = before_activation(*g, x, channel, slope);
                *plain += g;
                *scaled += g * x;
            }
        }
        let mut sums = [plain.iter().sum::<f32>(), scaled.iter().sum::<f32>()];
        for (x, g) in rest.iter().zip(gradients_rest) {
            let x = normalised(*x, channel);
            let g = before_activation(*g, x, channel, slope);
            sums[0] += g;
            sums[1] += g * x;
        }
        sums
    }
}

/// The gradient with respect to a plane of the input. `means` are the means of [`GradientSums`] over the batch.
struct ByInput<'a> {
    output: &'a mut [f32],
    input: &'a [f32],
    gradient: &'a [f32],
    channel: Channel,
    means: [f32; 2],
    slope: f32,
}

impl WithSimd for ByInput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { output, input, gradient, channel, means: [mean, projected], slope } = self;
        let scale = channel.gamma * channel.inverse;
        for ((y, x), g) in output.iter_mut().zip(input).zip(gradient) {
            let x = normalised(*x, channel);
            let g = before_activation(*g, x, channel, slope);
            *y = scale * (g - mean - x * projected);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::BatchNormConfig;
    use burn::tensor::activation::leaky_relu;
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn values_gradients_and_running_statistics_are_the_librarys() {
        let device = Device::flex().autodiff();
        let draw = |shape: [usize; 4], mean: f64| {
            Tensor::<4>::random(shape, Distribution::Normal(mean, 2.0), &device).detach()
        };
        // 5 × 7 positions have a remainder beside the side-by-side sums, and the mean is far from zero.
        let (x, weights) = (draw([3, 4, 5, 7], 10.0).require_grad(), draw([3, 4, 5, 7], 0.0));
        let run = |is_ours: bool| {
            let mut norm = BatchNormConfig::new(4).init(&device);
            norm.gamma = norm.gamma.map(|x| (x * 1.5).detach().require_grad());
            norm.beta = norm.beta.map(|x| (x + 0.3).detach().require_grad());
            let y = if is_ours {
                batch_norm_leaky_relu(&norm, x.clone(), 0.01)
            } else {
                leaky_relu(norm.forward(x.clone()), 0.01)
            };
            let gradients = (y.clone() * weights.clone()).sum().backward();
            let flat = |tensor: Option<Tensor<4>>| tensor.expect("a gradient").into_data();
            let four = |tensor: Option<Tensor<1>>| flat(tensor.map(|tensor| tensor.reshape([1, 1, 1, 4])));
            [
                y.inner().into_data(),
                flat(x.grad(&gradients)),
                four(norm.gamma.val().grad(&gradients)),
                four(norm.beta.val().grad(&gradients)),
                norm.running_mean.value_sync().into_data(),
                norm.running_var.value_sync().into_data(),
            ]
        };
        for (number, (ours, theirs)) in run(true).into_iter().zip(run(false)).enumerate() {
            for (ours, theirs) in ours.iter::<f32>().zip(theirs.iter::<f32>()) {
                assert!((ours - theirs).abs() <= 2e-4 * theirs.abs().max(1.0), "{number}: {ours} for {theirs}");
            }
        }
    }
}
