//! Scores compared with values that were computed by hand.

use himix::metrics::{Confusion, Spread, mean_std};

#[test]
fn counts_and_scores() {
    let counts = Confusion::of(&[1, 1, 1, 0, 0, 0, 255], &[1, 1, 0, 1, 0, 0, 1]);
    let expected = Confusion { true_positive: 3, false_positive: 1, false_negative: 1, true_negative: 2 };
    assert_eq!(counts, expected);
    assert_eq!(counts.dice(), 6.0 / 8.0);
    assert_eq!(counts.iou(), 3.0 / 5.0);
    // A false positive and a false negative must not be confused.
    let swapped = Confusion::of(&[1, 1, 0], &[0, 0, 0]);
    assert_eq!((swapped.false_positive, swapped.false_negative, swapped.dice()), (2, 0, 0.0));
}

#[test]
fn empty_masks_agree() {
    let none = Confusion::of(&[0, 0], &[0, 0]);
    assert_eq!((none.dice(), none.iou()), (1.0, 1.0));
    assert_eq!(Confusion::default().dice(), 1.0);
}

#[test]
fn pooling_adds_counts_not_scores() {
    let large = Confusion { true_positive: 90, false_positive: 10, false_negative: 10, true_negative: 0 };
    let small = Confusion { true_positive: 0, false_positive: 0, false_negative: 10, true_negative: 90 };
    let mut pooled = large + small;
    assert_eq!(pooled.dice(), 180.0 / 210.0);
    assert_eq!(pooled, [large, small].into_iter().sum());
    // Pooled, IoU = D / (2 − D).
    assert!((pooled.iou() - pooled.dice() / (2.0 - pooled.dice())).abs() < 1e-12);
    pooled += small;
    assert_eq!((pooled.false_negative, pooled.true_negative), (30, 180));
}

#[test]
fn spread_is_of_the_population() {
    let eight = mean_std(&[9.0, 4.0, 4.0, 2.0, 5.0, 5.0, 7.0, 4.0]);
    let quartiles = Spread { mean: 5.0, std: 2.0, lower_quartile: 4.0, median: 4.5, upper_quartile: 5.5 };
    assert_eq!(eight, quartiles);
    assert_eq!((mean_std(&[3.0]).median, mean_std(&[3.0]).std), (3.0, 0.0));
    assert!(mean_std(&[]).mean.is_nan());
}

#[test]
#[should_panic(expected = "same number of pixels")]
fn unlike_masks_have_no_score() {
    let _ = Confusion::of(&[0, 1], &[0]);
}
