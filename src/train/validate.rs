//! The scores of the validation split and the masks of the preview.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::{Batch, Form, validation_items, with_batches};
use super::cases::Cases;
use super::config::CrossEntropy;
use super::event::PreviewCase;
use super::loss::loss;
use super::score::Scores;
use super::text_states::TextStates;
use crate::data::preprocess;
use crate::device;
use crate::model::{Inputs, Model, Tokens, Trace};

/// The number of images per pass on the CPU. Without gradients, more gain nothing.
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
    let mut trace = Trace::off();
    let image = tensors.image.clone();
    match (kept, model.text_conditioned()) {
        (Some(kept), Some(text)) => text.forward_from(image, &kept.states(model, tensors, batch), &mut trace),
        _ => model.forward(Inputs { image, tokens: tensors.tokens.clone() }, &mut trace),
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
    /// The cross-entropy of the loss.
    pub cross_entropy: CrossEntropy,
    /// The device without gradients.
    pub device: &'a Device,
    /// On a GPU, the number of images per pass for which it is tuned.
    pub gpu_pass: Option<usize>,
}

/// The scores and the preview while batches are added.
struct Tally<'a> {
    with: &'a Validator<'a>,
    pass: usize,
    scores: Scores,
    masks: Vec<Vec<u8>>,
}

/// A batch whose logits are still on the device.
struct Unread {
    number: usize,
    batch: Batch,
    /// The number of cases that the batch was not only filled up with.
    count: usize,
    logits: Tensor<4>,
}

impl Tally<'_> {
    fn add(&mut self, unread: Unread) {
        let Unread { number, batch, count, logits } = unread;
        let Validator { form, preview, cross_entropy, .. } = *self.with;
        let (side, pixels) = (form.side, form.side * form.side);
        let mut logits: Vec<f32> = logits.into_data().iter().collect();
        logits.truncate(count * pixels);
        let targets = &batch.targets[..count * pixels];
        // The loss is computed where the logits are read. On a GPU, a batch with fewer cases would be tuned anew.
        let plane = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [count, 1, side, side]);
            Tensor::<4>::from_data(data, &device::cpu().device)
        };
        let value = loss(plane(&logits), plane(targets), cross_entropy).total.into_data();
        let value = value.iter::<f32>().next().map_or(f64::NAN, f64::from);
        self.scores.add(&logits, targets, pixels, value);
        for (mask, wanted) in self.masks.iter_mut().zip(preview) {
            let place = wanted.wrapping_sub(number * self.pass);
            // If a case was skipped, the positions of the cases after it are unknown.
            if place < count && batch.skipped.is_empty() {
                *mask = probabilities(&logits[place * pixels..(place + 1) * pixels], form);
            }
        }
    }
}

/// Scores all cases; `None` if `is_wanted` returns false before the end.
pub fn validate(
    model: &dyn Model,
    with: &Validator,
    mut kept: Option<&mut TextStates>,
    is_wanted: &dyn Fn() -> bool,
) -> Option<Validation> {
    let Validator { cases, form, preview, device, gpu_pass, .. } = *with;
    let model = model.without_gradients();
    let pass = gpu_pass.unwrap_or(PASS);
    let items = validation_items(cases);
    let mut tally = Tally { with, pass, scores: Scores::default(), masks: vec![Vec::new(); preview.len()] };
    let is_whole = with_batches(cases, form, &items, pass, |batches| {
        let mut last: Option<Unread> = None;
        for (number, mut batch) in batches.iter().enumerate() {
            if !is_wanted() {
                return false;
            }
            if batch.count == 0 {
                continue;
            }
            let count = gpu_pass.map_or(batch.count, |pass| batch.fill(pass));
            let tensors = Tensors::of(&batch, form, device);
            let logits = logits(model.as_ref(), &tensors, &batch, kept.as_deref_mut());
            let unread = Unread { number, batch, count, logits };
            match gpu_pass {
                None => tally.add(unread),
                // A GPU computes this batch while the one before it is read and scored.
                Some(_) => last.replace(unread).into_iter().for_each(|unread| tally.add(unread)),
            }
        }
        last.into_iter().for_each(|unread| tally.add(unread));
        true
    });
    let Tally { scores, masks, .. } = tally;
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
