//! The unit of lengths and areas within an image: millimetres only if the file has the pixel spacing.

use super::{Geometry, Measured};

/// A unit of length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// Pixels, which are square or are assumed to be.
    Pixels,
    /// Widths of a pixel, if pixels are known not to be square and their size is not known.
    PixelWidths,
    /// Millimetres, with the place at which the pixel spacing was measured.
    Millimetres(Measured),
}

impl Unit {
    /// Returns the words that follow a length, for instance "mm at detector".
    pub fn words(self) -> String {
        match self {
            Self::Pixels => "px".into(),
            Self::PixelWidths => "pixel widths".into(),
            Self::Millimetres(measured) => format!("mm{}", measured.suffix()),
        }
    }
}

/// The unit and scale of lengths within a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lengths {
    /// The distance between columns and the distance between rows.
    pub size: [f64; 2],
    /// The unit of these distances.
    pub unit: Unit,
}

impl Lengths {
    /// Square pixels of unknown size.
    pub const PIXELS: Self = Self { size: [1.0; 2], unit: Unit::Pixels };

    /// Returns the height of a pixel divided by its width.
    pub fn aspect(&self) -> f32 {
        (self.size[1] / self.size[0]) as f32
    }

    /// Returns the distance, in the unit, of two points that are so many columns and rows apart.
    pub fn between(&self, columns: f64, rows: f64) -> f64 {
        (columns * self.size[0]).hypot(rows * self.size[1])
    }

    /// Returns the area of so many pixels in mm², or `None` if their size is not known.
    pub fn area_mm2(&self, pixels: u64) -> Option<f64> {
        matches!(self.unit, Unit::Millimetres(_)).then(|| pixels as f64 * self.size[0] * self.size[1])
    }
}

impl Geometry {
    /// Returns the unit of lengths within a slice: mm if the pixel spacing is known, widths of a pixel if only
    /// the proportion of its sides is known, otherwise pixels.
    pub fn lengths(&self) -> Lengths {
        match (self.pixel_mm, self.aspect()) {
            (Some(size), _) => Lengths { size, unit: Unit::Millimetres(self.measured) },
            (None, 1.0) => Lengths::PIXELS,
            (None, aspect) => Lengths { size: [1.0, aspect], unit: Unit::PixelWidths },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_mm_only_where_the_file_gives_them() {
        let unknown = Geometry::default().lengths();
        assert_eq!((unknown.between(3.0, 4.0), unknown.unit.words().as_str()), (5.0, "px"));
        assert_eq!(unknown.area_mm2(7), None);
        let flat = Geometry { proportion: Some(0.5), ..Geometry::default() }.lengths();
        assert_eq!((flat.between(3.0, 8.0), flat.unit.words().as_str()), (5.0, "pixel widths"));
        assert_eq!(flat.area_mm2(7), None);
        let known = |measured| Geometry { pixel_mm: Some([0.5, 2.0]), measured, ..Geometry::default() }.lengths();
        let patient = known(Measured::Patient);
        assert_eq!((patient.between(6.0, 2.0), patient.area_mm2(7)), (5.0, Some(7.0)));
        assert_eq!(patient.unit.words(), "mm");
        assert_eq!(known(Measured::Detector).unit.words(), "mm at detector");
        assert_eq!(known(Measured::Film).unit.words(), "mm on film");
        assert_eq!(known(Measured::Corrected { magnification: 1.2 }).unit.words(), "mm");
    }
}
