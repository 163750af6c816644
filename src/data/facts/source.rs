//! The facts about the file: its format, and the metadata that are specific to the format.

use super::words::{count, few, number};
use super::{Fact, Section};
use crate::data::Volume;
use crate::data::volume::{DicomSource, Modality, NiftiForm, NiftiSource, PictureSource, Source, Turn};

/// The most frame numbers that are listed.
const FRAMES: usize = 8;

/// Returns the section on the file: format, kind of image, size, pages and EXIF orientation.
pub fn file(volume: &Volume) -> Section {
    let mut rows = vec![Fact::new("Format", volume.source.name(), "from the content of the file")];
    if volume.modality != Modality::Picture {
        rows.push(Fact::new("Kind of picture", volume.modality.name(), kind_origin(volume)));
    }
    let [columns, rows_of, slices] = volume.shape();
    let size = match slices {
        1 => format!("{columns} × {rows_of} pixels"),
        slices => format!("{columns} × {rows_of} pixels, {}", count(slices, "slice", "slices")),
    };
    rows.push(Fact::new("Size", size, "columns × rows, as shown"));
    if let Source::Picture(picture) = &volume.source {
        rows.extend(pages(picture, slices));
        rows.push(orientation(picture, volume.geometry.turn));
    }
    Section { title: "File", rows }
}

fn kind_origin(volume: &Volume) -> &'static str {
    match &volume.source {
        Source::Dicom(_) => "from Modality",
        Source::Nifti(_) => "from its values; the format cannot say it",
        _ => "from the file",
    }
}

fn pages(picture: &PictureSource, slices: usize) -> Option<Fact> {
    (picture.pages > 1).then(|| {
        let value = match slices == picture.pages {
            true => format!("{}, shown as slices", picture.pages),
            false => format!("{slices} of {} shown", picture.pages),
        };
        Fact::new("Pages", value, "from the file; pages of one size form a stack")
    })
}

fn orientation(picture: &PictureSource, applied: Turn) -> Fact {
    let name = "EXIF orientation";
    match picture.orientation {
        None => Fact::new(name, "none", super::UNKNOWN[1]),
        Some(number) => {
            let value = match (Turn::of_exif(number), applied.is_none()) {
                (None, _) => format!("{number} (invalid)"),
                (Some(turn), _) if turn.is_none() => format!("{number} (as stored)"),
                (Some(turn), true) => format!("{number} ({}), not applied", turn.name()),
                (Some(turn), false) => format!("{number} ({}), applied", turn.name()),
            };
            Fact::new(name, value, "from the EXIF or TIFF orientation")
        }
    }
}

/// Returns the section with the facts that are specific to DICOM or NIfTI; it is empty for other formats.
/// `slice` is the number of the displayed slice, from 0.
pub fn identity(volume: &Volume, slice: usize) -> Section {
    match &volume.source {
        Source::Dicom(dicom) => Section { title: "DICOM", rows: of_dicom(volume, dicom, slice) },
        Source::Nifti(nifti) => Section { title: "NIfTI", rows: of_nifti(nifti) },
        Source::Picture(_) | Source::Made => Section { title: "File", rows: Vec::new() },
    }
}

fn of_dicom(volume: &Volume, dicom: &DicomSource, slice: usize) -> Vec<Fact> {
    // A missing element is left out, except for the modality, which users look for.
    let said = |name: &str, value: &str, origin: &str| match value {
        "" => None,
        value => Some(Fact::new(name, value, format!("from {origin}"))),
    };
    let instance = dicom.sop_instances.get(slice).or(dicom.sop_instances.first()).map_or("", String::as_str);
    let frame = &volume.geometry.frame_of_reference;
    let mut rows =
        vec![said("Modality", &dicom.modality, "Modality").unwrap_or_else(|| Fact::unknown("Modality"))];
    rows.extend(said("Transfer syntax", &dicom.transfer_syntax, "TransferSyntaxUID"));
    rows.extend(said("Photometric interpretation", &dicom.photometric, "PhotometricInterpretation"));
    rows.extend(said("Rescale type", &dicom.rescale_type, "RescaleType"));
    rows.extend(said("Series description", &dicom.series_description, "SeriesDescription"));
    rows.extend(
        dicom
            .acquisition
            .map(|number| Fact::new("Acquisition number", number.to_string(), "from AcquisitionNumber")),
    );
    rows.extend(said("SOP class", &dicom.sop_class, "SOPClassUID"));
    if !dicom.frames.is_empty() {
        let numbers: Vec<String> = dicom.frames.iter().map(usize::to_string).collect();
        let origin = "frame numbers in the file, in displayed order";
        rows.push(Fact::new("Order of frames", few(&numbers, FRAMES), origin));
    }
    let patient = volume.patient.as_ref().map_or("", |patient| patient.0.as_str());
    let identifiers = [
        said("Patient", patient, "PatientName"),
        said("Acquired", &dicom.acquired, "AcquisitionDate and AcquisitionTime"),
        said("Study UID", &dicom.study, "StudyInstanceUID"),
        said("Series UID", &dicom.series, "SeriesInstanceUID"),
        said("Instance UID", instance, "SOPInstanceUID"),
        said("Frame of reference UID", frame, "FrameOfReferenceUID"),
    ];
    rows.extend(identifiers.into_iter().flatten().map(Fact::private));
    rows
}

fn of_nifti(nifti: &NiftiSource) -> Vec<Fact> {
    let used = match nifti.used {
        NiftiForm::None => "neither",
        NiftiForm::Sform => "sform",
        NiftiForm::Qform => "qform",
    };
    let mut rows = vec![
        Fact::new("sform_code", code(nifti.sform_code), "from the header"),
        Fact::new("qform_code", code(nifti.qform_code), "from the header"),
        Fact::new("Position from", used, "sform takes precedence over qform, unless it is invalid"),
    ];
    match &nifti.affine {
        Some(affine) => {
            let line = |row: &[f64; 4]| row.iter().map(|part| number(*part, 4)).collect::<Vec<_>>().join("  ");
            let value = affine.iter().map(line).collect::<Vec<_>>().join("\n");
            rows.push(Fact::new("Affine", value, "from stored voxel indices to RAS mm, by the form that is used"));
        }
        None => rows.push(Fact::unknown("Affine")),
    }
    let [slope, intercept] = nifti.scaling.map(|value| number(f64::from(value), 6));
    rows.push(Fact::new("scl_slope, scl_inter", format!("{slope}, {intercept}"), "from the header, as written"));
    if !nifti.further_axes.is_empty() {
        let sizes: Vec<String> = nifti.further_axes.iter().map(usize::to_string).collect();
        rows.push(Fact::new(
            "Further axes",
            sizes.join(" × "),
            "from dim; volumes beyond the first in time or kind",
        ));
    }
    rows
}

/// Returns an sform or qform code with its meaning (nifti1.h, NIFTI_XFORM codes).
fn code(code: i16) -> String {
    let meaning = match code {
        0 => "unknown",
        1 => "scanner",
        2 => "aligned to another file",
        3 => "Talairach",
        4 => "MNI 152",
        5 => "other template",
        _ => "not in the standard",
    };
    format!("{code} ({meaning})")
}
