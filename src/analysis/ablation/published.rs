//! The scores of the paper: of the variants in its supplementary material, and of the networks in its main table.
//!
//! Hwang, Sim, Kim: "HiMix", WACV 2026, Tables 1 and 2 of the supplementary material. All of them are pooled Dice scores, as the
//! agreement of Dice and IoU in the paper's main table shows, IoU = D / (2 − D). The mean ± standard deviation over images of
//! Table 3 is not among them: its means are these pooled scores, which a mean over images does not equal.

use crate::analysis::comparison::{Convention, PublishedSet, published};

/// The published Dice score of a variant or a network on the test set, 0…1, if it was computed as `convention` says. A network
/// has the same name with `-small`.
pub fn published_dice(set: PublishedSet, variant: &str, convention: Convention) -> Option<f64> {
    if let Some(dice) = pooled_dice(set, variant) {
        return Some(dice).filter(|_| convention == Convention::Pooled);
    }
    let network = variant.strip_suffix("-small").unwrap_or(variant);
    let row = published(network, set).filter(|row| row.convention == convention)?;
    Some(row.percent[0] / 100.0)
}

/// That of a variant, pooled over all pixels; `None` if there is none.
fn pooled_dice(set: PublishedSet, variant: &str) -> Option<f64> {
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
