//! Lengths in pixels or mm, and what is needed to convert them.

use super::ToolError;

/// A length that a user chose, with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// A number of pixels, the same along columns and rows.
    Pixels(f64),
    /// Millimetres.
    Mm(f64),
}

impl Length {
    /// Returns the length in columns and in rows. `pixel_mm` is the distance between columns and between rows, in mm.
    ///
    /// # Errors
    /// Returns an error if the length is in mm and the pixel size is not known, or if it is not a positive number.
    pub fn in_pixels(self, pixel_mm: Option<[f64; 2]>) -> Result<[f64; 2], ToolError> {
        let sides = match self {
            Self::Pixels(pixels) => [pixels; 2],
            Self::Mm(mm) => known(pixel_mm)?.map(|side| mm / side),
        };
        if sides.iter().all(|side| side.is_finite() && *side > 0.0) {
            Ok(sides)
        } else {
            Err(ToolError::NotPositive)
        }
    }
}

/// The distances between the pixels of a stack.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spacing {
    /// The distance between columns and between rows in mm; `None` if it is not known.
    pub pixel_mm: Option<[f64; 2]>,
    /// The distance between slices in mm; `None` if it is not known.
    pub slice_mm: Option<f64>,
}

impl Spacing {
    /// Returns the area of a pixel in mm².
    ///
    /// # Errors
    /// Returns an error if the pixel size is not known.
    pub fn pixel_mm2(&self) -> Result<f64, ToolError> {
        known(self.pixel_mm).map(|[column, row]| column * row)
    }

    /// Returns the volume of a voxel in mm³.
    ///
    /// # Errors
    /// Returns an error if the pixel size or the distance between slices is not known.
    pub fn voxel_mm3(&self) -> Result<f64, ToolError> {
        let slice = self.slice_mm.filter(|mm| mm.is_finite() && *mm > 0.0).ok_or(ToolError::NoSliceDistance)?;
        Ok(self.pixel_mm2()? * slice)
    }

    /// Returns the height of a pixel divided by its width; 1 if the pixel size is not known.
    pub fn aspect(&self) -> f64 {
        known(self.pixel_mm).map_or(1.0, |[column, row]| row / column)
    }
}

/// Returns a pixel size that is known and sound.
///
/// # Errors
/// Returns [`ToolError::NoPixelSize`] otherwise.
pub(super) fn known(pixel_mm: Option<[f64; 2]>) -> Result<[f64; 2], ToolError> {
    pixel_mm.filter(|sides| sides.iter().all(|side| side.is_finite() && *side > 0.0)).ok_or(ToolError::NoPixelSize)
}
