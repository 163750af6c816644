//! The exact GELU and its gradient.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{erf, exp, gelu};

/// The number of values of a task.
const TASK: usize = 16 * 1024;

/// Computes `x Φ(x)`, where Φ is the distribution function of the standard normal distribution.
pub(super) fn forward(x: &[f32]) -> Vec<f32> {
    let mut output = vec![0f32; x.len()];
    let arch = Arch::new();
    let tasks = output.par_chunks_mut(TASK).zip(x.par_chunks(TASK));
    tasks.for_each(|(output, x)| arch.dispatch(Forward { output, x }));
    output
}

/// Returns the gradient with respect to `x` from the gradient with respect to the output.
pub(super) fn backward(x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut output = vec![0f32; x.len()];
    let arch = Arch::new();
    let tasks = output.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).zip(gradient.par_chunks(TASK));
    tasks.for_each(|((output, x), gradient)| arch.dispatch(Backward { output, x, gradient }));
    output
}

struct Forward<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (y, x) in self.output.iter_mut().zip(self.x) {
            *y = gelu(*x);
        }
    }
}

struct Backward<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
    gradient: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        /// 1 / √(2π), the density at 0.
        const DENSITY: f32 = 0.398_942_3;
        for ((y, x), g) in self.output.iter_mut().zip(self.x).zip(self.gradient) {
            let below = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
            *y = g * (below + x * DENSITY * exp(-0.5 * x * x));
        }
    }
}
