//! Labels as a DICOM segmentation.

use std::path::Path;

use super::{Export, Probability};
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

/// Returns the labels as the segments of a segmentation: their masks, or their probabilities if there are any. Words that
/// are missing for a label stay as the standard has them for a lesion.
pub fn segmentation(
    labels: &[LabelMasks],
    words: &[SegmentWords],
    probabilities: &[Probability],
    creator: &str,
) -> Segmentation {
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
    let frame = |segment, slice: &usize, values: &[u8]| Frame { segment, slice: *slice, values: values.to_vec() };
    let is_binary = probabilities.is_empty();
    let frames = if is_binary {
        let of_label = |(segment, label): (usize, &LabelMasks)| -> Vec<Frame> {
            label.slices.iter().map(|(slice, mask)| frame(segment, slice, &mask.values)).collect()
        };
        labels.iter().enumerate().flat_map(of_label).collect()
    } else {
        let of_label = |(segment, slices): (usize, &Probability)| -> Vec<Frame> {
            slices.iter().map(|(slice, values)| frame(segment, slice, values)).collect()
        };
        probabilities.iter().enumerate().flat_map(of_label).collect()
    };
    Segmentation {
        kind: if is_binary { Kind::Binary } else { Kind::Fractional },
        segments: labels.iter().enumerate().map(segment).collect(),
        frames,
        description: if is_binary { "Segmentation by himix" } else { "Probability by himix" }.into(),
        creator: creator.to_owned(),
    }
}

/// Writes the labels, or their probabilities, as a DICOM segmentation of the image's source and returns notes about it.
///
/// # Errors
/// The source is no DICOM image, probabilities are asked for that are not known, or the file cannot be written.
pub fn write(path: &Path, export: &Export<'_>, is_probability: bool) -> Result<Vec<String>, DataError> {
    let probabilities = if is_probability { export.probabilities } else { &[] };
    if is_probability && probabilities.is_empty() {
        let reason = "only a prediction has probabilities; export a DICOM segmentation instead".into();
        return Err(DataError::NotRepresentable { path: path.to_owned(), reason });
    }
    let made = segmentation(export.labels, export.words, probabilities, export.creator);
    Ok(seg::write(path, &made, export.volume, export.sources, export.limit)?.notes)
}
