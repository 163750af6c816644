//! Wilcoxon's signed-rank test and Holm's correction.

/// The largest number of differences other than 0 for which the exact distribution is used.
const MOST_EXACT: usize = 50;

/// The result of Wilcoxon's signed-rank test, two-sided.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Wilcoxon {
    /// The sum of the ranks of the positive differences.
    pub positive: f64,
    /// The sum of the ranks of the negative differences.
    pub negative: f64,
    /// The probability of sums that are at least as different, if positive and negative differences are equally likely.
    pub p_value: f64,
    /// The number of differences other than 0.
    pub differences: usize,
    /// The number of differences that are 0.
    pub zeros: usize,
    /// Whether the distribution is exact; otherwise it is the normal approximation.
    pub is_exact: bool,
}

/// Tests whether paired differences are symmetric about 0.
///
/// Differences of 0 follow *Pratt's* rule (Pratt, *Remarks on zeros and ties in the Wilcoxon signed rank procedures*,
/// 1959): they take part in the ranking, and their ranks are then dropped. Wilcoxon's own rule drops them before the
/// ranking, which lets a few differences look decisive where most images do not change at all. Ties have the mean of
/// their ranks.
///
/// With at most 50 differences other than 0 the p-value is exact, also with ties and zeros: all assignments of signs to
/// the ranks are counted. With more, it is the normal approximation with the correction of the variance for ties and
/// zeros and without a correction for continuity, as in SciPy (`zero_method="pratt"`, `method="approx"`).
///
/// If all differences are 0, the p-value is 1. `None` if there are no differences or if one of them is not finite.
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    if differences.is_empty() || differences.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let doubled = doubled_ranks(&differences.iter().map(|value| value.abs()).collect::<Vec<_>>());
    let ranked: Vec<(f64, usize)> =
        differences.iter().copied().zip(doubled).filter(|(value, _)| *value != 0.0).collect();
    let sum = |is_positive: bool| -> usize {
        ranked.iter().filter(|(value, _)| (*value > 0.0) == is_positive).map(|(_, rank)| rank).sum()
    };
    let (positive, negative) = (sum(true), sum(false));
    let count = ranked.len();
    let zeros = differences.len() - count;
    let ranks: Vec<usize> = ranked.into_iter().map(|(_, rank)| rank).collect();
    let is_exact = count <= MOST_EXACT;
    let smaller = positive.min(negative);
    let p_value = if is_exact { exact(&ranks, smaller) } else { approximate(&ranks, smaller, zeros) };
    Some(Wilcoxon {
        positive: positive as f64 / 2.0,
        negative: negative as f64 / 2.0,
        p_value,
        differences: count,
        zeros,
        is_exact,
    })
}

/// Returns twice the rank of each value, from 2 for the smallest, so that the mean rank of ties is an integer.
pub(super) fn doubled_ranks(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        // The ranks first + 1 … first + n have the mean first + (n + 1) / 2.
        for index in tied {
            ranks[*index] = 2 * first + tied.len() + 1;
        }
        first += tied.len();
    }
    ranks
}

/// Returns twice the share of all assignments of signs whose sum of positive ranks is at most `smaller`. Ranks and sums
/// are doubled.
fn exact(ranks: &[usize], smaller: usize) -> f64 {
    let total: usize = ranks.iter().sum();
    // The share of the assignments that have each sum; a rank is added to the sum in half of them.
    let mut shares = vec![0.0_f64; total + 1];
    shares[0] = 1.0;
    let mut reached = 0;
    for rank in ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= *rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = f64::midpoint(shares[sum], with);
        }
    }
    (2.0 * shares[..=smaller].iter().sum::<f64>()).min(1.0)
}

/// Returns the p-value of the normal approximation. Ranks and sums are doubled.
fn approximate(ranks: &[usize], smaller: usize, zeros: usize) -> f64 {
    let (zeros, all) = (zeros as f64, (ranks.len() + zeros) as f64);
    let mean = all.mul_add(all + 1.0, -zeros * (zeros + 1.0)) / 4.0;
    let squares = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 =
        sorted.chunk_by(|a, b| a == b).map(|tied| tied.len() as f64).map(|count| count.powi(3) - count).sum();
    let variance = (squares(all) - squares(zeros) - ties / 2.0) / 24.0;
    let distance = (smaller as f64 / 2.0 - mean).abs() / variance.sqrt();
    (2.0 * upper_tail(distance)).min(1.0)
}

/// Returns the probability that a standard normal variable exceeds `x`, which is at least 0. The relative error is
/// below 1e-12.
pub(super) fn upper_tail(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x < 3.0 {
        // Abramowitz & Stegun 26.2.11.
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while term > sum * 1e-17 {
            n += 2.0;
            term *= x * x / n;
            sum += term;
        }
        return 0.5 - density * sum;
    }
    // The continued fraction 26.2.14, from the innermost term.
    let fraction = (1..=200).rev().fold(x, |inner, n| x + f64::from(n) / inner);
    density / fraction
}

