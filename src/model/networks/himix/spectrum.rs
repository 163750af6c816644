//! The adaptive spectrum filter (ASRM) as two small matrix products, without an FFT.
//!
//! The authors compute `x + Re(IFFT2(FFT2(x) · (1 − g)))` with `g[u,v] = exp(−((u−c)² + (v−c)²)/(2σ²))`,
//! `c = ⌊n/2⌋`, on an unshifted spectrum (section 3.3 of the paper shows a shifted one). Both the transform and `g` are
//! separable, `g[u,v] = h[u]·h[v]`. With `C = F⁻¹ diag(h) F`, where F is the n×n Fourier matrix, this gives
//!
//! `y = 2x − Re(C x Cᵀ) = 2x − (A x Aᵀ − B x Bᵀ)`, where `C = A + iB`.
//!
//! `C` is circulant: `C[j,k] = (1/n) Σ_u h[u] e^(2πi u(j−k)/n)`. Hence `A` and `B` are fixed cosine and sine
//! tables times `h(σ)`, which is differentiable in σ on any device. For odd n, `h` is not symmetric around 0, so
//! that `B` does not vanish.

use std::f64::consts::TAU;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// The value of σ before training.
pub const SIGMA_INIT: f32 = 5.0;

/// The spectrum filter of a stage.
#[derive(Module, Debug)]
pub struct SpectrumFilter {
    /// The learned width in frequency bins, `[1]`.
    pub sigma: Param<Tensor<1>>,
    /// The squared distances `(u − ⌊n/2⌋)²`, `[1, n]`.
    distance: Tensor<2>,
    /// The table `cos(2π u d / n) / n` over the frequency u and the difference d, `[n, n·n]`. Column `j·n + k` has
    /// `d = j − k`.
    cosine: Tensor<2>,
    /// The same table with the sine.
    sine: Tensor<2>,
    side: usize,
}

impl SpectrumFilter {
    /// Creates a filter for an n×n grid.
    pub fn new(side: usize, device: &Device) -> Self {
        let centre = (side / 2) as f64;
        let distance = (0..side).map(|u| ((u as f64 - centre).powi(2)) as f32).collect();
        let table = |wave: fn(f64) -> f64| -> Tensor<2> {
            let mut values = Vec::with_capacity(side * side * side);
            for u in 0..side {
                for j in 0..side {
                    for k in 0..side {
                        // The product is reduced modulo n first because large angles would lose precision.
                        let step = (u * (j + side - k)) % side;
                        values.push((wave(TAU * step as f64 / side as f64) / side as f64) as f32);
                    }
                }
            }
            Tensor::from_data(TensorData::new(values, [side, side * side]), device)
        };
        Self {
            sigma: Param::from_data([SIGMA_INIT], device),
            distance: Tensor::from_data(TensorData::new::<f32, _>(distance, [1, side]), device),
            cosine: table(f64::cos),
            sine: table(f64::sin),
            side,
        }
    }

    /// Returns the filter with another width.
    pub fn with_sigma(&self, sigma: f32) -> Self {
        Self { sigma: Param::from_data([sigma], &self.distance.device()), ..self.clone() }
    }

    /// The real and imaginary parts of `C`, each `[n, n]`.
    fn operators(&self) -> (Tensor<2>, Tensor<2>) {
        let n = self.side;
        let variance = self.sigma.val().square() * 2.0;
        let gain = (self.distance.clone() / variance.unsqueeze::<2>()).neg().exp();
        let real = gain.clone().matmul(self.cosine.clone()).reshape([n, n]);
        (real, gain.matmul(self.sine.clone()).reshape([n, n]))
    }

    /// The filter as one matrix over flattened row-major positions, `[n², n²]`.
    pub fn matrix(&self) -> Tensor<2> {
        let n = self.side;
        let (real, imaginary) = self.operators();
        let kronecker = |m: Tensor<2>| -> Tensor<2> {
            let (rows, columns) = (m.clone().reshape([n, 1, n, 1]), m.reshape([1, n, 1, n]));
            (rows * columns).reshape([n * n, n * n])
        };
        let identity = Tensor::<2>::eye(n * n, &real.device());
        identity * 2.0 - (kronecker(real) - kronecker(imaginary))
    }

    /// Filters `[batch, channels, n, n]`; the shape is kept.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let n = self.side;
        let [batch, channels, _, _] = x.dims();
        let (real, imaginary) = self.operators();
        // The products from the right, with Aᵀ and Bᵀ, come first, then those from the left.
        let rows = x.clone().reshape([batch * channels * n, n]);
        let right_real = rows.clone().matmul(real.clone().transpose()).reshape([batch * channels, n, n]);
        let right_imaginary = rows.matmul(imaginary.clone().transpose()).reshape([batch * channels, n, n]);
        let low = multiply_left(real, right_real) - multiply_left(imaginary, right_imaginary);
        x * 2.0 - low.reshape([batch, channels, n, n])
    }
}

/// Multiplies `matrix`, `[n, n]`, with each plane of `[planes, n, n]` in one product over the columns of all
/// planes.
fn multiply_left(matrix: Tensor<2>, planes: Tensor<3>) -> Tensor<3> {
    let [count, n, _] = planes.dims();
    let columns = planes.swap_dims(1, 2).reshape([count * n, n]);
    columns.matmul(matrix.transpose()).reshape([count, n, n]).swap_dims(1, 2)
}
