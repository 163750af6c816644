//! The elements of a file, and of the items of its sequences, that are read. All others are skipped.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{frame, measure};
use crate::data::MOST_LABELS;

/// The elements and sequences that are read from a file or an item.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// The elements, in several lists.
    pub values: &'static [&'static [Tag]],
    /// The sequences.
    pub sequences: &'static [Sequence],
    /// The treatment of the pixels.
    pub pixels: Pixels,
}

/// The items and elements that are read from a sequence.
#[derive(Clone, Copy)]
pub struct Sequence {
    /// The tag of the sequence.
    pub tag: Tag,
    /// The number of items that are read; further items are skipped.
    pub most: usize,
    /// The elements and sequences that are read from each item.
    pub of_item: &'static Wanted,
}

impl Wanted {
    /// Returns whether an element is read.
    pub fn has(&self, tag: Tag) -> bool {
        self.values.iter().any(|tags| tags.contains(&tag))
    }
}

/// The treatment of the pixels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// The pixels are read.
    Read,
    /// The pixels are skipped, and reading continues after them.
    Pass,
    /// Reading stops before the pixels.
    Stop,
}

/// Returns a selection of only these elements, which passes over the pixels.
pub const fn of_values(values: &'static [&'static [Tag]]) -> Wanted {
    Wanted { values, sequences: &[], pixels: Pixels::Pass }
}

const TABLE: Wanted = of_values(&[&[tags::LUT_DESCRIPTOR, tags::LUT_DATA]]);
const REGION: Wanted = of_values(&[measure::REGION]);
const CODE: Wanted = of_values(&[&[tags::CODE_VALUE, tags::CODING_SCHEME_DESIGNATOR, tags::CODE_MEANING]]);
const ALGORITHM: Wanted = of_values(&[&[tags::ALGORITHM_NAME, tags::ALGORITHM_VERSION]]);
const SEGMENT: Wanted = Wanted {
    values: &[&[
        tags::SEGMENT_NUMBER,
        tags::SEGMENT_LABEL,
        tags::SEGMENT_DESCRIPTION,
        tags::SEGMENT_ALGORITHM_TYPE,
        tags::SEGMENT_ALGORITHM_NAME,
        tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE,
    ]],
    sequences: &[
        Sequence { tag: tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, most: 1, of_item: &CODE },
        Sequence { tag: tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, most: 1, of_item: &CODE },
        Sequence { tag: tags::ANATOMIC_REGION_SEQUENCE, most: 1, of_item: &CODE },
        Sequence { tag: tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE, most: 1, of_item: &ALGORITHM },
    ],
    pixels: Pixels::Pass,
};
const SOURCE_IMAGE: Wanted = of_values(&[&[tags::REFERENCED_SOP_INSTANCE_UID, tags::REFERENCED_FRAME_NUMBER]]);
const DERIVATION: Wanted = Wanted {
    values: &[],
    sequences: &[Sequence { tag: tags::SOURCE_IMAGE_SEQUENCE, most: 1, of_item: &SOURCE_IMAGE }],
    pixels: Pixels::Pass,
};
const OF_FRAME: Wanted = of_values(&[frame::WANTED]);
/// The functional groups of one frame, or those that all frames share.
pub const GROUPS: Wanted = Wanted { values: &[], sequences: &GROUP_SEQUENCES, pixels: Pixels::Pass };
const GROUP_SEQUENCES: [Sequence; frame::GROUPS.len() + 1] = {
    let derivation = Sequence { tag: tags::DERIVATION_IMAGE_SEQUENCE, most: 1, of_item: &DERIVATION };
    let mut sequences = [derivation; frame::GROUPS.len() + 1];
    let mut number = 0;
    while number < frame::GROUPS.len() {
        sequences[number].of_item = &OF_FRAME;
        sequences[number].tag = frame::GROUPS[number];
        number += 1;
    }
    sequences
};
/// The largest number of ultrasound regions that are read.
const MOST_ITEMS: usize = 64;
/// The largest number of segments whose descriptions are read: one more than an annotation can have.
pub const MOST_SEGMENTS: usize = MOST_LABELS + 1;
/// The sequences of a file that are read.
pub const SEQUENCES: &[Sequence] = &[
    Sequence { tag: tags::MODALITY_LUT_SEQUENCE, most: 1, of_item: &TABLE },
    Sequence { tag: tags::VOILUT_SEQUENCE, most: 1, of_item: &TABLE },
    Sequence { tag: tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, most: 1, of_item: &GROUPS },
    Sequence { tag: tags::SEQUENCE_OF_ULTRASOUND_REGIONS, most: MOST_ITEMS, of_item: &REGION },
    Sequence { tag: tags::SEGMENT_SEQUENCE, most: MOST_SEGMENTS, of_item: &SEGMENT },
];

/// The elements that [`super::attributes`] reads, and those that the other modules need.
const OF_OBJECT: &[Tag] = &[
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::COLUMNS,
    tags::DOSE_GRID_SCALING,
    tags::DOSE_UNITS,
    tags::FRAME_OF_REFERENCE_UID,
    tags::GANTRY_DETECTOR_TILT,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GRID_FRAME_OFFSET_VECTOR,
    tags::INSTANCE_NUMBER,
    tags::MAXIMUM_FRACTIONAL_VALUE,
    tags::MODALITY,
    tags::NUMBER_OF_FRAMES,
    tags::PATIENT_NAME,
    tags::PATIENT_ORIENTATION,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_REPRESENTATION,
    tags::PLANAR_CONFIGURATION,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::ROWS,
    tags::SAMPLES_PER_PIXEL,
    tags::SEGMENTATION_TYPE,
    tags::SERIES_DESCRIPTION,
    tags::SERIES_INSTANCE_UID,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::SPECIFIC_CHARACTER_SET,
    tags::STUDY_INSTANCE_UID,
];

/// The elements that a segmentation takes over from the images that it was drawn on: patient and study, and what
/// is known about their pixels (DICOM PS3.3 A.51).
pub const OF_SOURCE: &[Tag] = &[
    tags::ACCESSION_NUMBER,
    tags::DEIDENTIFICATION_METHOD,
    tags::ISSUER_OF_PATIENT_ID,
    tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::LOSSY_IMAGE_COMPRESSION_METHOD,
    tags::LOSSY_IMAGE_COMPRESSION_RATIO,
    tags::PATIENT_AGE,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_ID,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::PATIENT_SEX,
    tags::PATIENT_SIZE,
    tags::PATIENT_WEIGHT,
    tags::POSITION_REFERENCE_INDICATOR,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::SERIES_NUMBER,
    tags::STUDY_DATE,
    tags::STUDY_DESCRIPTION,
    tags::STUDY_ID,
    tags::STUDY_TIME,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// The elements of a file that segmentations are drawn on.
pub const SOURCE_VALUES: &[&[Tag]] = &[OF_OBJECT, OF_SOURCE, frame::WANTED, measure::WANTED];

/// The elements of a segmentation that are read.
pub const SEGMENTATION_VALUES: &[&[Tag]] =
    &[OF_OBJECT, &[tags::CONTENT_CREATOR_NAME], frame::WANTED, measure::WANTED];

/// The elements of a file outside sequences that are read.
pub const VALUES: &[&[Tag]] = &[OF_OBJECT, frame::WANTED, measure::WANTED];
