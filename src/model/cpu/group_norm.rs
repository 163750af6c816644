//! The group norm of one image, `[positions, channels]`, for predictions.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The number of positions that a thread takes at a time.
const TASK: usize = 64;

/// A group norm: each group of neighbouring channels is normalised over all positions.
#[derive(Clone, Debug)]
pub struct GroupNormOf {
    /// The scale of each channel.
    pub weight: Vec<f32>,
    /// The offset of each channel.
    pub bias: Vec<f32>,
    /// The number of groups, which divides the channels.
    pub groups: usize,
    /// The value added to the variance.
    pub eps: f64,
}

impl GroupNormOf {
    /// Normalises `x`, `[positions, channels]`, adds `residual`, which has the same shape, and applies the ReLU if it
    /// `is_cut`.
    pub(super) fn forward(&self, x: &[f32], residual: Option<&[f32]>, is_cut: bool) -> Vec<f32> {
        let channels = self.weight.len();
        let (size, count) = (channels / self.groups, x.len() as f64 / self.groups as f64);
        let means = self.by_group(&sums(x, &vec![0.0; channels], false), count);
        let centre: Vec<f32> = (0..channels).map(|channel| means[channel / size] as f32).collect();
        // The squares are those of the differences from the mean, because a difference of squares would cancel.
        let variances = self.by_group(&sums(x, &centre, true), count);
        let scale: Vec<f32> = (self.weight.iter().enumerate())
            .map(|(channel, weight)| (f64::from(*weight) / (variances[channel / size] + self.eps).sqrt()) as f32)
            .collect();
        let (centre, scale, bias, arch) = (&centre[..], &scale[..], &self.bias[..], Arch::new());
        let mut output = vec![0f32; x.len()];
        output.par_chunks_mut(TASK * channels).enumerate().for_each(|(task, output)| {
            let part = task * TASK * channels..task * TASK * channels + output.len();
            let (x, residual) = (&x[part.clone()], residual.map(|residual| &residual[part]));
            arch.dispatch(Normalise { output, x, residual, centre, scale, bias, is_cut });
        });
        output
    }

    /// The means over the groups from the sums over the positions of each channel.
    fn by_group(&self, sums: &[f64], count: f64) -> Vec<f64> {
        sums.chunks_exact(sums.len() / self.groups).map(|group| group.iter().sum::<f64>() / count).collect()
    }
}

/// For each channel the sum over the positions of the differences from `centre`, or of their squares.
fn sums(x: &[f32], centre: &[f32], is_squared: bool) -> Vec<f64> {
    let (channels, arch) = (centre.len(), Arch::new());
    let of_task = |x: &[f32]| {
        let mut sums = vec![0f32; channels];
        arch.dispatch(Sums { sums: &mut sums, x, centre, is_squared });
        sums.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    let add = |mut sums: Vec<f64>, more: Vec<f64>| {
        sums.iter_mut().zip(more).for_each(|(sum, value)| *sum += value);
        sums
    };
    // The order of the additions does not depend on the number of threads.
    let parts: Vec<Vec<f64>> = x.par_chunks(TASK * channels).map(of_task).collect();
    parts.into_iter().fold(vec![0.0; channels], add)
}

struct Sums<'a> {
    sums: &'a mut [f32],
    x: &'a [f32],
    centre: &'a [f32],
    is_squared: bool,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { sums, x, centre, is_squared } = self;
        for position in x.chunks_exact(sums.len()) {
            let values = sums.iter_mut().zip(position).zip(centre);
            if is_squared {
                values.for_each(|((sum, x), centre)| *sum += (x - centre) * (x - centre));
            } else {
                values.for_each(|((sum, x), centre)| *sum += x - centre);
            }
        }
    }
}

struct Normalise<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
    residual: Option<&'a [f32]>,
    centre: &'a [f32],
    scale: &'a [f32],
    bias: &'a [f32],
    is_cut: bool,
}

impl WithSimd for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { output, x, residual, centre, scale, bias, is_cut } = self;
        let channels = scale.len();
        for (output, x) in output.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            let channels = centre.iter().zip(scale).zip(bias);
            for ((y, x), ((centre, scale), bias)) in output.iter_mut().zip(x).zip(channels) {
                *y = (x - centre) * scale + bias;
            }
        }
        if let Some(residual) = residual {
            output.iter_mut().zip(residual).for_each(|(y, residual)| *y += residual);
        }
        if is_cut {
            output.iter_mut().for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y });
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::GroupNormConfig;
    use burn::tensor::activation::relu;
    use burn::tensor::{Device, Distribution, Tensor};

    use super::*;
    use crate::model::cpu;

    #[test]
    fn it_is_the_librarys() {
        let device = Device::flex();
        for (channels, groups, n) in [(6, 3, 5), (8, 8, 13), (32, 32, 1), (12, 1, 9)] {
            let draw = |low, high| Tensor::<1>::random([channels], Distribution::Uniform(low, high), &device);
            let mut norm = GroupNormConfig::new(groups, channels).with_epsilon(1e-6).init(&device);
            norm.gamma = norm.gamma.map(|gamma| gamma.map(|_| draw(0.5, 1.5)));
            norm.beta = norm.beta.map(|beta| beta.map(|_| draw(-1.0, 1.0)));
            let image = || Tensor::<4>::random([1, channels, n, n], Distribution::Normal(3.0, 2.0), &device);
            let (x, residual) = (image(), image());
            let positions = |x: Tensor<4>| x.reshape([channels, n * n]).transpose();
            let values = |x: &Option<burn::module::Param<Tensor<1>>>| {
                x.as_ref().expect("affine").val().into_data().iter::<f32>().collect()
            };
            let (weight, bias) = (values(&norm.gamma), values(&norm.beta));
            let ours = GroupNormOf { weight, bias, groups, eps: 1e-6 };
            let apart = |a: Tensor<2>, b: Tensor<4>| (a - positions(b)).abs().max().into_scalar::<f32>();
            let plain = apart(cpu::group_norm(positions(x.clone()), None, &ours, false), norm.forward(x.clone()));
            let onto = cpu::group_norm(positions(x.clone()), Some(positions(residual.clone())), &ours, true);
            let onto = apart(onto, relu(norm.forward(x) + residual));
            assert!(plain < 2e-5 && onto < 2e-5, "{channels} channels, {groups} groups: {plain} and {onto}");
        }
    }
}
