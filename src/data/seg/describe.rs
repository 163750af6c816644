//! Reads the descriptions of segments.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::segmentation::{line, paragraph};
use super::{Algorithm, Code, Concept, Model, Segment, colour};
use crate::data::dicom::elements::{number, numbers, text};
use crate::data::dicom::reader::Item;

/// Returns the number of a segment and its description; `None` if it has no number.
pub fn segment(item: &Item) -> Option<(u16, Segment)> {
    let own = &item.own;
    let number = number(own, tags::SEGMENT_NUMBER).filter(|number| (0.0..65_536.0).contains(number))? as u16;
    let text = |tag: Tag| text(own, tag).unwrap_or_default();
    let label = line(&text(tags::SEGMENT_LABEL), 64);
    let lesion = Concept::lesion();
    let [category, property, region] = [
        tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
        tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
        tags::ANATOMIC_REGION_SEQUENCE,
    ]
    .map(|tag| item.nested.get(&tag).and_then(code));
    let colour = numbers::<u16>(own, tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE);
    let model = || {
        let of = |tag: Tag| {
            let algorithm = item.nested.get(&tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE)?;
            crate::data::dicom::elements::text(algorithm, tag)
        };
        let name = Some(text(tags::SEGMENT_ALGORITHM_NAME)).filter(|name| !name.is_empty());
        let name = name.or_else(|| of(tags::ALGORITHM_NAME)).unwrap_or_default();
        Model { name: line(&name, 64), version: line(&of(tags::ALGORITHM_VERSION).unwrap_or_default(), 64) }
    };
    let segment = Segment {
        label: if label.is_empty() { format!("Segment {number}") } else { label },
        description: paragraph(&text(tags::SEGMENT_DESCRIPTION), 1024),
        category: category.unwrap_or(lesion.category),
        property: property.unwrap_or(lesion.property),
        region,
        algorithm: match text(tags::SEGMENT_ALGORITHM_TYPE).to_uppercase().as_str() {
            "AUTOMATIC" => Algorithm::Automatic(model()),
            "SEMIAUTOMATIC" => Algorithm::Semiautomatic(model()),
            _ => Algorithm::Manual,
        },
        colour: colour.first_chunk::<3>().map(|lab| colour::of_lab(*lab)),
    };
    Some((number, segment))
}

/// Returns a code; `None` if it has no value or no scheme.
fn code(item: &InMemDicomObject) -> Option<Code> {
    let (value, scheme) = (text(item, tags::CODE_VALUE)?, text(item, tags::CODING_SCHEME_DESIGNATOR)?);
    let meaning = text(item, tags::CODE_MEANING).unwrap_or_else(|| value.clone());
    Some(Code { value, scheme, meaning })
}
