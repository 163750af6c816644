//! The spectrum filter of a stage as numbers (paper, section 3.3).
//!
//! The stage adds to its input what passes `1 − g`, `g[u,v] = exp(−((u−c)² + (v−c)²)/(2σ²))`, `c = ⌊n/2⌋`, on an
//! unshifted spectrum: index (0,0) is DC and `c` the highest frequency.

use crate::infer::Plane;

/// The value of σ before training.
pub const SIGMA_INIT: f32 = 5.0;

/// The filter of one stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// The width σ of the Gaussian, in frequency bins.
    pub sigma: f32,
    /// The side length of the grid.
    pub grid: usize,
}

impl Filter {
    /// Returns the coefficient `1 − g` at index `[u, v]` of the unshifted spectrum.
    pub fn coefficient(&self, u: usize, v: usize) -> f32 {
        let centre = (self.grid / 2) as f64;
        let distance = (u as f64 - centre).powi(2) + (v as f64 - centre).powi(2);
        let sigma = f64::from(self.sigma);
        (1.0 - (-distance / (2.0 * sigma * sigma)).exp()) as f32
    }

    /// Returns all coefficients as the network applies them, `n × n`, with DC in the corner.
    pub fn map(&self) -> Plane {
        let n = self.grid;
        Plane { width: n, height: n, values: (0..n * n).map(|at| self.coefficient(at / n, at % n)).collect() }
    }

    /// Returns the same with DC at `[⌊n/2⌋, ⌊n/2⌋]`, as in the paper's spectra.
    pub fn centred_map(&self) -> Plane {
        let (n, half) = (self.grid, self.grid / 2);
        let shifted = |at: usize| (at + n - half) % n;
        let values = (0..n * n).map(|at| self.coefficient(shifted(at / n), shifted(at % n))).collect();
        Plane { width: n, height: n, values }
    }

    /// Returns the radial response: the mean coefficient of each ring of equal distance from DC (folded frequencies:
    /// `min(u, n − u)`), rounded to whole bins, from DC to the corners.
    pub fn rings(&self) -> Vec<f64> {
        let n = self.grid;
        let folded = |u: usize| u.min(n - u) as f64;
        let mut rings: Vec<(f64, usize)> = Vec::new();
        for at in 0..n * n {
            let ring = folded(at / n).hypot(folded(at % n)).round() as usize;
            rings.resize(rings.len().max(ring + 1), (0.0, 0));
            rings[ring].0 += f64::from(self.coefficient(at / n, at % n));
            rings[ring].1 += 1;
        }
        rings.into_iter().map(|(sum, count)| sum / count.max(1) as f64).collect()
    }

    /// Returns the gain for the mean of the map.
    pub fn gain_at_dc(&self) -> f32 {
        self.coefficient(0, 0)
    }

    /// Returns the gain for the finest pattern along both axes.
    pub fn gain_at_highest(&self) -> f32 {
        self.coefficient(self.grid / 2, self.grid / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_those_of_the_description() {
        for (grid, expected) in [(7, 0.30), (14, 0.86), (28, 1.0)] {
            let filter = Filter { sigma: SIGMA_INIT, grid };
            assert!((filter.gain_at_dc() - expected).abs() < 0.005, "{grid}: {}", filter.gain_at_dc());
            assert_eq!(filter.gain_at_highest(), 0.0, "the centre of g");
        }
    }

    #[test]
    fn maps_follow_the_formula_on_even_and_odd_grids() {
        for (grid, sigma) in [(7usize, 6.18f32), (14, 4.7), (28, 0.95), (5, 1.0)] {
            let filter = Filter { sigma, grid };
            let (map, centred) = (filter.map(), filter.centred_map());
            let c = (grid / 2) as f32;
            for u in 0..grid {
                for v in 0..grid {
                    let g = (-((u as f32 - c).powi(2) + (v as f32 - c).powi(2)) / (2.0 * sigma * sigma)).exp();
                    assert!((map.values[u * grid + v] - (1.0 - g)).abs() < 1e-6, "{grid}: {u}, {v}");
                    let (y, x) = ((u + grid / 2) % grid, (v + grid / 2) % grid);
                    assert_eq!(centred.values[y * grid + x], map.values[u * grid + v], "{grid}: {u}, {v}");
                }
            }
            // DC is at the same position as in the paper.
            assert_eq!(centred.values[grid / 2 * grid + grid / 2], filter.gain_at_dc());
        }
    }

    #[test]
    fn the_response_is_the_mean_of_what_lies_at_a_distance() {
        // With n = 7, distances that round to 1 are one step along one axis or along both. The odd grid has no
        // mirror symmetry, so they differ.
        let filter = Filter { sigma: 2.0, grid: 7 };
        let at = |u, v| f64::from(filter.coefficient(u, v));
        let ring = [(0, 1), (1, 0), (0, 6), (6, 0), (1, 1), (1, 6), (6, 1), (6, 6)];
        let mean = ring.iter().map(|(u, v)| at(*u, *v)).sum::<f64>() / 8.0;
        assert!((filter.rings()[1] - mean).abs() < 1e-9);
        assert_ne!(at(0, 1), at(0, 6));
    }

    #[test]
    fn rings_hold_every_frequency_once() {
        for (grid, sigma) in [(7usize, 2.0f32), (14, 5.0), (28, 0.95)] {
            let filter = Filter { sigma, grid };
            let rings = filter.rings();
            let folded = |u: usize| u.min(grid - u) as f64;
            let distance = |at: usize| folded(at / grid).hypot(folded(at % grid)).round() as usize;
            let sum: f64 = (0..grid * grid).map(|at| rings[distance(at)]).sum();
            let expected: f64 = filter.map().values.iter().map(|value| f64::from(*value)).sum();
            assert!((sum - expected).abs() < 1e-6, "{grid}: {sum} against {expected}");
            assert_eq!(rings[0], f64::from(filter.gain_at_dc()));
        }
    }
}
