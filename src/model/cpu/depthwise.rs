//! The depthwise 7×7 convolution of images and its gradients.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The side length of ConvNeXt's depthwise kernels.
const KERNEL: usize = 7;
/// The number of pixels on each side of the centre.
const REACH: usize = KERNEL / 2;

/// The number of taps of a kernel.
pub(super) const TAPS: usize = KERNEL * KERNEL;

/// Depthwise 7×7 convolution with zero padding of images of n×n pixels, `[images, n·n, channels]`. `weight` is
/// `[49, channels]`.
pub(super) fn depthwise(input: &[f32], n: usize, weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let channels = bias.len();
    let mut output = vec![0f32; input.len()];
    let arch = Arch::new();
    output.par_chunks_mut((n * channels).max(1)).enumerate().for_each(|(line, output)| {
        let (image, y) = (line / n, line % n);
        let input = &input[image * n * n * channels..][..n * n * channels];
        arch.dispatch(Line { line: output, y, n, input, weight, bias });
    });
    output
}

/// Returns the gradients with respect to input, weight and bias from the gradient with respect to the output.
pub(super) fn backward(input: &[f32], gradient: &[f32], n: usize, weight: &[f32]) -> [Vec<f32>; 3] {
    let channels = weight.len() / TAPS;
    // The gradient passes through the kernel turned by 180°.
    let turned: Vec<f32> = weight.chunks_exact(channels).rev().flatten().copied().collect();
    let by_input = depthwise(gradient, n, &turned, &vec![0f32; channels]);
    let arch = Arch::new();
    let size = (n * n * channels).max(1);
    let parts: Vec<Vec<f32>> = input
        .par_chunks_exact(size)
        .zip(gradient.par_chunks_exact(size))
        .map(|(input, gradient)| {
            let padded = padded(input, n, channels);
            arch.dispatch(ByWeight { padded: &padded, gradient, n, channels })
        })
        .collect();
    let (mut by_weight, mut by_bias) = (vec![0f32; weight.len()], vec![0f32; channels]);
    for part in parts {
        by_weight.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    for pixel in gradient.chunks_exact(channels) {
        by_bias.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
    }
    [by_input, by_weight, by_bias]
}

/// An image with a border of zeros that is as wide as the kernel reaches.
fn padded(input: &[f32], n: usize, channels: usize) -> Vec<f32> {
    let stride = (n + 2 * REACH) * channels;
    let mut padded = vec![0f32; (n + 2 * REACH) * stride];
    for (line, input) in padded[REACH * stride..].chunks_exact_mut(stride).zip(input.chunks_exact(n * channels)) {
        line[REACH * channels..][..n * channels].copy_from_slice(input);
    }
    padded
}

/// The gradient of an image with respect to the weight.
struct ByWeight<'a> {
    padded: &'a [f32],
    gradient: &'a [f32],
    n: usize,
    channels: usize,
}

impl WithSimd for ByWeight<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { padded, gradient, n, channels } = self;
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        let mut output = vec![0f32; TAPS * channels];
        for row in 0..KERNEL {
            let output = &mut output[row * KERNEL * channels..][..KERNEL * channels];
            if channels < lanes {
                for (place, sum) in output.iter_mut().enumerate() {
                    let (tap, channel) = (place / channels, place % channels);
                    for (pixel, gradient) in gradient.chunks_exact(channels).enumerate() {
                        let first = (pixel / n + row) * (n + 2 * REACH) + pixel % n + tap;
                        *sum += gradient[channel] * padded[first * channels + channel];
                    }
                }
                continue;
            }
            for block in 0..channels.div_ceil(lanes) {
                // The last vector may overlap the one before it, which has the same sums.
                let channel = (block * lanes).min(channels - lanes);
                seven_taps(simd, padded, gradient, n, channels, row, channel, output);
            }
        }
        output
    }
}

/// Stores the sums of a vector of channels for the seven taps of a row of the kernel. They are separate variables, because
/// the compiler would keep an array of them in memory.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn seven_taps<S: Simd>(
    simd: S,
    padded: &[f32],
    gradient: &[f32],
    n: usize,
    channels: usize,
    row: usize,
    channel: usize,
    output: &mut [f32],
) {
    let lanes = size_of::<S::f32s>() / size_of::<f32>();
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g] = [simd.splat_f32s(0.0); KERNEL];
    let stride = (n + 2 * REACH) * channels;
    for (line, gradient) in padded[row * stride..].chunks_exact(stride).zip(gradient.chunks_exact(n * channels)) {
        for (first, gradient) in (channel..).step_by(channels).zip(gradient.chunks_exact(channels)) {
            let by = S::as_simd_f32s(&gradient[channel..channel + lanes]).0[0];
            macro_rules! tap {
                ($number:literal, $sum:ident) => {
                    let start = first + $number * channels;
                    $sum = simd.mul_add_f32s(by, S::as_simd_f32s(&line[start..start + lanes]).0[0], $sum);
                };
            }
            tap!(0, a);
            tap!(1, b);
            tap!(2, c);
            tap!(3, d);
            tap!(4, e);
            tap!(5, f);
            tap!(6, g);
        }
    }
    for (output, sum) in output.chunks_exact_mut(channels).zip([a, b, c, d, e, f, g]) {
        S::as_mut_simd_f32s(&mut output[channel..channel + lanes]).0[0] = sum;
    }
}

