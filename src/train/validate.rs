//! The scores of the validation split and the masks of the preview.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::batches::{Batch, Form, validation_items, with_batches};
use super::cases::Cases;
use super::event::PreviewCase;
use super::loss::LossTerms;
use super::pass::{logits, part_of, states};
use super::score::Scores;
use super::shards::Shards;
use super::tensors::Tensors;
use super::text_states::TextStates;
use crate::data::preprocess;
use crate::device;
use crate::input::InputForm;
use crate::model::{Model, Trace};

/// The number of images per pass on the CPU. Without gradients, more gain nothing.
const PASS: usize = 16;

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
    /// The threads for the parts of a pass; `None` on a GPU.
    pub shards: Option<&'a Shards>,
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

impl Tally<'_> {
    /// Adds the `count` cases of a batch, with their logits and their loss.
    fn add(&mut self, number: usize, batch: &Batch, count: usize, logits: &[f32], loss: f64) {
        let Validator { form, preview, .. } = *self.with;
        let pixels = form.side * form.side;
        self.scores.add(logits, &batch.targets[..count * pixels], pixels, loss);
        for (mask, wanted) in self.masks.iter_mut().zip(preview) {
            let place = wanted.wrapping_sub(number * self.pass);
            // If a case was skipped, the positions of the cases after it are unknown.
            if place < count && batch.skipped.is_empty() {
                *mask = probabilities(&logits[place * pixels..(place + 1) * pixels], form);
            }
        }
    }

    fn read(&mut self, unread: Unread) {
        let Unread { number, batch, count, logits } = unread;
        let (logits, loss) = self.with.read(&batch, count, logits);
        self.add(number, &batch, count, &logits, loss);
    }
}

/// A batch whose logits are still on a GPU.
struct Unread {
    number: usize,
    batch: Batch,
    /// The number of cases that the batch was not only filled up with.
    count: usize,
    logits: Tensor<4>,
}

impl Validator<'_> {
    /// Returns the logits of a batch that is not empty, and its loss.
    fn score(&self, model: &dyn Model, batch: &Batch, kept: Option<&mut TextStates>) -> (Vec<f32>, f64) {
        let states = states(model, batch, self.device, kept);
        let whole = 0..batch.count;
        let ranges = self.shards.map_or_else(|| vec![whole], |shards| shards.ranges(batch.count));
        let inputs: Vec<_> =
            ranges.into_iter().map(|range| (part_of(states.as_deref(), &range), range, model.boxed())).collect();
        let score = |(states, range, model): (Option<Vec<_>>, Range<usize>, Box<dyn Model>)| {
            let share = range.len() as f64 / batch.count as f64;
            let tensors = Tensors::of(batch, range, self.form, self.device);
            let logits = logits(model.as_ref(), &tensors, states.as_deref(), &mut Trace::off());
            let value = self.terms.loss(logits.clone(), tensors.target).total.into_data();
            let value = value.iter::<f32>().next().map_or(f64::NAN, f64::from);
            (logits.into_data().iter().collect::<Vec<f32>>(), value * share)
        };
        // In evaluation, the images of a batch are independent of each other.
        let parts = match self.shards {
            Some(shards) => shards.map(inputs, score),
            None => inputs.into_iter().map(score).collect(),
        };
        let (logits, values): (Vec<Vec<f32>>, Vec<f64>) = parts.into_iter().unzip();
        (logits.concat(), values.iter().sum())
    }

    /// Returns the logits of a batch on a GPU, without waiting for them.
    fn begin(&self, model: &dyn Model, batch: &Batch, kept: Option<&mut TextStates>) -> Tensor<4> {
        let states = states(model, batch, self.device, kept);
        let tensors = Tensors::of(batch, 0..batch.count, self.form, self.device);
        logits(model, &tensors, states.as_deref(), &mut Trace::off())
    }

    /// Reads the logits of the first `count` cases of a batch back, and computes their loss where they are read: a GPU
    /// would have to be tuned for another number of cases.
    fn read(&self, batch: &Batch, count: usize, logits: Tensor<4>) -> (Vec<f32>, f64) {
        let (side, pixels) = (self.form.side, self.form.side * self.form.side);
        let mut logits: Vec<f32> = logits.into_data().iter().collect();
        logits.truncate(count * pixels);
        let plane = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [count, 1, side, side]);
            Tensor::<4>::from_data(data, &device::cpu().device)
        };
        let loss = self.terms.loss(plane(&logits), plane(&batch.targets[..count * pixels])).total.into_data();
        (logits, loss.iter::<f32>().next().map_or(f64::NAN, f64::from))
    }
}

/// Scores all cases; `None` if `is_wanted` returns false before the end.
pub fn validate(
    model: &dyn Model,
    with: &Validator,
    mut kept: Option<&mut TextStates>,
    is_wanted: &dyn Fn() -> bool,
) -> Option<Validation> {
    let Validator { cases, form, preview, gpu_pass, .. } = *with;
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
            let Some(pass) = gpu_pass else {
                let (logits, loss) = with.score(model.as_ref(), &batch, kept.as_deref_mut());
                tally.add(number, &batch, batch.count, &logits, loss);
                continue;
            };
            let count = batch.fill(pass);
            let logits = with.begin(model.as_ref(), &batch, kept.as_deref_mut());
            // The GPU computes this batch while the one before it is read and scored.
            if let Some(unread) = last.replace(Unread { number, batch, count, logits }) {
                tally.read(unread);
            }
        }
        last.into_iter().for_each(|unread| tally.read(unread));
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
        let input = preprocess::input_tensor(&case.image, side, false, InputForm::default());
        let truth = preprocess::target(&case.mask, side, false);
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
        let (cases, _) = Cases::open(&config, true, 32, false, true).expect("phantoms");
        let form =
            Form { text: None, side: 32, is_transposed: true, takes_box: false, input: InputForm::default() };
        let (indices, previews) = preview(&cases, &form, 3);
        assert_eq!(indices, [0, 1, 2]);
        for (index, shown) in indices.into_iter().zip(previews) {
            // The phantoms have the size of the input, so nothing is resampled.
            assert_eq!(shown.truth, cases.get(index, 0).expect("a phantom").mask.values, "{}", shown.name);
            assert_eq!(shown.rgb.len(), 3 * 32 * 32);
        }
    }
}
