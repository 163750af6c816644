//! The grid of a label map as a NIfTI header states it: that of the source's header, or the affine of the slices'
//! positions. What a header cannot state is refused, so that no voxel gets a wrong position.

use super::form::{self, Affine};
use crate::data::Volume;
use crate::data::volume::geometry::{cross, dot, minus, norm, plus, scaled};
use crate::data::volume::{Geometry, NiftiFields, NiftiSource, Placement, Source, Turn};

/// The distance in mm up to which a position counts as exact.
pub const EXACT: f64 = 1e-3;
/// The part of the distance between slices up to which a slice may lie beside its even place. Scanners write
/// positions with few digits.
const ROUNDED: f64 = 0.01;
/// The code of the scanner's coordinates (NIFTI_XFORM_SCANNER_ANAT).
const SCANNER: i16 = 1;
/// The unit code of millimetres (NIFTI_UNITS_MM).
const MILLIMETRES: u8 = 2;

/// The fields of the header, and the turn that leads from the displayed to the written order.
pub struct WrittenGrid {
    pub sform_code: i16,
    pub qform_code: i16,
    pub fields: NiftiFields,
    pub turn: Turn,
    /// The distance in mm that a voxel may lie beside its pixel.
    pub tolerance: f64,
    /// What the reader of the file should know, as sentences.
    pub notes: Vec<String>,
}

impl WrittenGrid {
    /// Returns the grid on which a label map of `volume` is written: that of the source's voxels in their stored order
    /// for a NIfTI source, otherwise that of the displayed pixels.
    ///
    /// # Errors
    /// Returns a message if the slices are not equidistant or lie in one place.
    pub fn of(volume: &Volume) -> Result<Self, String> {
        if let Source::Nifti(source) = &volume.source {
            return Ok(Self::of_header(source, volume.geometry.turn.inverse()));
        }
        match (&volume.geometry.placement, volume.geometry.pixel_mm) {
            (Some(placement), Some(pixel_mm)) => {
                Self::of_positions(&volume.geometry, placement, pixel_mm, volume.shape())
            }
            _ => Ok(Self::without_position(&volume.geometry, volume.slices)),
        }
    }

    /// Returns the affine of the sform or, without one, of the qform.
    pub fn affine(&self) -> Option<Affine> {
        let scale = form::unit_scale(self.fields.units);
        match (self.sform_code, self.qform_code) {
            (1.., _) => Some(form::sform(&self.fields, scale)),
            (_, 1..) => Some(form::qform(&self.fields, scale)),
            _ => None,
        }
    }

    /// Takes over what the header of the source states. A matrix that gives voxels no position of their own is not
    /// stated again.
    fn of_header(source: &NiftiSource, turn: Turn) -> Self {
        let mut fields = source.fields;
        let scale = form::unit_scale(fields.units);
        let kept = |code: i16, affine: Affine| if code > 0 && form::is_sound(&affine) { code } else { 0 };
        let sform_code = kept(source.sform_code, form::sform(&fields, scale));
        let qform_code = kept(source.qform_code, form::qform(&fields, scale));
        if sform_code == 0 {
            fields.rows = [[0.0; 4]; 3];
        }
        if qform_code == 0 {
            (fields.quaternion, fields.offset) = ([0.0; 3], [0.0; 3]);
            // Without a qform these are sizes alone, and a size is above 0.
            let sizes = source.affine.map(|affine| [0, 1, 2].map(|axis| norm(form::axis(&affine, axis)) / scale));
            for axis in 1..4 {
                let size = fields.pixdim[axis].abs();
                let known = sizes.map_or(1.0, |sizes| sizes[axis - 1] as f32);
                fields.pixdim[axis] = if size.is_finite() && size > 0.0 { size } else { known };
            }
        }
        if !fields.pixdim[0].is_finite() || fields.pixdim[0] == 0.0 {
            fields.pixdim[0] = 1.0;
        }
        // The unit of time belongs to axes that a label map does not have.
        fields.units &= 7;
        Self { sform_code, qform_code, fields, turn, tolerance: EXACT, notes: Vec::new() }
    }

