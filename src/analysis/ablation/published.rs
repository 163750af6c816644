//! The scores of the paper's supplementary material.
//!
//! Hwang, Sim, Kim: "HiMix", WACV 2026, Tables 1 and 2. All of them are pooled Dice scores, as the agreement of Dice and IoU
//! in the paper's main table shows, IoU = D / (2 − D). The mean ± standard deviation over images of Table 3 is not among
//! them: its means are these pooled scores, which a mean over images does not equal.

use crate::analysis::comparison::PublishedSet;

/// The published Dice score of a variant on the test set, pooled over all pixels, 0…1; `None` if there is none.
pub fn pooled_dice(set: PublishedSet, variant: &str) -> Option<f64> {
    use PublishedSet::{Kvasir, Mosmed, Qata};
    let percent = match (set, variant) {
        (Qata, "no-grouping") => 90.90,
        (Qata, "order-123") => 91.04,
        (Qata, "order-132") => 90.99,
        (Qata, "order-213") => 90.92,
        (Qata, "order-231") => 90.96,
        (Qata, "order-312") => 90.81,
        (Qata, "full") => 91.17,
        (Mosmed, "no-grouping") => 78.36,
        (Mosmed, "order-123") => 78.46,
        (Mosmed, "order-132") => 78.18,
        (Mosmed, "order-213") => 77.80,
        (Mosmed, "order-231") => 78.82,
        (Mosmed, "order-312") => 78.09,
        (Mosmed, "mean-pooling") => 78.15,
        (Mosmed, "interleaved") => 78.55,
        (Mosmed, "clustering") => 78.09,
        (Mosmed, "without-g1") => 78.41,
        (Mosmed, "without-g2") => 77.50,
        (Mosmed, "without-g3") => 78.07,
        (Mosmed, "full") => 79.44,
        (Kvasir, "full") => 92.18,
        _ => return None,
    };
    Some(percent / 100.0)
}
