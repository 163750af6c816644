//! Makes the object of a segmentation: the modules of DICOM PS3.3, table A.51-1, but for its functional groups.

use dicom_core::chrono::{FixedOffset, Local, Utc};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::build::{code, group, sequence, short, text};
use super::sources::{Lossy, Sources};
use super::uid::new_uid;
use super::{Algorithm, Code, Kind, Segment, Segmentation, colour, groups, pack};
use crate::data::dicom::elements;

/// The name of the program and of its maker in its files.
const NAME: &str = "HiMix";
/// Elements of patient and study that must be present, even if they are empty.
const REQUIRED: [Tag; 9] = [
    tags::ACCESSION_NUMBER,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_ID,
    tags::PATIENT_NAME,
    tags::PATIENT_SEX,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::STUDY_DATE,
    tags::STUDY_ID,
    tags::STUDY_TIME,
];
/// Elements of patient and study that are taken over where they are present.
const OPTIONAL: [Tag; 9] = [
    tags::DEIDENTIFICATION_METHOD,
    tags::ISSUER_OF_PATIENT_ID,
    tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
    tags::PATIENT_AGE,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::PATIENT_SIZE,
    tags::PATIENT_WEIGHT,
    tags::STUDY_DESCRIPTION,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// Makes the object of a segmentation whose frames are `frames` in their order. `columns` and `rows` are those of
/// the stored images.
pub fn object(
    segmentation: &Segmentation,
    sources: &Sources,
    frames: &[groups::StoredFrame],
    [columns, rows]: [u16; 2],
) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    patient_and_study(&mut object, &sources.header);
    series_and_equipment(&mut object, segmentation, &sources.header);
    let mut put = |element: InMemElement| {
        object.put(element);
    };
    let is_binary = segmentation.kind == Kind::Binary;
    let bits = if is_binary { 1 } else { 8 };
    // Image Pixel, PS3.3 C.7.6.3, with the values of C.8.20.2.
    put(short(tags::SAMPLES_PER_PIXEL, 1));
    put(text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"));
    put(short(tags::COLUMNS, columns));
    put(short(tags::ROWS, rows));
    put(short(tags::BITS_ALLOCATED, bits));
    put(short(tags::BITS_STORED, bits));
    put(short(tags::HIGH_BIT, bits - 1));
    put(short(tags::PIXEL_REPRESENTATION, 0));
    put(text(tags::NUMBER_OF_FRAMES, VR::IS, &frames.len().to_string()));
    let values = frames.iter().map(|frame| frame.values.as_slice());
    let bytes = if is_binary { pack::bits(values) } else { pack::bytes(values) };
    put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(bytes.into())));
    // Segmentation Image, PS3.3 C.8.20.2, with the Content Identification Macro, 10.16.
    put(DataElement::new(
        tags::IMAGE_TYPE,
        VR::CS,
        PrimitiveValue::Strs(["DERIVED", "PRIMARY"].map(String::from).into()),
    ));
    put(text(tags::INSTANCE_NUMBER, VR::IS, "1"));
    put(text(tags::CONTENT_LABEL, VR::CS, "SEGMENTATION"));
    put(text(tags::CONTENT_DESCRIPTION, VR::LO, &segmentation.description));
    put(text(tags::CONTENT_CREATOR_NAME, VR::PN, &segmentation.creator));
    put(text(tags::SEGMENTATION_TYPE, VR::CS, if is_binary { "BINARY" } else { "FRACTIONAL" }));
    let overlap = match (is_binary, segmentation.overlaps()) {
        (false, _) => "UNDEFINED",
        (true, true) => "YES",
        (true, false) => "NO",
    };
    put(text(tags::SEGMENTS_OVERLAP, VR::CS, overlap));
    if !is_binary {
        put(text(tags::SEGMENTATION_FRACTIONAL_TYPE, VR::CS, "PROBABILITY"));
        put(short(tags::MAXIMUM_FRACTIONAL_VALUE, 255));
    }
    let numbered = segmentation.segments.iter().zip(1_u16..);
    put(sequence(tags::SEGMENT_SEQUENCE, numbered.map(|(segment, number)| described(segment, number)).collect()));
    put(text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, if sources.lossy.is_some() { "01" } else { "00" }));
    if let Some(Lossy { ratio, method }) = &sources.lossy {
        for (tag, vr, value) in [
            (tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, ratio),
            (tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, method),
        ] {
            // What the images do not say is not made up.
            if let Some(value) = value {
                put(text(tag, vr, value));
            }
        }
    }
    // Frame of Reference, PS3.3 C.7.4.1, or the sides of an image without one, C.7.6.1.
    if sources.is_placed() {
        put(text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &sources.frame_of_reference));
        put(copied(tags::POSITION_REFERENCE_INDICATOR, &sources.header));
    } else {
        put(copied(tags::PATIENT_ORIENTATION, &sources.header));
    }
    // Common Instance Reference, PS3.3 C.12.2.
    let instances = sources.instances.iter().map(|instance| {
        InMemDicomObject::from_element_iter([
            text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, &sources.class),
            text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, instance),
        ])
    });
    put(group(
        tags::REFERENCED_SERIES_SEQUENCE,
        [
            text(tags::SERIES_INSTANCE_UID, VR::UI, &sources.series),
            sequence(tags::REFERENCED_INSTANCE_SEQUENCE, instances.collect()),
        ],
    ));
    groups::add(&mut object, sources, frames);
    object
}

