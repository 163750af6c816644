//! Cohen's kappa of two masks.

use super::Confusion;

impl Confusion {
    /// Returns Cohen's kappa of the two masks over all pixels, −1…1: the share of pixels on which they agree beyond
    /// what is expected by chance, `(p_o − p_e) / (1 − p_e)` (Cohen, *A Coefficient of Agreement for Nominal Scales*,
    /// 1960). The value depends on how much of the image is background, because agreement there counts too.
    ///
    /// `None` if both masks are empty or both are foreground everywhere, because chance alone then explains all of the
    /// agreement, and if there are no pixels.
    pub fn kappa(&self) -> Option<f64> {
        let [both, first, second, neither] =
            [self.true_positive, self.false_positive, self.false_negative, self.true_negative].map(|n| n as f64);
        let pixels = both + first + second + neither;
        let agreed = (both + neither) / pixels;
        let by_chance =
            ((both + first) * (both + second) + (neither + first) * (neither + second)) / pixels.powi(2);
        // Rounding must not turn the undefined case into a huge number, hence the test of the counts.
        let is_one_class = self.true_positive + self.false_positive + self.false_negative == 0
            || self.true_negative + self.false_positive + self.false_negative == 0;
        (!is_one_class).then(|| (agreed - by_chance) / (1.0 - by_chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(count: usize, first: fn(usize) -> bool, second: fn(usize) -> bool) -> Confusion {
        let mask = |is_set: fn(usize) -> bool| -> Vec<u8> { (0..count).map(|at| u8::from(is_set(at))).collect() };
        Confusion::of(&mask(first), &mask(second))
    }

    /// Expected: scikit-learn 1.9, `cohen_kappa_score`.
    #[test]
    fn the_kappa_of_scikit_learn() {
        let close = |found: Option<f64>, expected: f64| {
            assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} for {expected}");
        };
        close(masks(1000, |at| at * 7 % 11 < 3, |at| at * 7 % 11 < 4).kappa(), 0.792_358_803_986_711);
        close(masks(1000, |at| at % 2 == 0, |at| at % 2 == 1).kappa(), -1.0);
        close(masks(97, |at| at % 5 == 0, |at| at % 3 == 0).kappa(), 0.009_945_040_565_296_992);
        close(masks(4, |at| at < 2, |at| at < 2).kappa(), 1.0);
    }

    /// scikit-learn gives NaN for one class.
    #[test]
    fn without_two_classes_there_is_no_kappa() {
        assert_eq!(Confusion::default().kappa(), None);
        assert_eq!(masks(9, |_| false, |_| false).kappa(), None);
        assert_eq!(masks(9, |_| true, |_| true).kappa(), None);
        assert_eq!(masks(9, |_| false, |at| at < 4).kappa(), Some(0.0));
    }
}
