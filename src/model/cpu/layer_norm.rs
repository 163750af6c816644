//! The layer norm of rows and its gradients.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The number of rows of a task. It does not depend on the number of threads, so that sums over rows do not either.
const TASK_ROWS: usize = 256;
/// The number of sums that are kept side by side, so that a sum is vectorised.
const SIDE: usize = 16;

/// Mean and reciprocal of the standard deviation of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    mean: f32,
    inverse: f32,
}

/// Scale and offset of the channels.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a> {
    pub(super) gamma: &'a [f32],
    pub(super) beta: &'a [f32],
}

/// Normalises the rows of `x` and returns the result and the moments of the rows.
pub(super) fn forward(x: &[f32], affine: Affine, epsilon: f32) -> (Vec<f32>, Vec<Moments>) {
    let width = affine.gamma.len().max(1);
    let mut output = vec![0f32; x.len()];
    let mut moments = vec![Moments::default(); x.len() / width];
    let arch = Arch::new();
    output
        .par_chunks_mut(TASK_ROWS * width)
        .zip(x.par_chunks(TASK_ROWS * width))
        .zip(moments.par_chunks_mut(TASK_ROWS))
        .for_each(|((output, x), moments)| arch.dispatch(Forward { output, x, moments, affine, epsilon }));
    (output, moments)
}

/// Returns the gradients with respect to the rows, to scale and to offset from the gradient with respect to the output.
pub(super) fn backward(x: &[f32], gradient: &[f32], moments: &[Moments], gamma: &[f32]) -> [Vec<f32>; 3] {
    let width = gamma.len().max(1);
    let mut by_input = vec![0f32; x.len()];
    let arch = Arch::new();
    let parts: Vec<[Vec<f32>; 2]> = by_input
        .par_chunks_mut(TASK_ROWS * width)
        .zip(x.par_chunks(TASK_ROWS * width).zip(gradient.par_chunks(TASK_ROWS * width)))
        .zip(moments.par_chunks(TASK_ROWS))
        .map(|((output, (x, gradient)), moments)| arch.dispatch(Backward { output, x, gradient, moments, gamma }))
        .collect();
    let mut sums = [vec![0f32; gamma.len()], vec![0f32; gamma.len()]];
    for part in parts {
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
    }
    let [by_gamma, by_beta] = sums;
    [by_input, by_gamma, by_beta]
}

struct Forward<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
    moments: &'a mut [Moments],
    affine: Affine<'a>,
    epsilon: f32,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { output, x, moments, affine: Affine { gamma, beta }, epsilon } = self;
        let width = gamma.len();
        let rows = output.chunks_exact_mut(width).zip(x.chunks_exact(width));
        for ((output, x), moments) in rows.zip(moments) {
            let mean = sum(x) / width as f32;
            let variance = squares(x, mean) / width as f32;
            let inverse = 1.0 / (variance + epsilon).sqrt();
            for (((y, x), gamma), beta) in output.iter_mut().zip(x).zip(gamma).zip(beta) {
                *y = (x - mean) * inverse * gamma + beta;
            }
            *moments = Moments { mean, inverse };
        }
    }
}

struct Backward<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
    gradient: &'a [f32],
    moments: &'a [Moments],
    gamma: &'a [f32],
}

impl WithSimd for Backward<'_> {
    /// The gradients with respect to scale and offset.
    type Output = [Vec<f32>; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        let Self { output, x, gradient, moments, gamma } = self;
        let width = gamma.len();
        let (mut by_gamma, mut by_beta) = (vec![0f32; width], vec![0f32; width]);
        let rows = output.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(gradient.chunks_exact(width));
        for (((output, x), gradient), Moments { mean, inverse }) in rows.zip(moments) {
            // First the normalised values, which the second pass over the row replaces by the gradient.
            for (y, x) in output.iter_mut().zip(x) {
                *y = (x - mean) * inverse;
            }
            let [plain, projected] = products(gradient, gamma, output);
            let (plain, projected) = (plain / width as f32, projected / width as f32);
            let channels = by_gamma.iter_mut().zip(&mut by_beta).zip(gamma);
            for ((y, g), ((by_gamma, by_beta), gamma)) in output.iter_mut().zip(gradient).zip(channels) {
                *by_gamma += g * *y;
                *by_beta += g;
                *y = inverse * (g * gamma - plain - *y * projected);
            }
        }
        [by_gamma, by_beta]
    }
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let mut sums = [0f32; SIDE];
    let (body, tail) = x.as_chunks::<SIDE>();
    for chunk in body {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    let mut total = 0.0;
    for x in sums.iter().chain(tail) {
        total += x;
    }
    total
}

/// The sum of the squared differences from the mean.
#[inline(always)]
fn squares(x: &[f32], mean: f32) -> f32 {
    let mut sums = [0f32; SIDE];
    let (body, tail) = x.as_chunks::<SIDE>();
    for chunk in body {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += (x - mean) * (x - mean);
        }
    }
    let mut total = 0.0;
    for x in tail {
        total += (x - mean) * (x - mean);
    }
    for sum in sums {
        total += sum;
    }
    total
}

/// The sums of gradient times scale, and of these products times the normalised values.
#[inline(always)]
fn products(gradient: &[f32], gamma: &[f32], normalised: &[f32]) -> [f32; 2] {
    let (mut plain, mut projected) = ([0f32; SIDE], [0f32; SIDE]);
    let ((gradients, rest), (gammas, gammas_rest)) = (gradient.as_chunks::<SIDE>(), gamma.as_chunks::<SIDE>());
    let (values, values_rest) = normalised.as_chunks::<SIDE>();
    for ((gradients, gammas), values) in gradients.iter().zip(gammas).zip(values) {
        let sums = plain.iter_mut().zip(&mut projected);
        for ((((plain, projected), g), gamma), x) in sums.zip(gradients).zip(gammas).zip(values) {
            *plain += g * gamma;
            *projected += g * gamma * x;
        }
    }
    let mut totals = [0f32; 2];
    for ((g, gamma), x) in rest.iter().zip(gammas_rest).zip(values_rest) {
        totals[0] += g * gamma;
        totals[1] += g * gamma * x;
    }
    for (plain, projected) in plain.iter().zip(&projected) {
        totals[0] += plain;
        totals[1] += projected;
    }
    totals
}
