//! Operations for the CPU: products and convolutions with packed weights, exact GELU, attention, and batch norm in
//! training.
//!
//! burn's CPU backend computes functions one element at a time through the C library, each in a pass over memory of
//! its own. Here they run on all threads, in loops that the compiler vectorises for the widest instructions of the
//! machine (`pulp` chooses them at run time).

mod activation;
mod attention;
mod batch_norm;
pub mod conv;
mod depthwise;
mod gradients;
mod grid_conv;
pub mod group_norm;
mod layer_norm;
mod operations;
pub mod product;
mod training;

pub use batch_norm::batch_norm_leaky_relu;
pub use gradients::attend;
pub use operations::{convolution, depthwise7, group_norm, max_pool, product, product_onto, up_block};
pub use training::{convolution_same, depthwise7_last, exact_gelu, layer_norm};

use burn::tensor::Device;

/// Whether a tensor on this device is in the memory of this process and has no gradients.
pub fn is_plain_cpu(device: &Device) -> bool {
    !device.is_autodiff() && *device == Device::flex()
}

/// Whether a tensor on this device is in the memory of this process, with or without gradients.
pub fn is_cpu(device: &Device) -> bool {
    let plain = if device.is_autodiff() { device.clone().inner() } else { device.clone() };
    plain == Device::flex()
}

/// The activation after a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// No activation.
    None,
    /// The exact GELU.
    Gelu,
    /// `max(x, 0)`.
    Relu,
    /// x for x > 0, otherwise 0.01 x.
    LeakyRelu,
}

/// Adds `bias` to a row and applies the activation.
#[inline(always)]
fn bias_activation(row: &mut [f32], bias: &[f32], activation: Activation) {
    match activation {
        Activation::None => {
            for (x, b) in row.iter_mut().zip(bias) {
                *x += b;
            }
        }
        Activation::Gelu => {
            for (x, b) in row.iter_mut().zip(bias) {
                *x = gelu(*x + b);
            }
        }
        Activation::Relu => {
            for (x, b) in row.iter_mut().zip(bias) {
                *x = (*x + b).max(0.0);
            }
        }
        Activation::LeakyRelu => {
            for (x, b) in row.iter_mut().zip(bias) {
                let y = *x + b;
                *x = y.max(0.01 * y);
            }
        }
    }
}

/// Computes `x Φ(x)`, where Φ is the distribution function of the standard normal distribution.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function as a quotient of polynomials on ±4, where it reaches 1 to the last bit. The error is below
/// 5e-7.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let mut p = -2.726_142_3e-10f32;
    for c in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_5e-5, -7.349_906_4e-4, -2.954_6e-3, -1.609_603_3e-2] {
        p = p * s + c;
    }
    let mut q = -1.456_607_2e-5f32;
    for c in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        q = q * s + c;
    }
    x * p / q
}

/// Computes `e^x` for x ≤ 0 by range reduction. The relative error is below 3e-7; below −87 the result is 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ leaves the nearest integer in the lowest bits, and the shift makes it an exponent. No step
    // branches on the value, so that the surrounding loop can be vectorised.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4f32;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_5e-2, 0.166_666_65, 0.5] {
        p = p * r + c;
    }
    let value = p * r * r + r + 1.0;
    value * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tensor, activation};

    #[test]
    fn erf_and_exp_are_exact_to_seven_digits() {
        // The series of erf in f64, which is accurate to 1e-15 for these arguments.
        let series = |x: f64| {
            let (mut term, mut sum) = (x, x);
            for k in 1..200 {
                term *= -x * x / k as f64;
                sum += term / (2 * k + 1) as f64;
            }
            sum * 2.0 / std::f64::consts::PI.sqrt()
        };
        for step in -400..=400 {
            let x = step as f32 / 100.0;
            let error = (f64::from(erf(x)) - series(f64::from(x))).abs();
            assert!(error < 5e-7, "erf({x}): {error:e}");
        }
        for step in 0..8700 {
            let x = -(step as f32) / 100.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp({x})");
        }
    }

    #[test]
    fn kernels_agree_with_the_library() {
        let device = Device::flex();
        let x = Tensor::<2>::random([49, 33], Distribution::Normal(0.0, 2.0), &device);
        let close = |a: Tensor<2>, b: Tensor<2>| {
            let worst = (a - b).abs().max().into_scalar::<f32>();
            assert!(worst < 2e-6, "{worst:e}");
        };
        let identity: Vec<f32> = (0..33 * 33).map(|place| f32::from(u8::from(place % 34 == 0))).collect();
        let weights = product::PackedWeights::new(&identity, vec![0.0; 33], 1);
        close(product(x.clone(), &weights, Activation::Gelu), activation::gelu(x.clone()));
        let weight = Tensor::<4>::random([33, 1, 7, 7], Distribution::Default, &device);
        let bias = Tensor::<1>::random([33], Distribution::Default, &device);
        let options = burn::tensor::ops::ConvOptions::new([1, 1], [3, 3], [1, 1], 33);
        let planes = x.clone().transpose().reshape([1, 33, 7, 7]);
        let expected = burn::tensor::module::conv2d(planes, weight.clone(), Some(bias.clone()), options);
        let taps: Vec<f32> = weight.reshape([33, 49]).transpose().into_data().iter().collect();
        let bias: Vec<f32> = bias.into_data().iter().collect();
        let ours = depthwise7(x, 7, &taps, &bias);
        let worst = (ours - expected.reshape([33, 49]).transpose()).abs().max().into_scalar::<f32>();
        assert!(worst < 2e-5, "{worst:e}");
    }
}
