//! The power of feature maps by spatial frequency.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// The mean power of `x`, `[channels, n, n]`, over all channels and over each ring of equal distance from DC:
/// `⌊n/2⌋ + 1` values from DC outwards. The ring of a frequency is its rounded distance; frequencies beyond the
/// last ring (the corners) belong to the last ring.
pub fn radial_power(x: &[f32], n: usize) -> Vec<f32> {
    let rings = n / 2 + 1;
    if n == 0 {
        return vec![0.0];
    }
    let folded = |u: usize| u.min(n - u) as f64;
    let ring = |u: usize, v: usize| (folded(u).hypot(folded(v)).round() as usize).min(rings - 1);
    let mut counts = vec![0usize; rings];
    (0..n * n).for_each(|at| counts[ring(at / n, at % n)] += 1);

    let mut transform = RowTransform::new(n);
    let mut power = vec![0f64; rings];
    // The first half of each row's spectrum, which determines the other half: `n` rows of `⌊n/2⌋ + 1` values.
    let mut rows: Vec<Complex<f64>> = Vec::with_capacity(n * rings);
    for plane in x.chunks_exact(n * n) {
        rows.clear();
        for row in plane.chunks_exact(n) {
            rows.extend_from_slice(transform.of(row.iter().map(|value| f64::from(*value))));
        }
        for v in 0..rings {
            // The real and imaginary parts of a column are real series as well.
            let column = |part: fn(&Complex<f64>) -> f64| rows[v..].iter().step_by(rings).map(part);
            let real = transform.of(column(|value| value.re)).to_vec();
            let imaginary = transform.of(column(|value| value.im));
            // The omitted columns have the same power, mirrored in both directions.
            let share = if v == 0 || 2 * v == n { 1.0 } else { 2.0 };
            for u in 0..n {
                let at = |half: &[Complex<f64>]| if u < rings { half[u] } else { half[n - u].conj() };
                let value: Complex<f64> = at(&real) + Complex::<f64>::i() * at(imaginary);
                power[ring(u, v)] += share * value.norm_sqr();
            }
        }
    }
    let planes = (x.len() / (n * n)).max(1);
    power.iter().zip(&counts).map(|(sum, &count)| (sum / (planes * count.max(1)) as f64) as f32).collect()
}

/// The discrete Fourier transform of single rows.
struct RowTransform {
    plan: Arc<dyn RealToComplex<f64>>,
    input: Vec<f64>,
    output: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl RowTransform {
    /// Plans the transform for rows of `n` values.
    fn new(n: usize) -> Self {
        let plan = RealFftPlanner::new().plan_fft_forward(n);
        let (input, output, scratch) = (plan.make_input_vec(), plan.make_output_vec(), plan.make_scratch_vec());
        Self { plan, input, output, scratch }
    }

    /// The frequencies 0 to `⌊n/2⌋` of a row; the others are their complex conjugates.
    fn of(&mut self, row: impl Iterator<Item = f64>) -> &[Complex<f64>] {
        self.input.iter_mut().zip(row).for_each(|(place, value)| *place = value);
        let done = self.plan.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
        // Only mismatched lengths are rejected, and these buffers come from the plan.
        debug_assert!(done.is_ok());
        &self.output
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// Computes the definition term by term.
    fn by_definition(x: &[f32], n: usize) -> Vec<f32> {
        let rings = n / 2 + 1;
        let folded = |u: usize| u.min(n - u) as f64;
        let (mut power, mut count) = (vec![0f64; rings], vec![0usize; rings]);
        for plane in x.chunks_exact(n * n) {
            for (u, v) in (0..n * n).map(|at| (at / n, at % n)) {
                let terms = plane.iter().enumerate().map(|(at, value)| {
                    let angle = -TAU * ((u * (at / n) + v * (at % n)) % n) as f64 / n as f64;
                    Complex::from_polar(f64::from(*value), angle)
                });
                let ring = (folded(u).hypot(folded(v)).round() as usize).min(rings - 1);
                power[ring] += terms.sum::<Complex<f64>>().norm_sqr();
                count[ring] += 1;
            }
        }
        power.iter().zip(&count).map(|(sum, &count)| (sum / count as f64) as f32).collect()
    }

    #[test]
    fn every_ring_has_the_power_of_the_definition() {
        let mut random = fastrand::Rng::with_seed(5);
        for n in [1, 2, 7, 14] {
            let x: Vec<f32> = (0..3 * n * n).map(|_| random.f32() * 2.0 - 0.5).collect();
            for (ours, theirs) in radial_power(&x, n).iter().zip(by_definition(&x, n)) {
                assert!((ours - theirs).abs() <= 1e-5 * theirs.abs(), "{n}: {ours} against {theirs}");
            }
        }
    }

    #[test]
    fn a_wave_has_its_power_in_its_ring() {
        for n in [7, 14] {
            let wave = |k: f64| -> Vec<f32> {
                (0..n * n).map(|at| (TAU * k * (at % n) as f64 / n as f64).cos() as f32).collect()
            };
            let constant = radial_power(&wave(0.0), n);
            assert!((f64::from(constant[0]) - (n as f64).powi(4)).abs() < 1.0, "{constant:?}");
            assert!(constant[1..].iter().all(|power| *power < 1e-3), "{constant:?}");
            let second = radial_power(&wave(2.0), n);
            assert!(second.iter().enumerate().all(|(ring, power)| (ring == 2) == (*power > 1.0)), "{second:?}");
        }
    }
}
