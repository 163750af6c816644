//! Comparisons of several masks of one image.

use thiserror::Error;

use super::Confusion;

/// Masks that are compared have different numbers of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("mask {index} has {pixels} pixels, but the first one has {expected}; all must have the same size")]
pub struct UnequalMasks {
    /// The first mask that differs, from 1.
    pub index: usize,
    /// Its number of pixels.
    pub pixels: usize,
    /// The number of pixels of the first mask.
    pub expected: usize,
}

/// Returns the Dice coefficients of all pairs of masks: row `a`, column `b` holds that of masks `a` and `b`. The matrix
/// is symmetric with 1 on its diagonal; two empty masks have 1. A value other than 0 is foreground.
///
/// # Errors
/// Returns [`UnequalMasks`] if the masks differ in size.
pub fn pairwise_dice(masks: &[&[u8]]) -> Result<Vec<Vec<f64>>, UnequalMasks> {
    equal(masks)?;
    let mut matrix = vec![vec![1.0; masks.len()]; masks.len()];
    for row in 0..masks.len() {
        for column in row + 1..masks.len() {
            let dice = Confusion::of(masks[row], masks[column]).dice();
            matrix[row][column] = dice;
            matrix[column][row] = dice;
        }
    }
    Ok(matrix)
}

/// Returns for each pixel the share of the masks that call it foreground, 0…1. The masks disagree where the share is
/// neither 0 nor 1, most at 0.5. Empty if there are no masks.
///
/// # Errors
/// Returns [`UnequalMasks`] if the masks differ in size.
pub fn foreground_share(masks: &[&[u8]]) -> Result<Vec<f32>, UnequalMasks> {
    equal(masks)?;
    let mut counts = vec![0_u32; masks.first().map_or(0, |mask| mask.len())];
    for mask in masks {
        for (count, value) in counts.iter_mut().zip(*mask) {
            *count += u32::from(*value != 0);
        }
    }
    Ok(counts.into_iter().map(|count| count as f32 / masks.len() as f32).collect())
}

fn equal(masks: &[&[u8]]) -> Result<(), UnequalMasks> {
    let expected = masks.first().map_or(0, |mask| mask.len());
    match masks.iter().position(|mask| mask.len() != expected) {
        Some(place) => Err(UnequalMasks { index: place + 1, pixels: masks[place].len(), expected }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_compared_in_pairs_and_together() {
        let masks: [&[u8]; 3] = [&[1, 1, 0, 0], &[1, 0, 0, 0], &[0, 0, 0, 0]];
        let dice = pairwise_dice(&masks).expect("a matrix");
        assert_eq!(dice, [[1.0, 2.0 / 3.0, 0.0], [2.0 / 3.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(foreground_share(&masks).expect("a map"), [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0]);
        assert_eq!(foreground_share(&[&[255, 0]]).expect("a map"), [1.0, 0.0]);
    }

    #[test]
    fn no_masks_and_unequal_masks() {
        assert_eq!(pairwise_dice(&[]), Ok(Vec::new()));
        assert_eq!(foreground_share(&[]), Ok(Vec::new()));
        assert_eq!(pairwise_dice(&[&[], &[]]), Ok(vec![vec![1.0; 2]; 2]));
        let error = pairwise_dice(&[&[1, 0], &[1]]).expect_err("two sizes");
        assert_eq!(error, UnequalMasks { index: 2, pixels: 1, expected: 2 });
        assert_eq!(foreground_share(&[&[1, 0], &[1]]), Err(error));
    }
}
