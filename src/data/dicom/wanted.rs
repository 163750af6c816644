//! The elements of a file, and of the items of its sequences, that are read. All others are skipped.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{frame, measure};

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
const SEGMENT: Wanted = of_values(&[&[tags::SEGMENT_NUMBER, tags::SEGMENT_LABEL]]);
const OF_FRAME: Wanted = of_values(&[frame::WANTED]);
/// The functional groups of one frame, or those that all frames share.
pub const GROUPS: Wanted = Wanted { values: &[], sequences: &GROUP_SEQUENCES, pixels: Pixels::Pass };
const GROUP_SEQUENCES: [Sequence; frame::GROUPS.len()] = {
    let mut sequences = [Sequence { tag: Tag(0, 0), most: 1, of_item: &OF_FRAME }; frame::GROUPS.len()];
    let mut number = 0;
    while number < sequences.len() {
        sequences[number].tag = frame::GROUPS[number];
        number += 1;
    }
    sequences
};
/// The largest number of ultrasound regions, and of segments, that are read.
const MOST_ITEMS: usize = 64;
/// The sequences of a file that are read.
pub const SEQUENCES: &[Sequence] = &[
    Sequence { tag: tags::MODALITY_LUT_SEQUENCE, most: 1, of_item: &TABLE },
    Sequence { tag: tags::VOILUT_SEQUENCE, most: 1, of_item: &TABLE },
    Sequence { tag: tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, most: 1, of_item: &GROUPS },
    Sequence { tag: tags::SEQUENCE_OF_ULTRASOUND_REGIONS, most: MOST_ITEMS, of_item: &REGION },
    Sequence { tag: tags::SEGMENT_SEQUENCE, most: MOST_ITEMS, of_item: &SEGMENT },
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

/// The elements of a file outside sequences that are read.
pub const VALUES: &[&[Tag]] = &[OF_OBJECT, frame::WANTED, measure::WANTED];
