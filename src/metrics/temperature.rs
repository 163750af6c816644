//! The temperature that fits logits to how often they are right (Guo et al., *On Calibration of Modern Neural Networks*,
//! ICML 2017).

use super::calibration::Reliability;

/// Logits beyond this count as this far from 0; their probability differs from 0 or 1 by less than 4e-11.
const FARTHEST: f64 = 24.0;
/// The number of intervals between two whole logits.
const STEPS: f64 = 128.0;
/// The number of halvings of the interval in which the temperature lies.
const HALVINGS: usize = 60;

/// The logits of pixels by class, as a histogram with intervals of 1/128, so that the pixels of a whole data set fit.
#[derive(Clone, Debug)]
pub struct LogitCounts {
    /// The numbers of background and foreground pixels of every interval.
    counts: Vec<[u64; 2]>,
}

impl Default for LogitCounts {
    fn default() -> Self {
        Self { counts: vec![[0; 2]; (2.0 * FARTHEST * STEPS) as usize + 1] }
    }
}

impl LogitCounts {
    /// Counts a pixel. A logit that is no number counts as 0.
    pub fn add(&mut self, logit: f64, is_foreground: bool) {
        let logit = if logit.is_nan() { 0.0 } else { logit.clamp(-FARTHEST, FARTHEST) };
        let at = ((logit + FARTHEST) * STEPS).round() as usize;
        self.counts[at][usize::from(is_foreground)] += 1;
    }

    /// Adds the pixels of another image.
    pub fn merge(&mut self, other: &Self) {
        for (counts, other) in self.counts.iter_mut().zip(&other.counts) {
            *counts = [counts[0] + other[0], counts[1] + other[1]];
        }
    }

    /// Returns the temperature within `range` with the smallest mean negative log-likelihood of the classes, if the
    /// probability is the sigmoid of the logit divided by the temperature; `None` unless there are pixels of both
    /// classes.
    ///
    /// The likelihood is a convex function of the inverse temperature, whose derivative is found to be 0 by halving. If it
    /// is 0 outside `range`, the result is the nearer end of it, as for logits that separate the classes entirely.
    pub fn temperature(&self, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let both = [0, 1].map(|class| self.counts.iter().any(|counts| counts[class] > 0));
        if both.contains(&false) {
            return None;
        }
        let (mut least, mut most) = (1.0 / range.end(), 1.0 / range.start());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(least, most);
            if self.slope(middle) < 0.0 { least = middle } else { most = middle }
        }
        Some((1.0 / f64::midpoint(least, most)).clamp(*range.start(), *range.end()))
    }

    /// Returns the calibration of the sigmoids of the logits divided by `temperature`.
    pub fn reliability(&self, temperature: f64) -> Reliability {
        let mut reliability = Reliability::default();
        for (at, [background, foreground]) in self.counts.iter().enumerate() {
            let logit = at as f64 / STEPS - FARTHEST;
            let probability = 1.0 / (1.0 + (-logit / temperature).exp());
            reliability.add_pixels(probability, *background, *foreground);
        }
        reliability
    }

    /// Returns the derivative of the negative log-likelihood with respect to the inverse temperature.
    fn slope(&self, inverse: f64) -> f64 {
        let of = |(at, [background, foreground]): (usize, &[u64; 2])| {
            let logit = at as f64 / STEPS - FARTHEST;
            // Both probabilities are computed, because 1 − p is 0 where p rounds to 1.
            let [is_foreground, is_background] =
                [-logit, logit].map(|logit| 1.0 / (1.0 + (inverse * logit).exp()));
            logit * (is_foreground * *background as f64 - is_background * *foreground as f64)
        };
        self.counts.iter().enumerate().filter(|(_, counts)| **counts != [0, 0]).map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: std::ops::RangeInclusive<f64> = 0.05..=20.0;

    /// Pixels whose class is foreground as often as the sigmoid of `logit / truth` says, shown with `logit`.
    fn drawn(truth: f64) -> LogitCounts {
        let mut counts = LogitCounts::default();
        for step in -400..=400 {
            let logit = f64::from(step) / 50.0;
            let foreground = (1000.0 / (1.0 + (-logit / truth).exp())).round() as u64;
            for index in 0..1000 {
                counts.add(logit, index < foreground);
            }
        }
        counts
    }

    #[test]
    fn the_temperature_by_which_logits_are_too_large_is_found() {
        for truth in [0.5, 1.0, 1.7, 4.0] {
            let found = drawn(truth).temperature(RANGE).expect("both classes");
            assert!((found / truth - 1.0).abs() < 0.01, "{found} instead of {truth}");
            let error = |temperature| drawn(truth).reliability(temperature).expected_error().expect("pixels");
            assert!(error(found) < 0.003 && error(truth * 2.0) > 0.03, "{} {}", error(found), error(truth * 2.0));
        }
    }

    #[test]
    fn it_is_the_minimum_of_the_likelihood() {
        // Three values, so that the minimum can be searched for by its definition.
        let pixels = [(2.0, 70, 30), (-1.0, 20, 80), (4.0, 90, 10)];
        let mut counts = LogitCounts::default();
        for (logit, foreground, background) in pixels {
            (0..foreground).for_each(|_| counts.add(logit, true));
            (0..background).for_each(|_| counts.add(logit, false));
        }
        let loss = |temperature: f64| -> f64 {
            let of = |(logit, foreground, background): (f64, i32, i32)| {
                let p = 1.0 / (1.0 + (-logit / temperature).exp());
                -f64::from(foreground) * p.ln() - f64::from(background) * (1.0 - p).ln()
            };
            pixels.into_iter().map(of).sum()
        };
        let found = counts.temperature(RANGE).expect("both classes");
        assert!([-0.01, 0.01].iter().all(|by| loss(found) < loss(found + by)), "{found}");
    }

    #[test]
    fn what_cannot_be_fitted_has_none_or_the_end_of_the_range() {
        assert_eq!(LogitCounts::default().temperature(RANGE), None);
        let mut counts = LogitCounts::default();
        counts.add(3.0, true);
        assert_eq!(counts.temperature(RANGE), None, "one class alone");
        counts.add(-3.0, false);
        let found = counts.temperature(RANGE).expect("both classes");
        assert!((found - 0.05).abs() < 1e-9, "separated entirely: {found}");
        let mut wrong = LogitCounts::default();
        wrong.add(3.0, false);
        wrong.add(-3.0, true);
        wrong.merge(&wrong.clone());
        let found = wrong.temperature(RANGE).expect("both classes");
        assert!((found - 20.0).abs() < 1e-9, "{found}");
        wrong.add(f64::NAN, true);
        wrong.add(f64::INFINITY, true);
    }
}
