//! The depthwise 7×7 convolution of one image.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The side length of ConvNeXt's depthwise kernels.
const KERNEL: usize = 7;
/// The number of pixels on each side of the centre.
const REACH: usize = KERNEL / 2;

/// Depthwise 7×7 convolution with zero padding of `input`, `[n·n, channels]`. `weight` is `[49, channels]`.
pub(super) fn depthwise(input: &[f32], n: usize, weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let channels = bias.len();
    let mut output = vec![0f32; n * n * channels];
    let arch = Arch::new();
    output
        .par_chunks_mut(n * channels)
        .enumerate()
        .for_each(|(y, line)| arch.dispatch(Line { line, y, n, input, weight, bias }));
    output
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
