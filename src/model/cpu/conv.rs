//! 3×3 convolutions of one image, `[n², channels]`, as products with packed weights.

use rayon::prelude::*;

use super::Activation;
use super::product::{PackedWeights, Rows};

/// The border of zeros around a padded image.
const BORDER: usize = 1;
/// The number of taps of a 3×3 kernel.
pub const TAPS: usize = 9;

/// The weights of an up block: the transposed convolution to `[2, 2, C/2]` values for each position, and one or two
/// convolutions.
#[derive(Debug)]
pub struct PackedUp {
    /// The transposed convolution, from C to the four positions of the finer grid times C/2.
    pub raise: PackedWeights,
    /// The convolution of the raised values and the skip connection.
    pub first: PackedWeights,
    /// The convolution after it, if there is one.
    pub second: Option<PackedWeights>,
    /// The activation after each of the two.
    pub activation: Activation,
}

impl PackedUp {
    /// Maps `x`, `[n², C]`, and `skip`, `[4n², C/2]`, to `[4n², C/2]`.
    pub(super) fn forward(&self, x: &[f32], skip: &[f32], n: usize) -> Vec<f32> {
        let raised = self.raise.multiply(x, Rows::same(n * n), Activation::None, None);
        let (fine, half) = (2 * n, self.first.output());
        let both = padded(fine, 2 * half, |row, column, values| {
            let coarse = row / 2 * n + column / 2;
            let place = coarse * 4 + row % 2 * 2 + column % 2;
            values[..half].copy_from_slice(&raised[place * half..][..half]);
            values[half..].copy_from_slice(&skip[(row * fine + column) * half..][..half]);
        });
        let y = convolve_padded(&both, &self.first, fine, self.activation);
        match &self.second {
            Some(second) => convolve(&y, second, fine, self.activation),
            None => y,
        }
    }
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
