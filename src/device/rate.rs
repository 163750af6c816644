//! The speed of a device, as the rate of a matrix product.

use std::time::Instant;

use burn::tensor::{Distribution, FloatDType, Tensor};

use super::{Fault, OpenDevice, guarded};

/// The number of products that are timed.
const ROUNDS: usize = 5;
/// The side lengths that are tried. The smallest one is for software renderers, where larger ones take minutes.
const SIDES: [usize; 4] = [64, 256, 1024, 4096];
/// The duration in milliseconds below which a product is too short to measure, and the next larger one is taken.
const SHORT: f64 = 4.0;

/// The measured rate of a square matrix product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProductRate {
    /// The side length of the matrices.
    pub side: usize,
    /// The duration of the first product in milliseconds, with the compilation and tuning of its kernel.
    pub first_ms: f64,
    /// The median duration of the products after it in milliseconds.
    pub ms: f64,
}

impl ProductRate {
    /// Returns the rate in GFLOP/s: 2·side³ operations for each product.
    pub fn gflops(self) -> f64 {
        2.0 * (self.side as f64).powi(3) / (self.ms * 1e6)
    }
}

/// Times products of 1024³ on a usual CPU, of 4096³ on a GPU, and of 64³ on a software renderer, in the precision of the device.
///
/// # Errors
/// The device failed.
pub fn product_rate(open: &OpenDevice) -> Result<ProductRate, Fault> {
    guarded(&open.name, || {
        let [first, larger @ ..] = SIDES;
        if open.is_software {
            return rate_of(first, open);
        }
        larger
            .iter()
            .fold(rate_of(first, open), |rate, side| if rate.ms < SHORT { rate_of(*side, open) } else { rate })
    })
}

/// Times the product of this size.
///
/// # Errors
/// The device failed.
pub fn product_rate_at(side: usize, open: &OpenDevice) -> Result<ProductRate, Fault> {
    guarded(&open.name, || rate_of(side, open))
}

fn rate_of(side: usize, open: &OpenDevice) -> ProductRate {
    let device = &open.device;
    let draw = || {
        let drawn = Tensor::<2>::random([side, side], Distribution::Default, device);
        if open.is_half { drawn.cast(FloatDType::F16) } else { drawn }
    };
    let (a, b) = (draw(), draw());
    device.sync().expect("the device answers");
    // Nothing is read back: a part of the product would let burn compute that part only.
    let time = || {
        let start = Instant::now();
        let product = a.clone().matmul(b.clone());
        device.sync().expect("the device answers");
        drop(product);
        start.elapsed().as_secs_f64() * 1e3
    };
    let first_ms = time();
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| time()).collect();
    times.sort_by(f64::total_cmp);
    ProductRate { side, first_ms, ms: times[ROUNDS / 2] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_two_operations_for_each_product_of_numbers() {
        let rate = ProductRate { side: 1000, first_ms: 0.0, ms: 10.0 };
        assert!((rate.gflops() - 200.0).abs() < 1e-9, "{}", rate.gflops());
    }
}
