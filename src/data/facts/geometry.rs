//! The facts about the geometry: pixel spacing, slice distance, gaps, tilt, sides, positions and turn.

use super::words::{few, number, place};
use super::{Fact, Section};
use crate::data::Volume;
use crate::data::volume::{Geometry, Measured, NiftiForm, SliceDistance, Source};

/// The most gaps that are listed.
const GAPS: usize = 6;

/// Returns the section on the geometry. `slice` is the number of the displayed slice, from 0.
pub fn section(volume: &Volume, slice: usize) -> Section {
    let geometry = &volume.geometry;
    let mut rows = vec![size(volume)];
    if volume.slices > 1 {
        rows.push(distance(volume));
        if !geometry.steps().is_empty() {
            rows.push(gaps(geometry));
            rows.push(tilt(geometry));
        }
    }
    if let Some(degrees) = geometry.gantry_tilt {
        rows.push(Fact::new("Tilt in the header", format!("{}°", number(degrees, 2)), "from GantryDetectorTilt"));
    }
    rows.push(sides(volume));
    rows.extend(positions(volume, slice));
    rows.push(turn(volume));
    Section { title: "Geometry", rows }
}

fn size(volume: &Volume) -> Fact {
    let geometry = &volume.geometry;
    let name = "Pixel spacing";
    let Some([column, row]) = geometry.pixel_mm else {
        let [unknown, _] = super::UNKNOWN;
        return match geometry.proportion {
            Some(proportion) => {
                let value = format!("{unknown}; pixels are {} times as high as wide", number(proportion, 4));
                Fact::new(name, value, "the file has only the proportion")
            }
            None => Fact::unknown(name),
        };
    };
    let value = format!("{} × {} mm{}", number(column, 5), number(row, 5), geometry.measured.suffix());
    let is_ultrasound = matches!(&volume.source, Source::Dicom(dicom) if dicom.modality == "US");
    let origin = match (&volume.source, geometry.measured) {
        (Source::Dicom(_), Measured::Patient) if is_ultrasound => {
            "from the calibration of the region, or PixelSpacing"
        }
        (Source::Dicom(_), Measured::Patient) => "from PixelSpacing, in the patient",
        (Source::Dicom(_), Measured::Detector) => {
            "at the detector behind the patient: lengths in the patient are smaller"
        }
        (Source::Dicom(_), Measured::Corrected { magnification }) => {
            let times = number(magnification, 4);
            return Fact::new(
                name,
                value,
                format!("from ImagerPixelSpacing, divided by EstimatedRadiographicMagnificationFactor ({times})"),
            );
        }
        (Source::Dicom(_), Measured::Film) => "from NominalScannedPixelSpacing: on the film that was scanned",
        (Source::Nifti(nifti), _) => form(nifti.used, "pixdim"),
        (Source::Picture(_) | Source::Made, _) => "from the file",
    };
    Fact::new(name, value, origin)
}

/// Returns the origin of a fact about a NIfTI volume: the transformation that is used, or `otherwise` if neither
/// is.
fn form(used: NiftiForm, otherwise: &'static str) -> &'static str {
    match (used, otherwise) {
        (NiftiForm::Sform, _) => "from the affine (sform)",
        (NiftiForm::Qform, _) => "from the affine (qform)",
        (NiftiForm::None, "pixdim") => "from pixdim",
        (NiftiForm::None, other) => other,
    }
}

fn distance(volume: &Volume) -> Fact {
    let geometry = &volume.geometry;
    let Some(mm) = geometry.slice_mm else { return Fact::unknown("Slice distance") };
    let origin = match (&volume.source, geometry.slice_from) {
        (Source::Dicom(_), SliceDistance::Positions) => {
            "from ImagePositionPatient, along the normal of the slices"
        }
        (Source::Dicom(_), SliceDistance::Spacing) => "from SpacingBetweenSlices",
        (Source::Dicom(_), SliceDistance::Thickness) => "from SliceThickness, which may differ from the distance",
        (Source::Nifti(nifti), SliceDistance::Positions) => form(nifti.used, "pixdim"),
        (Source::Nifti(_), _) => "from pixdim",
        _ => "from the file",
    };
    Fact::new("Slice distance", format!("{} mm", number(mm, 5)), origin)
}

fn gaps(geometry: &Geometry) -> Fact {
    let gap = |(slice, step): &(usize, f64)| format!("after slice {}: {} mm", slice + 1, number(step.abs(), 3));
    let gaps: Vec<String> = geometry.gaps().iter().map(gap).collect();
    let value = if gaps.is_empty() { "none".into() } else { few(&gaps, GAPS) };
    Fact::new("Gaps", value, "from the positions of the slices")
}

fn tilt(geometry: &Geometry) -> Fact {
    let value = geometry.tilt().map_or_else(|| "none".into(), |degrees| format!("{}°", number(degrees, 2)));
    Fact::new("Tilt of the stack", value, "from the positions of the slices")
}

fn sides(volume: &Volume) -> Fact {
    let Some(sides) = volume.geometry.sides else { return Fact::unknown("Sides") };
    let value = format!("left {}, right {}, top {}, bottom {}", sides.left, sides.right, sides.top, sides.bottom);
    let origin = match &volume.source {
        Source::Dicom(_) if volume.geometry.placement.is_some() => "from ImageOrientationPatient",
        Source::Dicom(_) => "from ImageOrientationPatient or PatientOrientation",
        Source::Nifti(nifti) => form(nifti.used, "from the file"),
        _ => "from the file",
    };
    Fact::new("Sides", value, origin)
}

/// Returns the positions of the first, the displayed and the last slice.
fn positions(volume: &Volume, slice: usize) -> Vec<Fact> {
    if let (None, Source::Picture(_) | Source::Made) = (&volume.geometry.placement, &volume.source) {
        // An image file is not expected to have a position.
        return Vec::new();
    }
    let Some(placement) = &volume.geometry.placement else { return vec![Fact::unknown("Position")] };
    let origin = match &volume.source {
        Source::Dicom(_) => "centre of the first pixel as shown, from ImagePositionPatient",
        _ => "centre of the first pixel as shown, from the affine",
    };
    let row = |name: String, slice: usize| {
        let position = placement.positions.get(slice)?;
        Some(Fact::new(&name, format!("{} mm", place(*position)), origin))
    };
    let last = volume.slices.saturating_sub(1);
    let wanted = match last {
        0 => vec![("Position".to_owned(), 0)],
        last => vec![
            ("First slice at".to_owned(), 0),
            (format!("Slice {} at", slice + 1), slice),
            ("Last slice at".to_owned(), last),
        ],
    };
    wanted.into_iter().filter_map(|(name, slice)| row(name, slice)).collect()
}

fn turn(volume: &Volume) -> Fact {
    let turn = volume.geometry.turn;
    let origin = match &volume.source {
        _ if turn.is_none() => "pixels are displayed in stored order".to_owned(),
        Source::Picture(picture) => match picture.orientation {
            Some(number) => format!("from the EXIF orientation ({number})"),
            None => "as the file asks".to_owned(),
        },
        _ => "head or front of the patient at the top, right at the left".to_owned(),
    };
    Fact::new("Turned", turn.name(), origin)
}
