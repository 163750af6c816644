//! The scores of the validation split and the masks of the preview.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::{Batch, Form, validation_items, with_batches};
use super::cases::Cases;
use super::event::PreviewCase;
use super::loss::LossTerms;
use super::score::Scores;
use super::text_states::TextStates;
use crate::data::preprocess;
use crate::model::{Inputs, Model, Tokens, Trace};

/// The number of images per pass. Without gradients, more gain nothing.
const PASS: usize = 16;

/// A batch on its device.
pub struct Tensors {
    /// The images, `[count, 3, side, side]`.
    pub image: Tensor<4>,
    /// The target masks, `[count, 1, side, side]`.
    pub target: Tensor<4>,
    /// The prompts; `None` if the network reads no text.
    pub tokens: Option<Tokens>,
}

impl Tensors {
    /// Copies the arrays of a batch to the device.
    pub fn of(batch: &Batch, form: &Form, device: &Device) -> Self {
        let (count, side) = (batch.count, form.side);
        let float = |values: &[f32], channels: usize| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), [count, channels, side, side]), device)
        };
        let int = |values: &[i64]| {
            Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), [count, form.tokens()]), device)
        };
        Self {
            image: float(&batch.images, 3),
            target: float(&batch.targets, 1),
            tokens: form.text.is_some().then(|| Tokens { ids: int(&batch.ids), mask: int(&batch.attention) }),
        }
    }
}

/// Computes the logits of a batch, with the text encoder or its kept outputs.
pub fn logits(model: &dyn Model, tensors: &Tensors, batch: &Batch, kept: Option<&mut TextStates>) -> Tensor<4> {
    logits_traced(model, tensors, batch, kept, &mut Trace::off())
}

/// Does the same as [`logits`] and records intermediate tensors.
pub fn logits_traced(
    model: &dyn Model,
    tensors: &Tensors,
    batch: &Batch,
    kept: Option<&mut TextStates>,
    trace: &mut Trace,
) -> Tensor<4> {
    let image = tensors.image.clone();
    match (kept, model.text_conditioned()) {
        (Some(kept), Some(text)) => text.forward_from(image, &kept.states(model, tensors, batch), trace),
        _ => model.forward(Inputs { image, tokens: tensors.tokens.clone() }, trace),
    }
}

/// The results of a validation.
pub struct Validation {
    /// The scores of all cases.
    pub scores: Scores,
    /// The masks of the preview cases as probability times 255, in the natural orientation.
    pub masks: Vec<Vec<u8>>,
}

/// The data and settings of a validation.
pub struct Validator<'a> {
    /// The cases to score.
    pub cases: &'a Cases,
    /// The form in which the network expects its inputs.
    pub form: &'a Form,
    /// The indices of the cases whose masks are needed.
    pub preview: &'a [usize],
    /// The loss.
    pub terms: LossTerms,
    /// The device without gradients.
    pub device: &'a Device,
}

/// Scores all cases; `None` if `is_wanted` returns false before the end.
pub fn validate(
    model: &dyn Model,
    with: &Validator,
    mut kept: Option<&mut TextStates>,
    is_wanted: &dyn Fn() -> bool,
) -> Option<Validation> {
    let Validator { cases, form, preview, terms, device } = *with;
    let model = model.without_gradients();
    let mut scores = Scores::default();
    let pixels = form.side * form.side;
    let items = validation_items(cases);
    let mut masks = vec![Vec::new(); preview.len()];
    let is_whole = with_batches(cases, form, &items, PASS, |batches| {
        for (number, batch) in batches.iter().enumerate() {
            if !is_wanted() {
                return false;
            }
            if batch.count == 0 {
                continue;
            }
            let tensors = Tensors::of(&batch, form, device);
            let logits = logits(model.as_ref(), &tensors, &batch, kept.as_deref_mut());
            let value = terms.loss(logits.clone(), tensors.target).total.into_data();
            let logits: Vec<f32> = logits.into_data().iter().collect();
            let value = value.iter::<f32>().next().map_or(f64::NAN, f64::from);
            scores.add(&logits, &batch.targets, pixels, value);
            for (mask, wanted) in masks.iter_mut().zip(preview) {
                let place = wanted.wrapping_sub(number * PASS);
                // If a case was skipped, the positions of the cases after it are unknown.
                if place < batch.count && batch.skipped.is_empty() {
                    *mask = probabilities(&logits[place * pixels..(place + 1) * pixels], form);
                }
            }
        }
        true
    });
    is_whole.then_some(Validation { scores, masks })
}

fn probabilities(logits: &[f32], form: &Form) -> Vec<u8> {
    let byte = |logit: &f32| (255.0 / (1.0 + (-logit).exp())).round() as u8;
    if form.is_transposed {
        preprocess::untranspose(logits, form.side).iter().map(byte).collect()
    } else {
        logits.iter().map(byte).collect()
    }
}

/// The indices and images of `count` cases, spread evenly over all.
pub fn preview(cases: &Cases, form: &Form, count: usize) -> (Vec<usize>, Vec<Arc<PreviewCase>>) {
    let count = count.min(cases.len());
    let all = (0..count).map(|index| (2 * index + 1) * cases.len() / (2 * count));
    all.filter_map(|index| {
        let case = cases.get(index, 0).ok()?;
        let side = form.side;
        let input = preprocess::zoomed_input(&case.image, side, false, 1.0);
        let truth = preprocess::zoomed_target(&case.mask, side, false, 1.0);
        let (low, high) = input.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let scale = 255.0 / (high - low).max(1e-6);
        let pixels = side * side;
        let rgb =
            (0..pixels).flat_map(|p| [0, 1, 2].map(|c| ((input[c * pixels + p] - low) * scale) as u8)).collect();
        let truth = truth.iter().map(|value| u8::from(*value >= 0.5)).collect();
        let name = cases.name(index);
        Some((index, Arc::new(PreviewCase { name, prompt: case.prompt.clone(), side, rgb, truth })))
    })
    .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TrainConfig;

    #[test]
    fn a_preview_has_the_truth_of_its_case() {
        let config = TrainConfig { phantoms: 3, ..TrainConfig::default() };
        let (cases, _) = Cases::open(&config, true, 32, false).expect("phantoms");
        let form = Form { text: None, side: 32, is_transposed: true };
        let (indices, previews) = preview(&cases, &form, 3);
        assert_eq!(indices, [0, 1, 2]);
        for (index, shown) in indices.into_iter().zip(previews) {
            // The phantoms have the size of the input, so nothing is resampled.
            assert_eq!(shown.truth, cases.get(index, 0).expect("a phantom").mask.values, "{}", shown.name);
            assert_eq!(shown.rgb.len(), 3 * 32 * 32);
        }
    }
}
