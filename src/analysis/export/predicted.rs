//! Predictions as the label that is exported.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SegmentWords;
use crate::data::Mask;
use crate::data::export::LabelMasks;
use crate::data::seg::{Algorithm, Codes, Model};
use crate::infer::{ModelInfo, SlicePrediction};

/// The colour of a prediction without a ground truth.
const COLOUR: [u8; 3] = [0, 190, 205];

/// Returns the masks of a prompt as a label, and what a DICOM segmentation says of it. The name of the label is that of
/// the concept that the prompt names.
pub fn predicted(
    slices: Vec<SlicePrediction>,
    prompt: &str,
    info: &ModelInfo,
    codes: &Codes,
) -> (LabelMasks, SegmentWords) {
    let masks = slices.into_iter().map(|slice| (slice.slice, Arc::new(slice.mask))).collect();
    predicted_label(masks, prompt, model_of(info), codes)
}

/// Returns the name and version of a model as files state them.
pub fn model_of(info: &ModelInfo) -> Model {
    Model { name: info.name.clone(), version: info.provenance.clone() }
}

/// Does the same as [`predicted`] with masks by slice, from 0.
pub fn predicted_label(
    masks: BTreeMap<usize, Arc<Mask>>,
    prompt: &str,
    model: Model,
    codes: &Codes,
) -> (LabelMasks, SegmentWords) {
    let concept = codes.of(prompt).clone();
    let slices = masks.into_iter().filter(|(_, mask)| mask.foreground() > 0).collect();
    let label = LabelMasks { name: concept.property.meaning.clone(), colour: COLOUR, slices };
    let words = SegmentWords { description: prompt.to_owned(), algorithm: Algorithm::Automatic(model), concept };
    (label, words)
}