    /// Makes an affine of the positions of the slices. A tilted stack has a sheared affine, which the sform can hold
    /// and the qform cannot.
    fn of_positions(
        geometry: &Geometry,
        placement: &Placement,
        pixel_mm: [f64; 2],
        shape: [usize; 3],
    ) -> Result<Self, String> {
        let mut notes = Vec::new();
        let (slice, rounding) = step(geometry, placement, &mut notes)?;
        let axes = [scaled(placement.across, pixel_mm[0]), scaled(placement.down, pixel_mm[1]), slice];
        // The patient coordinates of DICOM (LPS) are converted to those of NIfTI (RAS).
        let ras = |[x, y, z]: [f64; 3]| [-x, -y, z];
        let columns = [axes[0], axes[1], axes[2], placement.positions[0]].map(ras);
        let affine: Affine = std::array::from_fn(|part| columns.map(|column| column[part]));
        if !form::is_sound(&affine) {
            return Err("its slices have no plane or direction of their own, so they cannot be written as NIfTI; export PNG".into());
        }
        let mut fields = NiftiFields {
            units: MILLIMETRES,
            rows: affine.map(|row| row.map(|value| value as f32)),
            ..NiftiFields::default()
        };
        let is_exact = set_qform(&mut fields, &affine, shape);
        if !is_exact {
            notes.push(match geometry.tilt() {
                Some(tilt) => format!(
                    "The stack is tilted by {tilt:.1}°, which a qform cannot state; the positions are in the sform alone."
                ),
                None => "A qform cannot state the directions of the slices exactly; the positions are in the sform alone.".into(),
            });
        }
        let qform_code = if is_exact { SCANNER } else { 0 };
        let tolerance = EXACT.max(2.0 * rounding);
        Ok(Self { sform_code: SCANNER, qform_code, fields, turn: Turn::NONE, tolerance, notes })
    }

    /// States sizes where they are known, and no position.
    fn without_position(geometry: &Geometry, slices: usize) -> Self {
        let mut notes =
            vec!["The image has no position in a patient, so the label map has none either.".to_owned()];
        let [column, row] = geometry.pixel_mm.unwrap_or([1.0, geometry.aspect()]);
        let is_known = geometry.pixel_mm.is_some();
        if is_known && !geometry.measured.suffix().is_empty() {
            notes.push(format!("Its pixel sizes are those{}.", geometry.measured.suffix()));
        }
        let slice = geometry.slice_mm.filter(|_| is_known).unwrap_or(1.0);
        if is_known && slices > 1 && geometry.slice_mm.is_none() {
            notes.push("The distance between its slices is not known; 1 stands for it.".into());
        }
        let pixdim = [1.0, column as f32, row as f32, slice as f32];
        let units = if is_known { MILLIMETRES } else { 0 };
        let fields = NiftiFields { pixdim, units, ..NiftiFields::default() };
        Self { sform_code: 0, qform_code: 0, fields, turn: Turn::NONE, tolerance: EXACT, notes }
    }
}

/// Returns the vector from one slice to the next in mm (LPS), and the largest distance of a slice from its even place.
fn step(geometry: &Geometry, placement: &Placement, notes: &mut Vec<String>) -> Result<([f64; 3], f64), String> {
    let positions = &placement.positions;
    let [Some(first), Some(last)] = [positions.first(), positions.last()] else {
        return Err("its slices have no positions, so they cannot be written as NIfTI; export PNG".into());
    };
    if positions.len() == 1 {
        let normal = geometry.normal().ok_or("its rows and columns have one direction; export PNG")?;
        if geometry.slice_mm.is_none() {
            notes.push("The thickness of its slice is not known; 1 mm stands for it.".into());
        }
        return Ok((scaled(normal, geometry.slice_mm.unwrap_or(1.0)), 0.0));
    }
    let step = scaled(minus(*last, *first), 1.0 / (positions.len() - 1) as f64);
    let length = norm(step);
    if length < EXACT {
        return Err(
            "its slices lie in one place, so NIfTI cannot tell their positions apart; export DICOM-SEG or PNG"
                .into(),
        );
    }
    let beside =
        |(number, position): (usize, &[f64; 3])| norm(minus(*position, plus(*first, scaled(step, number as f64))));
    let most = positions.iter().enumerate().map(beside).fold(0.0, f64::max);
    if most > (ROUNDED * length).max(EXACT) {
        let between = positions.windows(2).map(|pair| norm(minus(pair[1], pair[0])));
        let [least, largest] = between
            .fold([f64::INFINITY, 0.0], |[least, largest], step| [f64::min(least, step), f64::max(largest, step)]);
        return Err(format!(
            "its slices are not at equal distances ({least:.2} to {largest:.2} mm) on one line, which NIfTI cannot hold; export DICOM-SEG, which keeps the position \
             of every slice, or PNG"
        ));
    }
    if most > EXACT {
        notes.push(format!(
            "Its slices lie up to {most:.3} mm beside even distances, because their positions are rounded; the label map has even ones."
        ));
    }
    Ok((step, most))
}

