//! The positions of a volume's pixels in the patient, and their sizes.
//!
//! Coordinates are the patient coordinates of DICOM (PS3.3 C.7.6.2.1.1), in mm: x increases towards the
//! patient's left, y towards the back and z towards the head (LPS). NIfTI's RAS coordinates have x and y in the
//! opposite directions and are converted when a file is read.

use super::{Sides, Turn};

/// Relative deviation from the median step between slices above which a step counts as a gap.
const GAP: f64 = 0.05;
/// Angle in degrees above which a stack counts as tilted.
const TILTED: f64 = 0.2;

/// The place at which the pixel spacing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Measured {
    /// The spacing holds in the patient: in the plane of a slice, or by calibration.
    #[default]
    Patient,
    /// The spacing holds at the detector behind the patient, so that true lengths are smaller (DICOM
    /// ImagerPixelSpacing).
    Detector,
    /// The spacing at the detector was divided by the magnification in the file (DICOM
    /// EstimatedRadiographicMagnificationFactor).
    Corrected {
        /// The magnification factor.
        magnification: f64,
    },
    /// The spacing holds on the film that was scanned (DICOM NominalScannedPixelSpacing).
    Film,
}

impl Measured {
    /// Returns the words that follow a length in mm; empty if the length holds in the patient.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Patient | Self::Corrected { .. } => "",
            Self::Detector => " at detector",
            Self::Film => " on film",
        }
    }
}

/// The source of the distance between slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SliceDistance {
    /// The distance comes from the positions of the slices, or from the affine.
    #[default]
    Positions,
    /// The distance is the slice spacing in the header.
    Spacing,
    /// The distance is the slice thickness in the header, which may differ from the true distance.
    Thickness,
}

/// The orientation and the positions of the slices in the patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Unit vector in which the column number increases.
    pub across: [f64; 3],
    /// Unit vector in which the row number increases.
    pub down: [f64; 3],
    /// Centre of the first pixel of every slice, in mm.
    pub positions: Vec<[f64; 3]>,
}

/// The positions and the sizes of a volume's pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Geometry {
    /// Pixel spacing in mm: the distance between columns and the distance between rows; `None` if it is not
    /// known.
    pub pixel_mm: Option<[f64; 2]>,
    /// The place at which the pixel spacing was measured.
    pub measured: Measured,
    /// Height of a pixel divided by its width, if the file states only this ratio.
    pub proportion: Option<f64>,
    /// Distance between slices in mm; `None` if it is not known.
    pub slice_mm: Option<f64>,
    /// The source of that distance.
    pub slice_from: SliceDistance,
    /// The orientation and the positions of the slices; `None` unless the file states them for all slices.
    pub placement: Option<Placement>,
    /// The side of the patient at each edge of the image; `None` if it is not known.
    pub sides: Option<Sides>,
    /// The frame of reference of the positions (DICOM FrameOfReferenceUID); empty if the file does not state it.
    pub frame_of_reference: String,
    /// Gantry tilt in the header, in degrees.
    pub gantry_tilt: Option<f64>,
    /// How the pixels were turned relative to their stored order. All other fields describe the displayed order.
    pub turn: Turn,
}

impl Geometry {
    /// Returns the voxel spacing in mm: the distances between columns, rows and slices. `None` unless all three
    /// are known.
    pub fn spacing_mm(&self) -> Option<[f64; 3]> {
        let ([column, row], slice) = (self.pixel_mm?, self.slice_mm?);
        Some([column, row, slice])
    }

    /// Returns the height of a pixel divided by its width; 1 if it is not known.
    pub fn aspect(&self) -> f64 {
        let by_size = self.pixel_mm.map(|[column, row]| row / column);
        by_size.or(self.proportion).filter(|aspect| aspect.is_finite() && *aspect > 0.0).unwrap_or(1.0)
    }

