//! Filling the slices between two slices with a mask.

use super::signed_distance::{Part, signed};
use super::{Spacing, ToolError};
use crate::annotate::Region;
use crate::data::Mask;

/// Returns the region between two masks at the share `share` of the way from the first (0) to the second (1): the pixels
/// whose signed distances to the two outlines, weighted linearly, are not negative (Raya & Udupa, *Shape-based
/// interpolation of multidimensional objects*, 1990). Between masks that lie far apart from each other, the middle can
/// be empty.
///
/// # Errors
/// Returns an error if the masks differ in size.
pub fn interpolate(first: &Mask, second: &Mask, share: f64, spacing: &Spacing) -> Result<Region, ToolError> {
    if [first.width, first.height] != [second.width, second.height] {
        return Err(ToolError::Sizes);
    }
    let is_empty = |mask: &Mask| mask.foreground() == 0;
    if is_empty(first) || is_empty(second) {
        return Ok(Region::default());
    }
    let share = share.clamp(0.0, 1.0);
    // A pixel outside both boxes is outside both masks, so nothing beyond a margin of one can belong to the result.
    let Some(part) = Part::around(&[first, second], [1; 2]) else { return Ok(Region::default()) };
    let near = |mask: &Mask| -> Vec<f64> {
        let set = part.of(mask);
        let field = signed(&set, part.size, spacing);
        // A mask that fills the image has no outline; a large number takes the place of infinity.
        field.into_iter().map(|distance| distance.clamp(-1e12, 1e12)).collect()
    };
    let pixels = near(first).into_iter().zip(near(second));
    let pixels = pixels.map(|(a, b)| u8::from((1.0 - share) * a + share * b >= 0.0)).collect();
    Ok(Region::new(part.corner, part.size, pixels))
}

/// Returns the gaps between slices that have a mask: pairs of slices, in ascending order, with at least one slice
/// without a mask between them. `filled` holds the slices with a mask in ascending order.
pub fn gaps(filled: impl IntoIterator<Item = usize>) -> Vec<[usize; 2]> {
    let filled: Vec<usize> = filled.into_iter().collect();
    filled.windows(2).filter(|pair| pair[1] > pair[0] + 1).map(|pair| [pair[0], pair[1]]).collect()
}
