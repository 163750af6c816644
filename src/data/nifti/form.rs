//! The position that a NIfTI header gives its voxels: by the sform, the qform, or neither (nifti1.h, "3D image
//! (volume) orientation and location").

use ::nifti::NiftiHeader;

use crate::data::volume::geometry::{cross, dot, minus, norm};
use crate::data::volume::{NiftiFields, NiftiForm, Turn};

/// The first three rows of the matrix that maps voxel indices to RAS coordinates in mm.
pub type Affine = [[f64; 4]; 3];

/// The position that a header gives, with notes.
pub struct Form {
    /// The form that is used.
    pub used: NiftiForm,
    /// The affine of that form; `None` if neither is usable.
    pub affine: Option<Affine>,
    /// Notes about a form that is not used, or if the two differ.
    pub notes: Vec<String>,
    /// The assumptions that were made because the header lacks information.
    pub assumptions: Vec<String>,
}

impl Form {
    /// Reads the position from the header of a volume of `shape`. The sform takes precedence. A degenerate
    /// matrix (zero, NaN, flat) is ignored in favour of the other form.
    pub fn of(header: &NiftiHeader, shape: [usize; 3]) -> Self {
        let scale = unit_scale(header.xyzt_units);
        let fields = super::fields(header);
        let sform = (header.sform_code > 0).then(|| sform(&fields, scale));
        let qform = (header.qform_code > 0).then(|| qform(&fields, scale));
        let (mut notes, mut assumptions) = (Vec::new(), Vec::new());
        let mut usable = |name: &str, affine: Option<Affine>| {
            let sound = affine.filter(is_sound);
            if affine.is_some() && sound.is_none() {
                notes.push(format!("The {name} of its header is not used because its matrix is empty or flat."));
            }
            sound
        };
        let (sform, qform) = (usable("sform", sform), usable("qform", qform));
        if let (Some(a), Some(b)) = (&sform, &qform)
            && let Some(distance) = disagreement(a, b, shape)
        {
            notes.push(format!(
                "The sform and the qform of its header differ by up to {distance:.1} mm; the sform is used."
            ));
        }
        if header.xyzt_units & 7 == 0 {
            assumptions.push("Its header has no unit of length; mm is assumed.".into());
        }
        let (used, affine) = match (sform, qform) {
            (Some(affine), _) => (NiftiForm::Sform, Some(affine)),
            (None, Some(affine)) => (NiftiForm::Qform, Some(affine)),
            (None, None) => {
                assumptions.push(
                    "Its header has no position: slices are in stored order, and sides are not known.".into(),
                );
                (NiftiForm::None, None)
            }
        };
        Self { used, affine, notes, assumptions }
    }
}

/// Returns the factor from a header's unit of length (xyzt_units) to mm. It is 1 if the header has no unit; [`Form`] then
/// has an assumption about it.
pub fn unit_scale(units: u8) -> f64 {
    match units & 7 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    }
}

/// Returns the affine of the sform, with lengths times `scale`.
pub fn sform(fields: &NiftiFields, scale: f64) -> Affine {
    fields.rows.map(|row| row.map(|value| f64::from(value) * scale))
}

/// Returns the affine of the qform: its quaternion, spacing and offset (nifti1.h, "METHOD 2"), with lengths
/// times `scale`.
pub fn qform(fields: &NiftiFields, scale: f64) -> Affine {
    let [b, c, d] = fields.quaternion.map(f64::from);
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let qfac = if fields.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let [x, y, z] = [1, 2, 3].map(|axis| f64::from(fields.pixdim[axis]) * scale);
    let z = z * qfac;
    let offset = fields.offset.map(|value| f64::from(value) * scale);
    [
        [(a * a + b * b - c * c - d * d) * x, 2.0 * (b * c - a * d) * y, 2.0 * (b * d + a * c) * z, offset[0]],
        [2.0 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2.0 * (c * d - a * b) * z, offset[1]],
        [2.0 * (b * d - a * c) * x, 2.0 * (c * d + a * b) * y, (a * a + d * d - b * b - c * c) * z, offset[2]],
    ]
}

