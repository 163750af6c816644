//! Growing and shrinking by a length.

use super::signed_distance::{Part, distances};
use super::{Length, Spacing, ToolError};
use crate::annotate::Region;
use crate::data::Mask;

/// Returns the pixels whose centres are not farther from the centre of a foreground pixel than a length, those of the
/// foreground among them (exact Euclidean distance). Pixels that are not square are taken into account if the length is
/// in mm.
///
/// # Errors
/// Returns an error if the length is in mm and the pixel size is not known, or if it is not a positive number.
pub fn grow_by(mask: &Mask, by: Length, spacing: &Spacing) -> Result<Region, ToolError> {
    let (limit, spacing) = in_unit(by, spacing)?;
    let margin = by.in_pixels(spacing.pixel_mm)?.map(|pixels| pixels.ceil() as usize + 1);
    let Some(part) = Part::around(&[mask], margin) else { return Ok(Region::default()) };
    let field = distances(&part.of(mask), part.size, &spacing);
    Ok(region(&part, field.into_iter().map(|distance| distance <= limit)))
}

/// Returns the foreground pixels whose centres are farther from the centre of every background pixel than a length.
/// What lies outside the image is no background, so that a region does not recede from the edge of the image.
///
/// # Errors
/// Returns the errors of [`grow_by`].
pub fn shrink_by(mask: &Mask, by: Length, spacing: &Spacing) -> Result<Region, ToolError> {
    let (limit, spacing) = in_unit(by, spacing)?;
    // The background next to the region is enough, because the nearest background pixel touches it.
    let Some(part) = Part::around(&[mask], [1; 2]) else { return Ok(Region::default()) };
    let background: Vec<bool> = part.of(mask).into_iter().map(|is_set| !is_set).collect();
    let field = distances(&background, part.size, &spacing);
    Ok(region(&part, field.into_iter().map(|distance| distance > limit)))
}

/// Returns a length as a limit in the unit of distances, with the spacing of this unit. A small amount absorbs rounding,
/// so that a length that is reached exactly counts as reached.
fn in_unit(by: Length, spacing: &Spacing) -> Result<(f64, Spacing), ToolError> {
    by.in_pixels(spacing.pixel_mm)?;
    Ok(match by {
        Length::Pixels(pixels) => (pixels * (1.0 + 1e-9), Spacing { pixel_mm: None, ..*spacing }),
        Length::Mm(mm) => (mm * (1.0 + 1e-9), *spacing),
    })
}

fn region(part: &Part, pixels: impl Iterator<Item = bool>) -> Region {
    Region::new(part.corner, part.size, pixels.map(u8::from).collect())
}