    /// Returns the position in the patient, in mm, of a point of a slice. `column` and `row` are in pixels from
    /// the centre of the first pixel. `None` if the placement or the pixel spacing is not known, or there is no
    /// such slice.
    pub fn place(&self, column: f64, row: f64, slice: usize) -> Option<[f64; 3]> {
        let ([width, height], placement) = (self.pixel_mm?, self.placement.as_ref()?);
        let origin = placement.positions.get(slice)?;
        Some(std::array::from_fn(|part| {
            origin[part] + placement.across[part] * width * column + placement.down[part] * height * row
        }))
    }

    /// Returns the unit normal of the slices: the vector product of the directions of columns and rows. `None`
    /// if the placement is not known or the two directions are parallel.
    pub fn normal(&self) -> Option<[f64; 3]> {
        let placement = self.placement.as_ref()?;
        // If a plane is sheared, rows and columns are not at right angles, and the product is shorter than 1.
        let normal = cross(placement.across, placement.down);
        let length = norm(normal);
        (length > 1e-6).then(|| scaled(normal, 1.0 / length))
    }

    /// Returns the signed steps between neighbouring slices along the normal, in mm; empty if the placement is
    /// not known.
    pub fn steps(&self) -> Vec<f64> {
        let (Some(normal), Some(placement)) = (self.normal(), &self.placement) else { return Vec::new() };
        let step = |pair: &[[f64; 3]]| dot(normal, minus(pair[1], pair[0]));
        placement.positions.windows(2).map(step).collect()
    }

    /// Returns the slices, from 0, after which the step differs by more than 5 % from the median, with that step
    /// in mm.
    pub fn gaps(&self) -> Vec<(usize, f64)> {
        let steps = self.steps();
        let Some(middle) = median(&steps).filter(|middle| middle.abs() > 1e-6) else { return Vec::new() };
        let differs = |(_, step): &(usize, f64)| (step / middle - 1.0).abs() > GAP;
        steps.into_iter().enumerate().filter(differs).collect()
    }

    /// Returns the angle in degrees between the stacking direction and the normal of the slices, if the stack is
    /// tilted (by a tilted gantry or a sheared affine). `None` if it is not tilted by more than 0.2° or not
    /// known.
    pub fn tilt(&self) -> Option<f64> {
        let (normal, placement) = (self.normal()?, self.placement.as_ref()?);
        let (first, last) = (placement.positions.first()?, placement.positions.last()?);
        let way = minus(*last, *first);
        let length = norm(way);
        (length > 1e-6)
            .then(|| (dot(way, normal).abs() / length).clamp(0.0, 1.0).acos().to_degrees())
            .filter(|degrees| *degrees > TILTED)
    }

    /// Derives the slice distance from the positions of the slices, and the sides from the directions of columns
    /// and rows.
    pub fn derive(&mut self) {
        if let Some(step) = median(&self.steps()).map(f64::abs).filter(|step| *step > 1e-3) {
            self.slice_mm = Some(step);
            self.slice_from = SliceDistance::Positions;
        }
        if let Some(placement) = &self.placement {
            self.sides = Sides::new(placement.across, placement.down);
        }
    }

    /// Turns the geometry together with the pixels; `shape` holds the numbers of columns, rows and slices
    /// before.
    pub(in crate::data) fn turn_by(&mut self, turn: Turn, shape: [usize; 3]) {
        self.turn = self.turn.then(turn);
        let [columns, rows, _] = turn.shape(shape);
        if turn.transposed {
            self.pixel_mm = self.pixel_mm.map(|[column, row]| [row, column]);
            self.proportion = self.proportion.map(f64::recip);
        }
        let pixel_mm = self.pixel_mm;
        if pixel_mm.is_none() && (turn.reversed[0] || turn.reversed[1]) {
            // Without the pixel spacing, the position of the new first pixel is not known.
            self.placement = None;
        }
        if let Some(placement) = &mut self.placement {
            if turn.transposed {
                std::mem::swap(&mut placement.across, &mut placement.down);
            }
            let [width, height] = pixel_mm.unwrap_or([0.0; 2]);
            if turn.reversed[0] {
                let far = scaled(placement.across, width * (columns.max(1) - 1) as f64);
                placement.positions.iter_mut().for_each(|position| *position = plus(*position, far));
                placement.across = scaled(placement.across, -1.0);
            }
            if turn.reversed[1] {
                let far = scaled(placement.down, height * (rows.max(1) - 1) as f64);
                placement.positions.iter_mut().for_each(|position| *position = plus(*position, far));
                placement.down = scaled(placement.down, -1.0);
            }
            if turn.reversed[2] {
                placement.positions.reverse();
            }
        }
        self.sides = self.sides.map(|sides| sides.turned(turn));
    }
}