/// Returns the p-values of several tests after Holm's correction (Holm, *A simple sequentially rejective multiple test
/// procedure*, 1979), in the order of the tests: the smallest is multiplied by the number of tests, the next by one
/// less, and so on; none is smaller than the one before it, and none is above 1. NaN counts as 1, because a test that
/// could not be computed rejects nothing.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let values: Vec<f64> = p_values.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut corrected = vec![0.0; values.len()];
    let mut least = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max(values[index] * (values.len() - rank) as f64).min(1.0);
        corrected[index] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    /// Darwin's Zea mays data. Expected: SciPy 1.17, `wilcoxon(d)`: statistic 24, p 0.041259765625.
    #[test]
    fn exact_without_ties() {
        let darwin = [6.0, 8.0, 14.0, 16.0, 23.0, 24.0, 28.0, 29.0, 41.0, -48.0, 49.0, 56.0, 60.0, -67.0, 75.0];
        let found = wilcoxon(&darwin).expect("a result");
        assert_eq!((found.positive, found.negative, found.is_exact), (96.0, 24.0, true));
        assert!(close(found.p_value, 0.041_259_765_625), "{found:?}");
    }

    /// Expected: SciPy 1.17, `wilcoxon(d, zero_method="pratt", method=PermutationMethod(n_resamples=inf))`, which
    /// counts all assignments of signs: statistic 37.5, p 0.050537109375.
    #[test]
    fn exact_with_ties_and_zeros() {
        let differences =
            [0.0, 0.0, 1.0, -2.0, 3.0, 3.0, -1.0, 4.0, 5.0, 2.0, -3.0, 0.0, 6.0, 7.0, 1.0, 1.0, 2.0, -2.0];
        let found = wilcoxon(&differences).expect("a result");
        assert_eq!((found.positive, found.negative), (127.5, 37.5));
        assert_eq!((found.differences, found.zeros), (15, 3));
        assert!(close(found.p_value, 0.050_537_109_375), "{found:?}");
    }

    /// Expected: SciPy 1.17, `wilcoxon(d, zero_method="pratt", method="approx", correction=False)`.
    #[test]
    fn the_normal_approximation_of_scipy() {
        let differences: Vec<f64> = (0..80).map(|i| (f64::from(i * 37 % 23) - 9.0) / 10.0).collect();
        let found = wilcoxon(&differences).expect("a result");
        assert_eq!((found.positive, found.negative, found.zeros), (2072.0, 1162.0, 3));
        assert!(!found.is_exact && close(found.p_value, 0.028_957_112_719_191_776), "{found:?}");
        // The two distributions are close at the border between them.
        let ranks = doubled_ranks(&differences[..50].iter().map(|d| d.abs() + 1.0).collect::<Vec<_>>());
        assert!((exact(&ranks, 900) - approximate(&ranks, 900, 0)).abs() < 2e-3);
    }

    #[test]
    fn odd_samples() {
        assert_eq!(wilcoxon(&[]), None);
        assert_eq!(wilcoxon(&[1.0, f64::NAN]), None);
        assert_eq!(wilcoxon(&[0.0; 7]).map(|found| found.p_value), Some(1.0));
        assert_eq!(wilcoxon(&[0.0; 80]).map(|found| (found.p_value, found.zeros)), Some((1.0, 80)));
        assert_eq!(wilcoxon(&[2.0]).map(|found| found.p_value), Some(1.0));
        assert_eq!(wilcoxon(&[1.0; 5]).map(|found| found.p_value), Some(2.0 / 32.0));
        let same = wilcoxon(&[1.0; 70]).expect("a result");
        assert!(same.p_value > 0.0 && same.p_value < 1e-15);
    }

    /// Expected: SciPy 1.17, `norm.sf`.
    #[test]
    fn tails_of_the_normal_distribution() {
        for (x, expected) in [
            (0.0, 0.5),
            (0.5, 0.308_537_538_725_986_9),
            (1.96, 0.024_997_895_148_220_435),
            (3.0, 0.001_349_898_031_630_093_3),
            (4.5, 3.397_673_124_730_053_5e-6),
            (8.0, 6.220_960_574_271_74e-16),
        ] {
            assert!((upper_tail(x) / expected - 1.0).abs() < 1e-11, "{x}: {}", upper_tail(x));
        }
    }

    /// Expected: statsmodels 0.15, `multipletests(p, method="holm")`.
    #[test]
    fn holms_correction() {
        let equal = |found: Vec<f64>, expected: &[f64]| {
            assert!(
                found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| close(*a, *b)),
                "{found:?}"
            );
        };
        equal(holm(&[0.01, 0.04, 0.03, 0.005, 0.2]), &[0.04, 0.09, 0.09, 0.025, 0.2]);
        equal(holm(&[0.01, 0.01, 0.9, 0.8]), &[0.04, 0.04, 1.0, 1.0]);
        equal(holm(&[]), &[]);
        equal(holm(&[f64::NAN, 0.01]), &[1.0, 0.02]);
    }
}
