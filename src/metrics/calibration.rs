//! Calibration: whether pixels of a probability are foreground as often as the probability says.

use std::iter::Sum;
use std::ops::AddAssign;

use super::distance::squared_distances;

/// The number of bins of equal width over 0…1.
pub const CALIBRATION_BINS: usize = 15;

/// The pixels of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CalibrationBin {
    /// The number of pixels.
    pub count: u64,
    /// The number of them that are foreground in the ground truth.
    pub foreground: u64,
    /// The sum of their probabilities.
    pub sum: f64,
}

impl CalibrationBin {
    /// Returns the mean probability and the share of foreground, both 0…1; `None` without pixels.
    pub fn point(&self) -> Option<(f64, f64)> {
        let count = self.count as f64;
        (self.count > 0).then(|| (self.sum / count, self.foreground as f64 / count))
    }
}

/// The reliability curve of the probabilities of foreground, in [`CALIBRATION_BINS`] bins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    bins: [CalibrationBin; CALIBRATION_BINS],
}

impl Reliability {
    /// Counts pixels by their probability of foreground, 0…1. `truth` is foreground where it is not 0. Pixels for which
    /// `is_counted` is false are left out; `None` counts all.
    ///
    /// # Panics
    /// Panics if the numbers of pixels differ.
    pub fn of(probabilities: &[f32], truth: &[u8], is_counted: Option<&[bool]>) -> Self {
        assert_eq!(probabilities.len(), truth.len(), "a probability for every pixel");
        assert!(is_counted.is_none_or(|is_counted| is_counted.len() == truth.len()), "a choice for every pixel");
        let mut found = Self::default();
        for (index, (probability, truth)) in probabilities.iter().zip(truth).enumerate() {
            if is_counted.is_none_or(|is_counted| is_counted[index]) {
                found.add(*probability, *truth != 0);
            }
        }
        found
    }

    /// Counts a pixel. A probability on the border of two bins belongs to the upper one, and 1 to the last.
    pub fn add(&mut self, probability: f32, is_foreground: bool) {
        let foreground = u64::from(is_foreground);
        self.add_pixels(f64::from(probability), 1 - foreground, foreground);
    }

    /// Counts pixels of one probability by their class.
    pub(super) fn add_pixels(&mut self, probability: f64, background: u64, foreground: u64) {
        let probability = probability.clamp(0.0, 1.0);
        let bin = ((probability * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1);
        let bin = &mut self.bins[bin];
        bin.count += background + foreground;
        bin.foreground += foreground;
        bin.sum += probability * (background + foreground) as f64;
    }

    /// Returns the bins, from 0 to 1.
    pub fn bins(&self) -> &[CalibrationBin; CALIBRATION_BINS] {
        &self.bins
    }

    /// Returns the number of pixels.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// Returns the expected calibration error, 0…1: the mean over all pixels of the difference, in their bin, between the
    /// mean probability and the share of foreground; `None` without pixels.
    ///
    /// The probability is that of foreground and not that of the more probable class, so that an error in one direction
    /// below one half does not cancel one in the other direction above.
    pub fn expected_error(&self) -> Option<f64> {
        let all = self.count() as f64;
        let difference = |bin: &CalibrationBin| bin.point().map_or(0.0, |(mean, share)| (mean - share).abs());
        (all > 0.0).then(|| self.bins.iter().map(|bin| bin.count as f64 / all * difference(bin)).sum())
    }
}

impl AddAssign<&Reliability> for Reliability {
    fn add_assign(&mut self, other: &Reliability) {
        for (bin, other) in self.bins.iter_mut().zip(&other.bins) {
            bin.count += other.count;
            bin.foreground += other.foreground;
            bin.sum += other.sum;
        }
    }
}

impl<'a> Sum<&'a Reliability> for Reliability {
    /// Returns the curve over the pixels of any number of images.
    fn sum<I: Iterator<Item = &'a Reliability>>(images: I) -> Self {
        images.fold(Self::default(), |mut sum, image| {
            sum += image;
            sum
        })
    }
}

