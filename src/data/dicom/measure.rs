//! The pixel size, and where it was measured (DICOM PS3.3 10.7.1.3). A radiograph may have the pixel size at its
//! detector behind the patient, which is larger than the size in the patient.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::elements::{array, number, text};
use super::frame::is_size;
use crate::data::volume::Measured;

/// The elements that are read here.
pub const WANTED: &[Tag] = &[
    tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR,
    tags::IMAGER_PIXEL_SPACING,
    tags::NOMINAL_SCANNED_PIXEL_SPACING,
    tags::PIXEL_ASPECT_RATIO,
    tags::PIXEL_SPACING_CALIBRATION_TYPE,
];

/// The elements of an ultrasound region.
pub const REGION: &[Tag] = &[
    tags::PHYSICAL_DELTA_X,
    tags::PHYSICAL_DELTA_Y,
    tags::PHYSICAL_UNITS_X_DIRECTION,
    tags::PHYSICAL_UNITS_Y_DIRECTION,
    tags::REGION_SPATIAL_FORMAT,
];

/// The size of the pixels of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// Row spacing and column spacing in mm.
    pub spacing: Option<[f64; 2]>,
    /// Where this spacing was measured.
    pub measured: Measured,
    /// The height of a pixel divided by its width, if the file has no spacing.
    pub proportion: Option<f64>,
    /// A note about an assumption.
    pub note: Option<&'static str>,
}

/// Returns the pixel size of an object. `in_patient` is its PixelSpacing or that of its frames (row spacing,
/// column spacing, in mm), and `regions` are its ultrasound regions.
pub fn measure(
    object: &InMemDicomObject,
    in_patient: Option<[f64; 2]>,
    is_projection: bool,
    regions: &[InMemDicomObject],
) -> Measure {
    let size = |tag| array::<2>(object, tag).filter(is_size);
    let imager = size(tags::IMAGER_PIXEL_SPACING);
    let at_detector = |spacing: [f64; 2]| {
        let magnification = number(object, tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR);
        match magnification.filter(|factor| *factor > 1.0 + 1e-6) {
            Some(magnification) => Measure {
                spacing: Some(spacing.map(|side| side / magnification)),
                measured: Measured::Corrected { magnification },
                ..Measure::default()
            },
            None => Measure { spacing: Some(spacing), measured: Measured::Detector, ..Measure::default() },
        }
    };
    if let Some(spacing) = in_patient {
        let is_calibrated = text(object, tags::PIXEL_SPACING_CALIBRATION_TYPE)
            .is_some_and(|kind| ["FIDUCIAL", "GEOMETRY"].contains(&kind.to_uppercase().as_str()));
        let is_same =
            |imager: [f64; 2]| imager.iter().zip(spacing).all(|(imager, own)| (imager / own - 1.0).abs() < 1e-4);
        return match imager {
            _ if !is_projection || is_calibrated => Measure { spacing: Some(spacing), ..Measure::default() },
            Some(imager) if is_same(imager) => at_detector(spacing),
            // If the two differ, the spacing was calibrated (DICOM PS3.3 10.7.1.3).
            Some(_) => Measure { spacing: Some(spacing), ..Measure::default() },
            None => Measure {
                note: Some(
                    "The file does not say whether its pixel spacing is that of the patient or of the detector; lengths are given at the detector.",
                ),
                ..at_detector(spacing)
            },
        };
    }
    if let Some(spacing) = imager {
        return at_detector(spacing);
    }
    if let Some(spacing) = size(tags::NOMINAL_SCANNED_PIXEL_SPACING) {
        return Measure { spacing: Some(spacing), measured: Measured::Film, ..Measure::default() };
    }
    if let Some(spacing) = region(regions) {
        return Measure { spacing: Some(spacing), ..Measure::default() };
    }
    // DICOM PS3.3 C.7.6.3.1.7: the vertical size comes before the horizontal size.
    let proportion = size(tags::PIXEL_ASPECT_RATIO).map(|[vertical, horizontal]| vertical / horizontal);
    Measure { proportion, ..Measure::default() }
}

/// Returns the pixel size (row spacing, column spacing, in mm) of an ultrasound image with a single
/// two-dimensional region whose units are cm (DICOM PS3.3 C.8.5.5.1). If there are several regions, no size
/// applies to the whole image.
fn region(regions: &[InMemDicomObject]) -> Option<[f64; 2]> {
    let [only] = regions else { return None };
    let is = |tag, wanted: f64| number(only, tag) == Some(wanted);
    let is_plane = is(tags::REGION_SPATIAL_FORMAT, 1.0)
        && is(tags::PHYSICAL_UNITS_X_DIRECTION, 3.0)
        && is(tags::PHYSICAL_UNITS_Y_DIRECTION, 3.0);
    let mm = |tag| number(only, tag).map(|cm| cm.abs() * 10.0);
    let sides = [mm(tags::PHYSICAL_DELTA_Y)?, mm(tags::PHYSICAL_DELTA_X)?];
    (is_plane && is_size(&sides)).then_some(sides)
}