/// Sets the sizes, the quaternion and the offset to those of an affine. Returns whether they give every voxel its
/// position: not for a sheared affine, and not where their precision is too low.
fn set_qform(fields: &mut NiftiFields, affine: &Affine, shape: [usize; 3]) -> bool {
    let axes = [0, 1, 2].map(|axis| form::axis(affine, axis));
    let lengths = axes.map(norm);
    let mut units: [[f64; 3]; 3] = std::array::from_fn(|axis| scaled(axes[axis], 1.0 / lengths[axis]));
    let is_mirrored = dot(cross(units[0], units[1]), units[2]) < 0.0;
    if is_mirrored {
        units[2] = scaled(units[2], -1.0);
    }
    let qfac = if is_mirrored { -1.0 } else { 1.0 };
    fields.pixdim = [qfac, lengths[0] as f32, lengths[1] as f32, lengths[2] as f32];
    fields.offset = form::axis(affine, 3).map(|value| value as f32);
    let exact = quaternion(units);
    // The fourth number of the quaternion is not stored but follows from the other three. Where it is small, the
    // rounding of these would turn the voxels, so neighbouring numbers are tried. Directions remain that no numbers of
    // this precision state exactly.
    let mut best = (f64::INFINITY, exact.map(|value| value as f32));
    for number in 0..125_u32 {
        let steps = [number % 5, number / 5 % 5, number / 25].map(|step| f64::from(step) - 2.0);
        let near = std::array::from_fn(|axis| (exact[axis] + steps[axis] * f64::from(f32::EPSILON) / 2.0) as f32);
        let tried = NiftiFields { quaternion: near, ..*fields };
        let distance = form::distance(&form::qform(&tried, 1.0), affine, shape);
        if distance < best.0 {
            best = (distance, near);
        }
    }
    fields.quaternion = best.1;
    best.0 <= EXACT
}

/// Returns the last three numbers (b, c, d) of the unit quaternion of a rotation, whose first is not below 0. `axes`
/// holds the vectors that the rotation makes of the axes.
fn quaternion(axes: [[f64; 3]; 3]) -> [f64; 3] {
    // The element in this row and column of the matrix.
    let at = |row: usize, column: usize| axes[column][row];
    let squares = [
        1.0 + at(0, 0) + at(1, 1) + at(2, 2),
        1.0 + at(0, 0) - at(1, 1) - at(2, 2),
        1.0 - at(0, 0) + at(1, 1) - at(2, 2),
        1.0 - at(0, 0) - at(1, 1) + at(2, 2),
    ];
    // The largest number is computed by its square and the others by their products with it, which is exact for
    // every rotation.
    let largest = (0..4).max_by(|a, b| squares[*a].total_cmp(&squares[*b])).unwrap_or(0);
    let twice = squares[largest].max(0.0).sqrt();
    let products = [
        [0.0, at(2, 1) - at(1, 2), at(0, 2) - at(2, 0), at(1, 0) - at(0, 1)],
        [at(2, 1) - at(1, 2), 0.0, at(1, 0) + at(0, 1), at(0, 2) + at(2, 0)],
        [at(0, 2) - at(2, 0), at(1, 0) + at(0, 1), 0.0, at(2, 1) + at(1, 2)],
        [at(1, 0) - at(0, 1), at(0, 2) + at(2, 0), at(2, 1) + at(1, 2), 0.0],
    ];
    let all: [f64; 4] = std::array::from_fn(|number| {
        if number == largest { twice / 2.0 } else { products[largest][number] / (2.0 * twice) }
    });
    let sign = if all[0] < 0.0 { -1.0 } else { 1.0 };
    [all[1], all[2], all[3]].map(|value| value * sign)
}