/// Returns which pixels are within `radius` pixels of the edge of a mask: those whose nearest pixel of the other class
/// is at most that far away, from centre to centre. A mask without foreground or without background has no edge; the
/// border of the image is none.
///
/// # Panics
/// Panics if `mask` does not hold `width * height` values.
pub fn near_edge(mask: &[u8], width: usize, height: usize, radius: f64) -> Vec<bool> {
    let is_foreground: Vec<bool> = mask.iter().map(|value| *value != 0).collect();
    if is_foreground.iter().all(|is| *is == is_foreground[0]) {
        return vec![false; mask.len()];
    }
    let is_background: Vec<bool> = is_foreground.iter().map(|is| !is).collect();
    let [to_foreground, to_background] =
        [&is_foreground, &is_background].map(|set| squared_distances(set, width, height, 1.0));
    let is_near = |(to_foreground, to_background): (f64, f64)| to_foreground.max(to_background) <= radius * radius;
    to_foreground.into_iter().zip(to_background).map(is_near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_weighted_mean_of_the_differences_in_the_bins() {
        // Two pixels in the bin from 2/15 to 3/15, one of them foreground; three in that from 13/15 to 14/15, all
        // foreground; one of probability 1, background.
        let probabilities = [0.15, 0.17, 0.9, 0.9, 0.92, 1.0];
        let found = Reliability::of(&probabilities, &[0, 255, 1, 1, 1, 0], None);
        let expected = (2.0 * (0.5 - 0.16) + 3.0 * (1.0 - 2.72 / 3.0) + 1.0) / 6.0;
        assert!((found.expected_error().expect("pixels") - expected).abs() < 1e-6, "{found:?}");
        let counts: Vec<(usize, u64, u64)> = found
            .bins()
            .iter()
            .enumerate()
            .filter(|(_, bin)| bin.count > 0)
            .map(|(index, bin)| (index, bin.count, bin.foreground))
            .collect();
        assert_eq!(counts, [(2, 2, 1), (13, 3, 3), (14, 1, 0)]);
        let (mean, share) = found.bins()[2].point().expect("pixels");
        assert!((mean - 0.16).abs() < 1e-6 && share == 0.5);
        assert_eq!(found.bins()[0].point(), None);
    }

    #[test]
    fn what_is_right_as_often_as_it_says_has_no_error_and_a_constant_has_its_distance() {
        let truth: Vec<u8> = (0..1000).map(|index| u8::from(index % 4 == 0)).collect();
        let error = |probability: f32| Reliability::of(&vec![probability; 1000], &truth, None).expected_error();
        assert!(error(0.25).is_some_and(|error| error < 1e-6));
        assert!(error(0.75).is_some_and(|error| (error - 0.5).abs() < 1e-6));
        assert_eq!(Reliability::default().expected_error(), None);
    }

    #[test]
    fn the_curve_of_several_images_is_that_of_their_pixels() {
        let (a, b) = ([0.1, 0.5, 0.9], [0.2, 0.5, 0.99]);
        let (x, y) = ([0, 1, 1], [0, 0, 1]);
        let one: Reliability = [Reliability::of(&a, &x, None), Reliability::of(&b, &y, None)].iter().sum();
        let together = Reliability::of(&[a, b].concat(), &[x, y].concat(), None);
        assert_eq!(one.count(), 6);
        let difference = one.expected_error().expect("pixels") - together.expected_error().expect("pixels");
        assert!(difference.abs() < 1e-12);
        let chosen = Reliability::of(&a, &x, Some(&[true, false, true]));
        assert_eq!(chosen.count(), 2);
    }

    #[test]
    fn the_edge_is_where_the_other_class_is_near() {
        // A column of foreground at x = 5 of 12; by definition, in every row.
        let (width, height) = (12, 3);
        let mask: Vec<u8> = (0..width * height).map(|at| u8::from(at % width == 5)).collect();
        let near = near_edge(&mask, width, height, 2.0);
        for (at, near) in near.into_iter().enumerate() {
            assert_eq!(near, (3..=7).contains(&(at % width)), "{at}");
        }
        let mut random = fastrand::Rng::with_seed(2);
        let mask: Vec<u8> = (0..15 * 11).map(|_| u8::from(random.u8(..10) == 0)).collect();
        let near = near_edge(&mask, 15, 11, 2.5);
        for at in 0..mask.len() {
            let distance = |other: usize| {
                ((at % 15).abs_diff(other % 15).pow(2) + (at / 15).abs_diff(other / 15).pow(2)) as f64
            };
            let is_near = (0..mask.len()).any(|other| mask[other] != mask[at] && distance(other) <= 6.25);
            assert_eq!(near[at], is_near, "{at}");
        }
        for of_one_class in [0, 1] {
            assert_eq!(near_edge(&[of_one_class; 4], 2, 2, 100.0), [false; 4]);
        }
        assert_eq!(near_edge(&[], 0, 0, 1.0), [false; 0]);
    }
}