/// One line of the output.
struct Line<'a> {
    line: &'a mut [f32],
    y: usize,
    n: usize,
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
}

/// The taps of a pixel that lie in the image.
#[derive(Clone, Copy)]
struct Pixel<'a> {
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    /// For each line of the image that is read, the first value of its pixels and of its weights.
    lines: &'a [(usize, usize)],
    /// The number of taps in a line.
    taps: usize,
}

impl WithSimd for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { line, y, n, input, weight, bias } = self;
        let channels = bias.len();
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(n);
        for (x, output) in line.chunks_exact_mut(channels).enumerate() {
            let (left, right) = (x.saturating_sub(REACH), (x + REACH + 1).min(n));
            let mut lines = [(0, 0); KERNEL];
            for (line, row) in lines.iter_mut().zip(rows.clone()) {
                let tap = (row + REACH - y) * KERNEL + left + REACH - x;
                *line = ((row * n + left) * channels, tap * channels);
            }
            let pixel = Pixel { input, weight, bias, lines: &lines[..rows.len()], taps: right - left };
            let mut channel = 0;
            while channel < channels {
                let vectors = (channels - channel) / lanes;
                channel += match vectors {
                    6.. => six(simd, pixel, channel, &mut output[channel..]),
                    2.. => two(simd, pixel, channel, &mut output[channel..]),
                    1 => one(simd, pixel, channel, &mut output[channel..]),
                    // The last vector may overlap the one before it, which has the same values in the same places.
                    0 if channels > lanes => {
                        let last = channels - lanes;
                        one(simd, pixel, last, &mut output[last..]);
                        lanes
                    }
                    0 => {
                        output[channel] = alone(pixel, channel);
                        1
                    }
                }
            }
        }
    }
}

/// The sum of a channel of an image that has fewer of them than a vector.
#[inline(always)]
fn alone(pixel: Pixel, channel: usize) -> f32 {
    let channels = pixel.bias.len();
    let mut sum = pixel.bias[channel];
    for (image, taps) in pixel.lines {
        for tap in 0..pixel.taps {
            let offset = tap * channels + channel;
            sum += pixel.input[image + offset] * pixel.weight[taps + offset];
        }
    }
    sum
}

/// Defines the sums of some vectors of channels, which stay in registers over all taps. Returns the number of channels.
macro_rules! sums {
    ($name:ident, $([$sum:ident $value:ident $weight:ident $vector:literal])*) => {
        #[inline(always)]
        fn $name<S: Simd>(simd: S, pixel: Pixel, channel: usize, output: &mut [f32]) -> usize {
            let [$($sum,)* ..] = S::as_simd_f32s(&pixel.bias[channel..]).0 else {
                unreachable!("there are so many channels");
            };
            $(let mut $sum = *$sum;)*
            let channels = pixel.bias.len();
            for (image, taps) in pixel.lines {
                let values = pixel.input[*image..].chunks(channels);
                let weights = pixel.weight[*taps..].chunks(channels);
                for (values, weights) in values.zip(weights).take(pixel.taps) {
                    let ([$($value,)* ..], [$($weight,)* ..]) =
                        (S::as_simd_f32s(&values[channel..]).0, S::as_simd_f32s(&weights[channel..]).0)
                    else {
                        unreachable!("there are so many channels");
                    };
                    $($sum = simd.mul_add_f32s(*$value, *$weight, $sum);)*
                }
            }
            let output = S::as_mut_simd_f32s(output).0;
            $(output[$vector] = $sum;)*
            [$($vector),*].len() * (size_of::<S::f32s>() / size_of::<f32>())
        }
    };
}

sums!(six, [a v0 w0 0] [b v1 w1 1] [c v2 w2 2] [d v3 w3 3] [e v4 w4 4] [f v5 w5 5]);
sums!(two, [a v0 w0 0] [b v1 w1 1]);
sums!(one, [a v0 w0 0]);
