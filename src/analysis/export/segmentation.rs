//! Labels as a DICOM segmentation.

use std::path::Path;

use super::Export;
use crate::data::DataError;
use crate::data::export::LabelMasks;
use crate::data::seg::{self, Algorithm, Concept, Frame, Kind, Segment, Segmentation};

/// What a DICOM segmentation says of a label.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentWords {
    /// How it was made, for instance the prompt.
    pub description: String,
    /// How it was made, as the standard counts it.
    pub algorithm: Algorithm,
    /// What it is.
    pub concept: Concept,
}

/// Returns the labels as the binary segments of a segmentation. Words that are missing for a label stay as the standard
/// has them for a lesion.
pub fn segmentation(labels: &[LabelMasks], words: &[SegmentWords], creator: &str) -> Segmentation {
    let segment = |(number, label): (usize, &LabelMasks)| {
        let colour = Some(label.colour);
        match words.get(number) {
            Some(words) => Segment {
                description: words.description.clone(),
                algorithm: words.algorithm.clone(),
                colour,
                ..words.concept.segment(&label.name)
            },
            None => Segment { label: label.name.clone(), colour, ..Segment::default() },
        }
    };
    let frames = labels.iter().enumerate().flat_map(|(segment, label)| {
        label.slices.iter().map(move |(slice, mask)| Frame { segment, slice: *slice, values: mask.values.clone() })
    });
    Segmentation {
        kind: Kind::Binary,
        segments: labels.iter().enumerate().map(segment).collect(),
        frames: frames.collect(),
        description: "Segmentation by himix".into(),
        creator: creator.to_owned(),
    }
}

/// Writes the labels as a DICOM segmentation of the image's source and returns notes about it.
///
/// # Errors
/// The source is no DICOM image, or the file cannot be written.
pub fn write(path: &Path, export: &Export<'_>) -> Result<Vec<String>, DataError> {
    let made = segmentation(export.labels, export.words, export.creator);
    Ok(seg::write(path, &made, export.volume, export.sources, export.limit)?.notes)
}
