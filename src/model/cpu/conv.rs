//! 3×3 convolutions of one image, `[n², channels]`, as products with packed weights.

use rayon::prelude::*;

use super::Activation;
use super::product::{PackedWeights, Rows};

/// The border of zeros around a padded image.
const BORDER: usize = 1;
/// The number of taps of a 3×3 kernel.
pub const TAPS: usize = 9;

/// How an up block doubles its grid.
#[derive(Debug)]
pub enum PackedRaise {
    /// By a transposed convolution to `[2, 2, channels]` values for each position.
    Learned(PackedWeights),
    /// By bilinear interpolation from corner to corner.
    Bilinear,
}

/// The weights of an up block: how it doubles the grid, and one or two convolutions.
#[derive(Debug)]
pub struct PackedUp {
    /// How the grid is doubled.
    pub raise: PackedRaise,
    /// The convolution of the raised values and the skip connection.
    pub first: PackedWeights,
    /// The convolution after it, if there is one.
    pub second: Option<PackedWeights>,
    /// The activation after each of the two.
    pub activation: Activation,
}

impl PackedUp {
    /// The number of channels of its output.
    pub(super) fn output(&self) -> usize {
        self.second.as_ref().unwrap_or(&self.first).output()
    }

    /// Maps `x`, `[n², in]`, and `skip`, `[4n², channels]`, which may be empty, to `[4n², out]`.
    pub(super) fn forward(&self, x: &[f32], skip: &[f32], n: usize) -> Vec<f32> {
        let fine = 2 * n;
        let of_skip = skip.len() / (fine * fine).max(1);
        let both = match &self.raise {
            PackedRaise::Learned(weights) => {
                let raised = weights.multiply(x, Rows::same(n * n), Activation::None, None);
                let channels = weights.output() / 4;
                padded(fine, channels + of_skip, |row, column, values| {
                    let coarse = row / 2 * n + column / 2;
                    let place = coarse * 4 + row % 2 * 2 + column % 2;
                    values[..channels].copy_from_slice(&raised[place * channels..][..channels]);
                    values[channels..].copy_from_slice(&skip[(row * fine + column) * of_skip..][..of_skip]);
                })
            }
            PackedRaise::Bilinear => {
                let (channels, between) = (x.len() / (n * n).max(1), between(n));
                let at = |row: usize, column: usize| &x[(row * n + column) * channels..][..channels];
                padded(fine, channels + of_skip, |row, column, values| {
                    let ((top, bottom, down), (left, right, along)) = (between[row], between[column]);
                    let upper = at(top, left).iter().zip(at(top, right));
                    let corners = upper.zip(at(bottom, left).iter().zip(at(bottom, right)));
                    for (value, ((a, b), (c, d))) in values.iter_mut().zip(corners) {
                        let (over, under) = ((1.0 - along) * a + along * b, (1.0 - along) * c + along * d);
                        *value = (1.0 - down) * over + down * under;
                    }
                    values[channels..].copy_from_slice(&skip[(row * fine + column) * of_skip..][..of_skip]);
                })
            }
        };
        let y = convolve_padded(&both, &self.first, fine, self.activation);
        match &self.second {
            Some(second) => convolve(&y, second, fine, self.activation),
            None => y,
        }
    }
}

/// For each of the `2n` lines of a grid that is doubled from corner to corner, the two lines between which it lies and
/// the weight of the second.
pub fn between(n: usize) -> Vec<(usize, usize, f32)> {
    let scale = n.saturating_sub(1) as f32 / (2 * n).saturating_sub(1).max(1) as f32;
    let line = |index: usize| {
        let place = scale * index as f32;
        let before = (place as usize).min(n.saturating_sub(1));
        (before, (before + 1).min(n.saturating_sub(1)), place - before as f32)
    };
    (0..2 * n).map(line).collect()
}

/// The maximum of every square of `kernel`×`kernel` positions of `x`, `[n², channels]`, at every second line and column.
/// Squares that would cross the border are left out.
pub(super) fn max_pool(x: &[f32], n: usize, kernel: usize) -> Vec<f32> {
    let (channels, m) = (x.len() / (n * n).max(1), (n - kernel) / 2 + 1);
    let mut output = vec![f32::NEG_INFINITY; m * m * channels];
    output.par_chunks_exact_mut((m * channels).max(1)).enumerate().for_each(|(row, line)| {
        for (column, values) in line.chunks_exact_mut(channels.max(1)).enumerate() {
            for (dy, dx) in (0..kernel * kernel).map(|tap| (tap / kernel, tap % kernel)) {
                let place = (2 * row + dy) * n + 2 * column + dx;
                for (value, x) in values.iter_mut().zip(&x[place * channels..][..channels]) {
                    // A value that is no number is kept, so that it is seen.
                    *value = if *x > *value || x.is_nan() { *x } else { *value };
                }
            }
        }
    });
    output
}

/// Maps `x`, `[n², in]`, to `[n², out]`.
pub(super) fn convolve(x: &[f32], weights: &PackedWeights, n: usize, activation: Activation) -> Vec<f32> {
    let channels = x.len() / (n * n).max(1);
    let image = padded(n, channels, |row, column, values| {
        values.copy_from_slice(&x[(row * n + column) * channels..][..channels]);
    });
    convolve_padded(&image, weights, n, activation)
}

fn convolve_padded(image: &[f32], weights: &PackedWeights, n: usize, activation: Activation) -> Vec<f32> {
    let stride = n + 2 * BORDER;
    let offsets: [usize; TAPS] = std::array::from_fn(|tap| tap / 3 * stride + tap % 3);
    weights.multiply(image, Rows { count: n * n, line: n, stride, offsets: &offsets }, activation, None)
}

/// An image of n×n pixels with a border of zeros. `fill` gets row and column of a pixel, and its channels.
fn padded(n: usize, channels: usize, fill: impl Fn(usize, usize, &mut [f32]) + Sync) -> Vec<f32> {
    let stride = n + 2 * BORDER;
    let mut image = vec![0f32; stride * stride * channels];
    let lines = image.par_chunks_exact_mut(stride * channels).skip(BORDER).take(n);
    lines.enumerate().for_each(|(row, line)| {
        let pixels = line[BORDER * channels..].chunks_exact_mut(channels).take(n);
        pixels.enumerate().for_each(|(column, values)| fill(row, column, values));
    });
    image
}
