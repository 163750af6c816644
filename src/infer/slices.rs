//! Predictions for the slices of a volume.

use std::ops::{ControlFlow, Range};

use super::error::InferError;
use super::prediction::Prediction;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::{Mask, Volume, Window};

/// What is predicted of a volume.
#[derive(Clone, Copy, Debug)]
pub struct SlicesWanted<'a> {
    /// The prompt.
    pub prompt: &'a str,
    /// The display window for the network's input; `None` for the first window of every slice.
    pub window: Option<Window>,
    /// The probability at and above which a pixel is foreground, 0…1.
    pub threshold: f32,
    /// Whether the probabilities are kept beside the masks.
    pub with_probability: bool,
}

/// The prediction for a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct SlicePrediction {
    /// The slice, from 0.
    pub slice: usize,
    /// The mask at the threshold.
    pub mask: Mask,
    /// The probabilities in 8 bits, from 0 for 0 to 255 for 1; `None` if they were not asked for.
    pub probability: Option<Vec<u8>>,
    /// How likely it is that what the prompt names is in the slice, 0…1; `None` if the model does not say.
    pub presence: Option<f32>,
    /// The name of the device that computed it.
    pub device: String,
}

impl SlicePrediction {
    /// Returns the mask of a prediction for a slice, from 0, at a threshold; with the probabilities if they are wanted.
    pub fn of(prediction: &Prediction, slice: usize, threshold: f32, with_probability: bool) -> Self {
        let plane = &prediction.probability;
        Self {
            slice,
            mask: Mask { width: plane.width, height: plane.height, values: prediction.mask(threshold) },
            probability: with_probability.then(|| plane.bytes()),
            presence: prediction.presence,
            device: prediction.device.clone(),
        }
    }
}

/// Predicts the slices of a volume, several side by side if the model allows it ([`Segmenter::share`]); the results are
/// the same. `progress` receives the number of finished slices and of all. Returns `None` if it broke.
///
/// # Errors
/// The model failed or rejected the prompt.
pub fn predict_slices(
    segmenter: &mut dyn Segmenter,
    volume: &Volume,
    slices: Range<usize>,
    wanted: SlicesWanted<'_>,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Vec<SlicePrediction>>, InferError> {
    let count = slices.len();
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), number: usize| {
        predict_slice(segmenter, volume, slices.start + number, wanted)
    };
    in_order(segmenter, count, 1, job, |next| {
        let mut found = Vec::with_capacity(count);
        for done in 0..count {
            if progress(done, count).is_break() {
                return Ok(None);
            }
            found.push(next()?);
        }
        // This is the last step, so that there is nothing left to cancel.
        let _ = progress(count, count);
        Ok(Some(found))
    })
}

/// Predicts a slice of a volume, from 0.
///
/// # Errors
/// The model failed or rejected the prompt.
pub fn predict_slice(
    segmenter: &mut dyn Segmenter,
    volume: &Volume,
    slice: usize,
    wanted: SlicesWanted<'_>,
) -> Result<SlicePrediction, InferError> {
    let image = volume.default_network_input(slice, wanted.window);
    let prediction = segmenter.predict(&image, wanted.prompt)?;
    Ok(SlicePrediction::of(&prediction, slice, wanted.threshold, wanted.with_probability))
}