/// Adds the modules of patient and study (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2), which are those of the images.
fn patient_and_study(object: &mut InMemDicomObject, header: &InMemDicomObject) {
    for tag in REQUIRED {
        object.put(copied(tag, header));
    }
    for tag in OPTIONAL.into_iter().filter(|tag| elements::text(header, *tag).is_some()) {
        object.put(copied(tag, header));
    }
    let is_removed = elements::text(header, tags::PATIENT_IDENTITY_REMOVED).is_some_and(|value| value == "YES");
    if is_removed && elements::text(header, tags::DEIDENTIFICATION_METHOD).is_none() {
        // The images have it as a code, and one of both is required.
        object.put(text(tags::DEIDENTIFICATION_METHOD, VR::LO, "See the source images"));
    }
    object.put(copied(tags::STUDY_INSTANCE_UID, header));
}

/// Adds the modules of series, equipment and instance (PS3.3 C.7.3.1, C.8.20.1, C.7.5.1, C.7.5.2, C.12.1).
fn series_and_equipment(object: &mut InMemDicomObject, segmentation: &Segmentation, header: &InMemDicomObject) {
    let (date, time) = now(elements::text(header, tags::TIMEZONE_OFFSET_FROM_UTC).as_deref());
    let number = elements::number(header, tags::SERIES_NUMBER).unwrap_or(0.0);
    // Viewers list the series of a study by their numbers: that of a segmentation follows those of the images.
    let number = if (0.0..1e6).contains(&number) { number as u32 + 1000 } else { 1000 };
    let version = env!("CARGO_PKG_VERSION");
    for (tag, vr, value) in [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        (tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE),
        (tags::SOP_INSTANCE_UID, VR::UI, &new_uid()),
        (tags::MODALITY, VR::CS, "SEG"),
        (tags::SERIES_INSTANCE_UID, VR::UI, &new_uid()),
        (tags::SERIES_NUMBER, VR::IS, &number.to_string()),
        (tags::SERIES_DESCRIPTION, VR::LO, &segmentation.description),
        (tags::MANUFACTURER, VR::LO, NAME),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, NAME),
        (tags::DEVICE_SERIAL_NUMBER, VR::LO, version),
        (tags::SOFTWARE_VERSIONS, VR::LO, version),
        (tags::INSTANCE_CREATION_DATE, VR::DA, &date),
        (tags::INSTANCE_CREATION_TIME, VR::TM, &time),
        (tags::SERIES_DATE, VR::DA, &date),
        (tags::SERIES_TIME, VR::TM, &time),
        (tags::CONTENT_DATE, VR::DA, &date),
        (tags::CONTENT_TIME, VR::TM, &time),
    ] {
        object.put(text(tag, vr, value));
    }
}

/// Returns date and time of now in the time zone of the images, given as ±HHMM, or in that of this computer.
fn now(zone: Option<&str>) -> (String, String) {
    let parsed = zone.and_then(|zone| {
        let (sign, digits) = zone.strip_prefix('-').map_or((1, zone.trim_start_matches('+')), |rest| (-1, rest));
        let (hours, minutes) = (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..4)?.parse::<i32>().ok()?);
        FixedOffset::east_opt(sign * (hours * 60 + minutes) * 60)
    });
    let format = ["%Y%m%d", "%H%M%S%.6f"];
    let [date, time] = match parsed {
        Some(zone) => format.map(|format| Utc::now().with_timezone(&zone).format(format).to_string()),
        None => format.map(|format| Local::now().format(format).to_string()),
    };
    (date, time)
}

/// Returns an element of the images as text, which is empty if they lack it.
fn copied(tag: Tag, header: &InMemDicomObject) -> InMemElement {
    let vr = StandardDataDictionary.by_tag(tag).map_or(VR::LO, |entry| entry.vr().relaxed());
    text(tag, vr, &elements::text(header, tag).unwrap_or_default())
}

/// Returns the description of a segment (PS3.3 C.8.20.4).
fn described(segment: &Segment, number: u16) -> InMemDicomObject {
    let mut item = InMemDicomObject::from_element_iter([
        short(tags::SEGMENT_NUMBER, number),
        text(tags::SEGMENT_LABEL, VR::LO, &segment.label),
        code(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, &segment.category),
        code(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, &segment.property),
    ]);
    if !segment.description.is_empty() {
        item.put(text(tags::SEGMENT_DESCRIPTION, VR::ST, &segment.description));
    }
    if let Some(region) = &segment.region {
        item.put(code(tags::ANATOMIC_REGION_SEQUENCE, region));
    }
    let (kind, model) = match &segment.algorithm {
        Algorithm::Manual => ("MANUAL", None),
        Algorithm::Semiautomatic(model) => ("SEMIAUTOMATIC", Some(model)),
        Algorithm::Automatic(model) => ("AUTOMATIC", Some(model)),
    };
    item.put(text(tags::SEGMENT_ALGORITHM_TYPE, VR::CS, kind));
    if let Some(model) = model {
        item.put(text(tags::SEGMENT_ALGORITHM_NAME, VR::LO, &model.name));
        item.put(group(
            tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE,
            [
                code(tags::ALGORITHM_FAMILY_CODE_SEQUENCE, &Code::new("123110", "DCM", "Artificial Intelligence")),
                text(tags::ALGORITHM_NAME, VR::LO, &model.name),
                text(tags::ALGORITHM_VERSION, VR::LO, &model.version),
            ],
        ));
    }
    if let Some(colour) = segment.colour {
        let lab = colour::to_lab(colour);
        item.put(DataElement::new(
            tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE,
            VR::US,
            PrimitiveValue::U16(lab.as_slice().into()),
        ));
    }
    item
}
