//! Power of feature maps by spatial frequency.

use std::f64::consts::TAU;

/// Mean power over `channels` and over each ring of equal distance from DC, `⌊n/2⌋ + 1` values from DC outwards, of
/// `x`, `[channels, n, n]`. A ring holds the frequencies whose distance, rounded, is its number; what lies farther than the last
/// one (the corners) belongs to the last.
pub fn radial_power(x: &[f32], n: usize) -> Vec<f32> {
    let wave: Vec<(f64, f64)> =
        (0..n).map(|k| TAU * k as f64 / n as f64).map(|angle| (angle.cos(), angle.sin())).collect();
    let rings = n / 2 + 1;
    let folded = |u: usize| u.min(n - u) as f64;
    let ring: Vec<usize> =
        (0..n * n).map(|at| (folded(at / n).hypot(folded(at % n)).round() as usize).min(rings - 1)).collect();
    let (mut power, mut count) = (vec![0f64; rings], vec![0usize; rings]);
    let mut rows = vec![(0f64, 0f64); n * n];
    for plane in x.chunks_exact(n * n) {
        for y in 0..n {
            for v in 0..n {
                rows[y * n + v] = (0..n).fold((0.0, 0.0), |(re, im), k| {
                    let (cos, sin) = wave[k * v % n];
                    let value = f64::from(plane[y * n + k]);
                    (re + value * cos, im - value * sin)
                });
            }
        }
        for u in 0..n {
            for v in 0..n {
                let (re, im) = (0..n).fold((0.0, 0.0), |(re, im), k| {
                    let (cos, sin) = wave[k * u % n];
                    let (a, b) = rows[k * n + v];
                    (re + a * cos + b * sin, im + b * cos - a * sin)
                });
                let ring = ring[u * n + v];
                power[ring] += re * re + im * im;
                count[ring] += 1;
            }
        }
    }
    power.iter().zip(&count).map(|(sum, &count)| (sum / count.max(1) as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
