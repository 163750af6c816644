//! Predictions as the label that is exported.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Probability, SegmentWords};
use crate::data::Mask;
use crate::data::export::LabelMasks;
use crate::data::seg::{Algorithm, Codes, Model};
use crate::infer::{ModelInfo, SlicePrediction};

/// The colour of a prediction without a ground truth.
const COLOUR: [u8; 3] = [0, 190, 205];

/// The masks of a prompt, ready for export.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// The masks. The name of the label is that of the concept that the prompt names.
    pub label: LabelMasks,
    /// What a DICOM segmentation says of it.
    pub words: SegmentWords,
    /// The probabilities by slice; empty if they were not kept.
    pub probability: Probability,
}

/// Returns the masks of a prompt as a label.
pub fn predicted(slices: Vec<SlicePrediction>, prompt: &str, info: &ModelInfo, codes: &Codes) -> Predicted {
    let (mut masks, mut probability) = (BTreeMap::new(), Probability::new());
    for slice in slices {
        masks.insert(slice.slice, Arc::new(slice.mask));
        probability.extend(slice.probability.map(|values| (slice.slice, values)));
    }
    let (label, words) = predicted_label(masks, prompt, model_of(info), codes);
    Predicted { label, words, probability }
}

/// Returns the name and version of a model as files state them.
pub fn model_of(info: &ModelInfo) -> Model {
    Model { name: info.name.clone(), version: info.provenance.clone() }
}

/// Returns masks of a prompt, by slice from 0, as a label with what a DICOM segmentation says of it.
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