/// Returns the median (the upper one of an even number), or `None` if there are no values.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Returns the vector product.
pub(crate) fn cross([ax, ay, az]: [f64; 3], [bx, by, bz]: [f64; 3]) -> [f64; 3] {
    [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
}

/// Returns the scalar product.
pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Returns the Euclidean length of the vector.
pub(crate) fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// Returns the sum of two vectors.
pub(crate) fn plus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|part| a[part] + b[part])
}

/// Returns the first vector minus the second.
pub(crate) fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|part| a[part] - b[part])
}

/// Returns the vector multiplied by `times`.
pub(crate) fn scaled(a: [f64; 3], times: f64) -> [f64; 3] {
    a.map(|part| part * times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axial(positions: Vec<[f64; 3]>) -> Geometry {
        Geometry {
            pixel_mm: Some([0.5, 2.0]),
            placement: Some(Placement { across: [1.0, 0.0, 0.0], down: [0.0, 1.0, 0.0], positions }),
            ..Geometry::default()
        }
    }

    #[test]
    fn a_place_stays_the_place_of_its_pixel() {
        let stack = axial(vec![[-10.0, 20.0, 5.0], [-10.0, 20.0, 8.0]]);
        let shape = [3, 4, 2];
        for bits in 0..16 {
            let turn = Turn { transposed: bits & 1 > 0, reversed: [bits & 2 > 0, bits & 4 > 0, bits & 8 > 0] };
            let mut turned = stack.clone();
            turned.turn_by(turn, shape);
            let [columns, rows, slices] = turn.shape(shape);
            for (x, y, z) in [(0, 0, 0), (columns - 1, 0, 1), (1, rows - 1, slices - 1)] {
                let [a, b, c] = turn.stored([x, y, z], shape);
                let (stored, shown) = (stack.place(a as f64, b as f64, c), turned.place(x as f64, y as f64, z));
                assert_eq!(shown, stored, "{turn:?}");
            }
            assert_eq!(turned.turn, turn);
        }
    }

    #[test]
    fn distances_gaps_and_tilt_come_from_positions() {
        let mut even = axial((0..4).map(|slice| [0.0, 0.0, 2.5 * f64::from(slice)]).collect());
        even.derive();
        assert_eq!((even.slice_mm, even.gaps(), even.tilt()), (Some(2.5), vec![], None));
        assert_eq!(even.sides.map(|sides| (sides.left, sides.top)), Some(('R', 'A')));
        let mut missing = axial([0.0, 2.0, 4.0, 8.0, 10.0].map(|z| [0.0, 0.0, z]).to_vec());
        missing.derive();
        assert_eq!((missing.slice_mm, missing.gaps()), (Some(2.0), vec![(2, 4.0)]));
        // Each slice lies 1 mm further back where the next is 1 mm further up: 45 degrees.
        let mut tilted = axial((0..3).map(|slice| [0.0, f64::from(slice), f64::from(slice)]).collect());
        tilted.derive();
        assert!(tilted.tilt().is_some_and(|degrees| (degrees - 45.0).abs() < 1e-9), "{:?}", tilted.tilt());
        assert_eq!(tilted.slice_mm, Some(1.0), "along the normal");
    }
}