/// Returns the vector of one step along a voxel axis, in mm; for axis 3 the position of the first voxel.
pub fn axis(affine: &Affine, axis: usize) -> [f64; 3] {
    std::array::from_fn(|part| affine[part][axis])
}

/// Returns whether an affine gives all voxels different positions.
pub fn is_sound(affine: &Affine) -> bool {
    let axes = [0, 1, 2].map(|number| axis(affine, number));
    let lengths = axes.map(norm);
    let volume = dot(cross(axes[0], axes[1]), axes[2]).abs();
    let all: f64 = lengths.iter().product();
    affine.iter().flatten().all(|value| value.is_finite()) && all > 0.0 && volume > 1e-3 * all
}

/// Returns the position in mm that an affine gives to a voxel.
pub fn place(affine: &Affine, voxel: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|part| dot([affine[part][0], affine[part][1], affine[part][2]], voxel) + affine[part][3])
}

/// Returns the largest distance in mm between the positions that two affines give to a corner of the volume.
pub fn distance(a: &Affine, b: &Affine, shape: [usize; 3]) -> f64 {
    let corners = (0..8_usize).map(|bits| {
        let corner =
            std::array::from_fn(|axis| if bits >> axis & 1 == 1 { shape[axis] as f64 - 1.0 } else { 0.0 });
        norm(minus(place(a, corner), place(b, corner)))
    });
    corners.fold(0.0, f64::max)
}

/// Returns [`distance`], or `None` if it is at most half of the largest side of a voxel.
fn disagreement(a: &Affine, b: &Affine, shape: [usize; 3]) -> Option<f64> {
    let most = distance(a, b, shape);
    let side = [0, 1, 2].map(|number| norm(axis(a, number))).into_iter().fold(0.0, f64::max);
    (most > 0.5 * side).then_some(most)
}

/// Returns the turn that displays the plane of the first two axes in the usual radiological orientation: the
/// patient's right or front at the left, the front or head at the top, and slices that begin at the feet, the
/// front or the right. `axes` are the directions of the voxel axes in the patient (LPS).
pub fn upright(axes: [[f64; 3]; 3]) -> Turn {
    let share = |axis: usize, part: usize| axes[axis][part].abs() / norm(axes[axis]);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let fit = |order: &[usize; 3]| (0..3).map(|axis| share(axis, order[axis])).sum::<f64>();
    // The patient axis (x, y, z) along which each voxel axis mainly runs.
    let mut main = orders.into_iter().max_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap_or([0, 1, 2]);
    let mut axes = axes;
    let transposed = main[0] > main[1];
    if transposed {
        main.swap(0, 1);
        axes.swap(0, 1);
    }
    let grows = |axis: usize| axes[axis][main[axis]] > 0.0;
    // Column numbers grow to the patient's left or back. Row numbers grow to the back, or to the feet so that
    // the head is at the top. Slice numbers grow to the head, the back or the left.
    let down = if main[1] == 2 { !grows(1) } else { grows(1) };
    Turn { transposed, reversed: [!grows(0), !down, !grows(2)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the diagonal of the affine of a quaternion without rotation, with lengths in the unit of xyzt
    /// code `unit`.
    fn lengths(unit: u8, qfac: f32) -> [f64; 3] {
        let pixdim = [qfac, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0];
        let header =
            NiftiHeader { qform_code: 1, sform_code: 0, pixdim, xyzt_units: unit, ..NiftiHeader::default() };
        let form = Form::of(&header, [5, 5, 5]);
        let affine = form.affine.expect("a statement");
        std::array::from_fn(|number| axis(&affine, number)[number])
    }

    #[test]
    fn lengths_are_in_mm_and_qfac_mirrors_the_third_axis() {
        assert_eq!(lengths(2, 1.0), [2.0, 3.0, 4.0]);
        assert_eq!(lengths(2, -1.0), [2.0, 3.0, -4.0]);
        assert_eq!(lengths(2, 0.0), [2.0, 3.0, 4.0], "0 stands for 1");
        assert_eq!(lengths(1, 1.0), [2000.0, 3000.0, 4000.0], "metres");
    }
}
