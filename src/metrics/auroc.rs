//! The area under the receiver operating characteristic.

use super::wilcoxon::doubled_ranks;

/// Returns the area under the ROC curve, 0…1: the probability that a positive case has a higher score than a negative
/// one, where a tie counts as one half (Hanley & McNeil, *The meaning and use of the area under a ROC curve*, 1982).
///
/// `None` if there is no positive or no negative case, if a score is NaN, or if the lengths differ.
pub fn auroc(scores: &[f64], is_positive: &[bool]) -> Option<f64> {
    if scores.len() != is_positive.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let positives = is_positive.iter().filter(|is| **is).count();
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // `total_cmp` separates −0 from 0, which are one score.
    let scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
    let ranks = doubled_ranks(&scores).into_iter().zip(is_positive);
    let sum: usize = ranks.filter(|(_, is)| **is).map(|(rank, _)| rank).sum();
    let lower = sum as f64 / 2.0 - (positives * (positives + 1)) as f64 / 2.0;
    Some(lower / (positives as f64 * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: scikit-learn 1.9, `roc_auc_score`.
    #[test]
    fn the_area_of_scikit_learn() {
        let is_positive = [0, 0, 1, 1, 1, 0, 1, 0].map(|label| label == 1);
        assert_eq!(auroc(&[0.1, 0.4, 0.4, 0.8, 0.4, 0.5, 0.9, 0.1], &is_positive), Some(0.8125));
        let is_positive: Vec<bool> = (0..40).map(|i| i * 7 % 5 < 2).collect();
        let scores: Vec<f64> =
            (0..40).map(|i| f64::from(i * 11 % 9 + if is_positive[i as usize] { 3 } else { 0 }) / 10.0).collect();
        let found = auroc(&scores, &is_positive).expect("an area");
        assert!((found - 0.748_697_916_666_666_6).abs() < 1e-12, "{found}");
    }

    #[test]
    fn odd_cases() {
        assert_eq!(auroc(&[], &[]), None);
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auroc(&[1.0, f64::NAN], &[true, false]), None);
        assert_eq!(auroc(&[1.0], &[true, false]), None);
        assert_eq!(auroc(&[-0.0, 0.0], &[true, false]), Some(0.5));
        assert_eq!(auroc(&[f64::INFINITY, 0.0], &[true, false]), Some(1.0));
    }
}
