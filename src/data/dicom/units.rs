//! The unit of the values of a file, and notes if the unit is missing.

use dicom_dictionary_std::uids;

use super::attributes::Attributes;
use super::frame::Frame;
use crate::data::volume::{Modality, ValueMapping, Volume};

/// Returns whether a frame's rescaled values are Hounsfield units: if the file says so, or if the file is a CT
/// image without a RescaleType (DICOM PS3.3 C.8.2.1.1.1).
pub fn is_hounsfield(frame: &Frame, attributes: &Attributes) -> bool {
    if !frame.rescale_type.is_empty() {
        return frame.rescale_type.eq_ignore_ascii_case("HU");
    }
    let classes = [
        "",
        uids::CT_IMAGE_STORAGE,
        uids::ENHANCED_CT_IMAGE_STORAGE,
        uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
    ];
    attributes.kind() == Modality::Ct && classes.contains(&attributes.source.sop_class.as_str())
}

/// Returns the unit of an image's values by its header: "HU", "Gy", or the RescaleType in upper case. It is
/// empty for colours, and if the type is missing or unspecified (US).
pub fn of(attributes: &Attributes) -> String {
    let frame = &attributes.own;
    if attributes.samples > 1 || attributes.is_palette() {
        return String::new();
    }
    match frame.rescale {
        Some(_) if is_hounsfield(frame, attributes) => "HU".into(),
        Some(_) => Some(frame.rescale_type.to_uppercase()).filter(|kind| kind != "US").unwrap_or_default(),
        None if attributes.dose.is_some() => "Gy".into(),
        None => String::new(),
    }
}

/// Returns a note about `count` frames or slices without a rescale among others that have one; `what` is "frame"
/// or "slice". Returns `None` if there are none.
pub fn unscaled(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what} has no rescale; its values are shown as stored, without a unit.")),
        _ => Some(format!("{count} {what}s have no rescale; their values are shown as stored, without a unit.")),
    }
}

/// Returns a note about a CT whose values are not in Hounsfield units, or `None` for any other image.
pub fn without_unit(volume: &Volume, attributes: &Attributes) -> Option<String> {
    let is_plain = volume.modality == Modality::Ct
        && volume.unit.is_empty()
        && !matches!(volume.mapping, ValueMapping::Table { .. });
    let kind = &attributes.own.rescale_type;
    is_plain.then(|| match (kind.as_str(), attributes.own.rescale) {
        ("", None) => {
            "The file does not say how values map to Hounsfield units; they are shown as stored, without a unit.".into()
        }
        ("", Some(_)) => {
            "The file is not a CT image of a scanner and does not say that its values are Hounsfield units; they have no unit.".into()
        }
        (kind, _) => format!("The file says that its values are {kind:?} and not Hounsfield units; they have no unit."),
    })
}
