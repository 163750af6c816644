//! Where the pixels of a volume lie in the patient, and how large they are.
//!
//! Coordinates are those of DICOM (PS3.3 C.7.6.2.1.1): mm, x to the patient's left, y to the back, z to the head ("LPS"). NIfTI's RAS
//! has x and y the other way and is converted when it is read.

use super::{Sides, Turn};

/// Relative deviation from the median step between slices from which on a step is a gap.
const GAP: f64 = 0.05;
/// Angle from which on a stack counts as tilted, in degrees.
const TILTED: f64 = 0.2;

/// Where lengths in the image were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Measured {
    /// In the patient: in the plane of a slice, or calibrated there.
    #[default]
    Patient,
    /// At the detector behind the patient: true lengths are smaller (DICOM ImagerPixelSpacing).
    Detector,
    /// At the detector, divided by the magnification that the file gives (DICOM EstimatedRadiographicMagnificationFactor).
    Corrected {
        /// The magnification.
        magnification: f64,
    },
    /// On the film that was scanned (DICOM NominalScannedPixelSpacing).
    Film,
}

impl Measured {
    /// Returns what follows a length in mm; empty if the length is true in the patient.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Patient | Self::Corrected { .. } => "",
            Self::Detector => " at detector",
            Self::Film => " on film",
        }
    }
}

/// What the distance of slices was derived from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SliceDistance {
    /// The positions of the slices, or the affine.
    #[default]
    Positions,
    /// The spacing in the header.
    Spacing,
    /// The thickness in the header, which may differ from the distance.
    Thickness,
}

/// Where slices lie in the patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Direction in which the column number grows; length 1.
    pub across: [f64; 3],
    /// Direction in which the row number grows; length 1.
    pub down: [f64; 3],
    /// Centre of the first pixel of every slice, mm.
    pub positions: Vec<[f64; 3]>,
}

/// Where the pixels of a volume lie and how large they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Geometry {
    /// Distance of columns and of rows in mm, if the file has it.
    pub pixel_mm: Option<[f64; 2]>,
    /// Where that distance was measured.
    pub measured: Measured,
    /// Height of a pixel over its width, if the file has only the proportion.
    pub proportion: Option<f64>,
    /// Distance of slices in mm, if the file has it.
    pub slice_mm: Option<f64>,
    /// What that distance was derived from.
    pub slice_from: SliceDistance,
    /// Where the slices lie, if the file says it for all of them.
    pub placement: Option<Placement>,
    /// Which side of the patient lies at each edge, if the file says.
    pub sides: Option<Sides>,
    /// What positions refer to (DICOM FrameOfReferenceUID); empty if the file does not say.
    pub frame_of_reference: String,
    /// Gantry tilt in the header, in degrees.
    pub gantry_tilt: Option<f64>,
    /// How the pixels were turned relative to their stored order. All other fields describe the displayed order.
    pub turn: Turn,
}

impl Geometry {
    /// Returns the distance of columns, rows and slices in mm, if the file has all three.
    pub fn spacing_mm(&self) -> Option<[f64; 3]> {
        let ([column, row], slice) = (self.pixel_mm?, self.slice_mm?);
        Some([column, row, slice])
    }

    /// Returns the height of a pixel over its width; 1 if the file does not say.
    pub fn aspect(&self) -> f64 {
        let by_size = self.pixel_mm.map(|[column, row]| row / column);
        by_size.or(self.proportion).filter(|aspect| aspect.is_finite() && *aspect > 0.0).unwrap_or(1.0)
    }

    /// Returns where a pixel's centre lies in the patient, in mm; `column` and `row` count from the centre of the
    /// first pixel. `None` if the file does not say.
    pub fn place(&self, column: f64, row: f64, slice: usize) -> Option<[f64; 3]> {
        let ([width, height], placement) = (self.pixel_mm?, self.placement.as_ref()?);
        let origin = placement.positions.get(slice)?;
        Some(std::array::from_fn(|part| {
            origin[part] + placement.across[part] * width * column + placement.down[part] * height * row
        }))
    }

    /// Returns the direction at right angles to the slices in which a right-handed stack grows.
    pub fn normal(&self) -> Option<[f64; 3]> {
        let placement = self.placement.as_ref()?;
        // If a plane is sheared, rows and columns are not at right angles, and the product is shorter than 1.
        let normal = cross(placement.across, placement.down);
        let length = norm(normal);
        (length > 1e-6).then(|| scaled(normal, 1.0 / length))
    }

    /// Returns the steps between neighbouring slices along the normal, in mm; empty if the file does not say.
    pub fn steps(&self) -> Vec<f64> {
        let (Some(normal), Some(placement)) = (self.normal(), &self.placement) else { return Vec::new() };
        let step = |pair: &[[f64; 3]]| dot(normal, minus(pair[1], pair[0]));
        placement.positions.windows(2).map(step).collect()
    }

    /// Returns the slices, from 0, after which the step differs from the others, with that step in mm.
    pub fn gaps(&self) -> Vec<(usize, f64)> {
        let steps = self.steps();
        let Some(middle) = median(&steps).filter(|middle| middle.abs() > 1e-6) else { return Vec::new() };
        let differs = |(_, step): &(usize, f64)| (step / middle - 1.0).abs() > GAP;
        steps.into_iter().enumerate().filter(differs).collect()
    }

    /// Returns the angle in degrees between the stack and the normal of its slices, if it is tilted (a tilted gantry,
    /// a sheared affine).
    pub fn tilt(&self) -> Option<f64> {
        let (normal, placement) = (self.normal()?, self.placement.as_ref()?);
        let (first, last) = (placement.positions.first()?, placement.positions.last()?);
        let way = minus(*last, *first);
        let length = norm(way);
        (length > 1e-6)
            .then(|| (dot(way, normal).abs() / length).clamp(0.0, 1.0).acos().to_degrees())
            .filter(|degrees| *degrees > TILTED)
    }

    /// Derives the distance of slices from their positions, and the sides from the directions.
    pub fn derive(&mut self) {
        if let Some(step) = median(&self.steps()).map(f64::abs).filter(|step| *step > 1e-3) {
            self.slice_mm = Some(step);
            self.slice_from = SliceDistance::Positions;
        }
        if let Some(placement) = &self.placement {
            self.sides = Sides::new(placement.across, placement.down);
        }
    }

    /// Turns the geometry with the pixels; `shape` is theirs before.
    pub(in crate::data) fn turn_by(&mut self, turn: Turn, shape: [usize; 3]) {
        self.turn = self.turn.then(turn);
        let [columns, rows, _] = turn.shape(shape);
        if turn.transposed {
            self.pixel_mm = self.pixel_mm.map(|[column, row]| [row, column]);
            self.proportion = self.proportion.map(f64::recip);
        }
        let pixel_mm = self.pixel_mm;
        if pixel_mm.is_none() && (turn.reversed[0] || turn.reversed[1]) {
            // Without a size the new position of the first pixel is not known.
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

/// Returns the median, or `None` if there are no values.
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

/// Returns the length.
pub(crate) fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// Returns the sum.
pub(crate) fn plus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|part| a[part] + b[part])
}

/// Returns the difference.
pub(crate) fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|part| a[part] - b[part])
}

/// Returns the vector `times` as long.
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
