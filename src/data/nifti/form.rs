//! Where a NIfTI header says that its voxels lie: sform, qform, or neither (nifti1.h, "3D image (volume) orientation and location").

use ::nifti::NiftiHeader;

use crate::data::volume::geometry::{cross, dot, minus, norm};
use crate::data::volume::{NiftiForm, Turn};

/// From voxel numbers to RAS mm: three rows of four.
pub type Affine = [[f64; 4]; 3];

/// What a header says, and what there is to say of that.
pub struct Form {
    /// Which statement is used.
    pub used: NiftiForm,
    /// The statement.
    pub affine: Option<Affine>,
    /// What was wrong with it or the other one.
    pub notes: Vec<String>,
    /// What is assumed where it says nothing.
    pub assumptions: Vec<String>,
}

impl Form {
    /// Of a header of a volume of `shape`. A matrix that places nothing (zero, not a number, flat) is passed over for the other form.
    pub fn of(header: &NiftiHeader, shape: [usize; 3]) -> Self {
        let scale = unit_scale(header);
        let sform = (header.sform_code > 0).then(|| sform(header, scale));
        let qform = (header.qform_code > 0).then(|| qform(header, scale));
        let (mut notes, mut assumptions) = (Vec::new(), Vec::new());
        let mut usable = |name: &str, affine: Option<Affine>| {
            let sound = affine.filter(is_sound);
            if affine.is_some() && sound.is_none() {
                notes.push(format!(
                    "The {name} of its header places no voxel (its matrix is empty or flat) and is not used."
                ));
            }
            sound
        };
        let (sform, qform) = (usable("sform", sform), usable("qform", qform));
        if let (Some(a), Some(b)) = (&sform, &qform)
            && let Some(distance) = disagreement(a, b, shape)
        {
            notes.push(format!(
                "Its header places the voxels twice, and the two differ by up to {distance:.1} mm (sform and qform); the sform is used."
            ));
        }
        if header.xyzt_units & 7 == 0 {
            assumptions.push("Its header does not give its unit of length; lengths are taken for mm.".into());
        }
        let (used, affine) = match (sform, qform) {
            (Some(affine), _) => (NiftiForm::Sform, Some(affine)),
            (None, Some(affine)) => (NiftiForm::Qform, Some(affine)),
            (None, None) => {
                assumptions.push(
                    "Its header does not say where the voxels lie: sides and order are as stored, and not known."
                        .into(),
                );
                (NiftiForm::None, None)
            }
        };
        Self { used, affine, notes, assumptions }
    }
}

/// From the header's unit of length to mm; 1, with an assumption in [`Form`], where it gives none.
pub fn unit_scale(header: &NiftiHeader) -> f64 {
    match header.xyzt_units & 7 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    }
}

fn sform(header: &NiftiHeader, scale: f64) -> Affine {
    [header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(|value| f64::from(value) * scale))
}

/// Quaternion to matrix, as nifti1.h has it.
fn qform(header: &NiftiHeader, scale: f64) -> Affine {
    let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let qfac = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let [x, y, z] = [1, 2, 3].map(|axis| f64::from(header.pixdim[axis]) * scale);
    let z = z * qfac;
    let offset = [header.quatern_x, header.quatern_y, header.quatern_z].map(|value| f64::from(value) * scale);
    [
        [(a * a + b * b - c * c - d * d) * x, 2.0 * (b * c - a * d) * y, 2.0 * (b * d + a * c) * z, offset[0]],
        [2.0 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2.0 * (c * d - a * b) * z, offset[1]],
        [2.0 * (b * d - a * c) * x, 2.0 * (c * d + a * b) * y, (a * a + d * d - b * b - c * c) * z, offset[2]],
    ]
}

/// The direction of an axis of the voxels, mm a step.
pub fn axis(affine: &Affine, axis: usize) -> [f64; 3] {
    std::array::from_fn(|part| affine[part][axis])
}

/// Whether each voxel has a place of its own.
fn is_sound(affine: &Affine) -> bool {
    let axes = [0, 1, 2].map(|number| axis(affine, number));
    let lengths = axes.map(norm);
    let volume = dot(cross(axes[0], axes[1]), axes[2]).abs();
    let all: f64 = lengths.iter().product();
    affine.iter().flatten().all(|value| value.is_finite()) && all > 0.0 && volume > 1e-3 * all
}

/// The largest distance between what both say of a corner, if that is more than half of a voxel's largest side.
fn disagreement(a: &Affine, b: &Affine, shape: [usize; 3]) -> Option<f64> {
    let place = |affine: &Affine, voxel: [f64; 3]| -> [f64; 3] {
        std::array::from_fn(|part| {
            dot([affine[part][0], affine[part][1], affine[part][2]], voxel) + affine[part][3]
        })
    };
    let corners = (0..8_usize).map(|bits| {
        let corner =
            std::array::from_fn(|axis| if bits >> axis & 1 == 1 { shape[axis] as f64 - 1.0 } else { 0.0 });
        norm(minus(place(a, corner), place(b, corner)))
    });
    let most = corners.fold(0.0, f64::max);
    let side = [0, 1, 2].map(|number| norm(axis(a, number))).into_iter().fold(0.0, f64::max);
    (most > 0.5 * side).then_some(most)
}

/// What shows the plane of the first two axes as radiologists look at it: the patient's right or front at the left, front or head at the
/// top, slices from the feet, the front or the right on. `axes` are directions in the patient (LPS).
pub fn upright(axes: [[f64; 3]; 3]) -> Turn {
    let share = |axis: usize, part: usize| axes[axis][part].abs() / norm(axes[axis]);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let fit = |order: &[usize; 3]| (0..3).map(|axis| share(axis, order[axis])).sum::<f64>();
    // Which part of space (x, y, z) each axis runs along.
    let mut main = orders.into_iter().max_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap_or([0, 1, 2]);
    let mut axes = axes;
    let transposed = main[0] > main[1];
    if transposed {
        main.swap(0, 1);
        axes.swap(0, 1);
    }
    let grows = |axis: usize| axes[axis][main[axis]] > 0.0;
    // To the patient's left and back; to the feet where the head is to be at the top; of slices to the head.
    let down = if main[1] == 2 { !grows(1) } else { grows(1) };
    Turn { transposed, reversed: [!grows(0), !down, !grows(2)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a quaternion of no rotation, in units of xyzt code `unit`.
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
