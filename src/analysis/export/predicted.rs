//! Predictions as the label that is exported.

use std::sync::Arc;

use super::SegmentWords;
use crate::data::dicom::seg::{Algorithm, Codes, Model};
use crate::data::export::LabelMasks;
use crate::infer::{ModelInfo, SlicePrediction};

/// The colour of a prediction without a ground truth.
const COLOUR: [u8; 3] = [0, 190, 205];

/// Returns the masks of a prompt as a label, and what a DICOM segmentation says of it. The name of the label is that of
/// the concept that the prompt names.
pub fn predicted(slices: Vec<SlicePrediction>, prompt: &str, info: &ModelInfo) -> (LabelMasks, SegmentWords) {
    let codes = Codes::built_in();
    let concept = codes.of(prompt).clone();
    let found = slices.into_iter().filter(|slice| slice.mask.foreground() > 0);
    let slices = found.map(|slice| (slice.slice, Arc::new(slice.mask))).collect();
    let label = LabelMasks { name: concept.property.meaning.clone(), colour: COLOUR, slices };
    let model = Model { name: info.name.clone(), version: info.provenance.clone() };
    let words = SegmentWords { description: prompt.to_owned(), algorithm: Algorithm::Automatic(model), concept };
    (label, words)
}
