//! Smoothing of outlines.

use super::signed_distance::Part;
use super::{Length, Spacing, ToolError};
use crate::annotate::Region;
use crate::data::Mask;

/// Gaussians are cut off at this many standard deviations.
const REACH: f64 = 4.0;

/// Returns a mask with a smooth outline: the pixels at which the mask, filtered with a Gaussian, is at least one half.
/// `by` is the standard deviation. Details smaller than it disappear. The image is continued beyond its edges by its
/// outermost pixels.
///
/// # Errors
/// Returns an error if the length is in mm and the pixel size is not known, or if it is not a positive number.
pub fn smooth(mask: &Mask, by: Length, spacing: &Spacing) -> Result<Region, ToolError> {
    let sigma = by.in_pixels(spacing.pixel_mm)?;
    // A Gaussian longer than the image says nothing more, and its kernel is not to fill the memory.
    let sigma = [sigma[0].min(mask.width as f64), sigma[1].min(mask.height as f64)];
    let reach = sigma.map(|sigma| (REACH * sigma + 0.5) as usize);
    let Some(part) = Part::around(&[mask], reach) else { return Ok(Region::default()) };
    let [width, height] = part.size;
    let mut field: Vec<f32> = part.of(mask).into_iter().map(|is_set| f32::from(u8::from(is_set))).collect();
    let along_rows = kernel(sigma[0], reach[0]);
    let mut line = Vec::new();
    for row in field.chunks_exact_mut(width) {
        filter(row, &along_rows, &mut line);
    }
    let along_columns = kernel(sigma[1], reach[1]);
    let mut sums = vec![0.0; field.len()];
    for (y, sums) in sums.chunks_exact_mut(width).enumerate() {
        for (at, weight) in along_columns.iter().enumerate() {
            let row = (y + at).saturating_sub(reach[1]).min(height - 1);
            let values = &field[row * width..][..width];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    // Rounding of the sum must not decide about a straight edge.
    let pixels = sums.into_iter().map(|sum| u8::from(sum >= 0.5 - 1e-5)).collect();
    Ok(Region::new(part.corner, part.size, pixels))
}

/// Returns the weights of a Gaussian from −reach to reach, which sum to 1.
fn kernel(sigma: f64, reach: usize) -> Vec<f32> {
    let at = |index: usize| (-0.5 * ((index as f64 - reach as f64) / sigma).powi(2)).exp();
    let weights: Vec<f64> = (0..=2 * reach).map(at).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// Filters a row in place; `line` is memory for the row with its continuation.
fn filter(row: &mut [f32], kernel: &[f32], line: &mut Vec<f32>) {
    let reach = kernel.len() / 2;
    let (Some(first), Some(last)) = (row.first().copied(), row.last().copied()) else { return };
    line.clear();
    line.extend(std::iter::repeat_n(first, reach));
    line.extend_from_slice(row);
    line.extend(std::iter::repeat_n(last, reach));
    for (value, window) in row.iter_mut().zip(line.windows(kernel.len())) {
        *value = window.iter().zip(kernel).map(|(value, weight)| value * weight).sum();
    }
}
