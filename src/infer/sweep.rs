//! Sweeps of one value of the decoder over a range: how the mask changes, for one or many images.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::InferError;
use super::inspection::InspectOptions;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::{Image, Mask};
use crate::metrics::{Confusion, mean_std};
use crate::model::overrides::{Overrides, Parameter};

/// A case of a sweep.
pub struct SweepCase {
    /// The image as the network receives it.
    pub image: Arc<Image>,
    /// The prompt.
    pub prompt: String,
    /// The ground truth, of the same size as the image, if there is one.
    pub truth: Option<Arc<Mask>>,
}

/// The results at one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The value.
    pub value: f32,
    /// The mean fraction of the image that the mask covers, 0…1.
    pub area: f64,
    /// The Dice score pooled over the cases with a ground truth; `None` if there are none.
    pub dice_pooled: Option<f64>,
    /// The mean Dice score per image over the same cases.
    pub dice_per_image: Option<f64>,
}

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepResult {
    /// The parameter that was varied.
    pub parameter: Parameter,
    /// The name of the parameter.
    pub name: String,
    /// The value in the original model.
    pub own: f32,
    /// The results in the order of the values.
    pub points: Vec<SweepPoint>,
    /// The number of segmented cases.
    pub cases: usize,
    /// The number of segmented cases with a ground truth.
    pub with_truth: usize,
    /// The reasons why cases could not be read.
    pub skipped: Vec<String>,
    /// Whether the sweep ran through all cases.
    pub is_whole: bool,
}

/// A function that reads a case. It is called when the case is needed, by the thread that computes it.
pub type ReadCase<'a> = Box<dyn Fn() -> Result<SweepCase, String> + Send + Sync + 'a>;

/// Sweeps `parameter` over `values`; all other values are those of `overrides`. `cases` are read when they are
/// needed, only a few of them ahead.
///
/// Several cases, or the values of a single case, are computed side by side if the model allows it
/// ([`Segmenter::share`]). This changes neither the results nor the order of the calls to `progress`.
///
/// `progress` receives the number of finished masks before every mask; each case has as many as there are values.
/// If it breaks, the sweep ends with the results so far, or with `None` if there are none yet.
///
/// # Errors
/// The model has no such parameter, no case can be read, or a prediction failed.
pub fn sweep(
    segmenter: &mut dyn Segmenter,
    overrides: &Overrides,
    parameter: Parameter,
    values: &[f32],
    threshold: f32,
    cases: &[ReadCase],
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<SweepResult>, InferError> {
    let Some(own) = parameter.get(&segmenter.info().overrides) else {
        return Err(InferError::Overrides("this model has no such value".into()));
    };
    let mut areas = vec![0f64; values.len()];
    let mut counts: Vec<Vec<Confusion>> = vec![Vec::new(); values.len()];
    let (mut done, mut skipped, mut is_whole) = (0, Vec::new(), true);
    // The jobs of a case are to read it and to compute each of its masks. They have the same thread, which reads the
    // case and encodes its image once, unless there is only one case.
    let steps = values.len() + 1;
    let run = if cases.len() == 1 { 1 } else { steps };
    let job = |segmenter: &mut dyn Segmenter, open: &mut Open, index: usize| -> Result<_, InferError> {
        let case = match open.case(cases, index / steps) {
            Ok(case) => case,
            Err(reason) => return Ok(Step::Unreadable(reason)),
        };
        let Some(place) = (index % steps).checked_sub(1) else { return Ok(Step::Read) };
        let mut overrides = overrides.clone();
        parameter.set(&mut overrides, values[place]);
        let wanted = InspectOptions::default();
        let inspection = segmenter.inspect(&case.image, &case.prompt, Some(&overrides), wanted)?;
        let mask = inspection.prediction.mask(threshold);
        let area = mask.iter().filter(|pixel| **pixel != 0).count() as f64 / mask.len().max(1) as f64;
        Ok(Step::Mask(area, case.truth.as_ref().map(|truth| Confusion::of(&mask, &truth.values))))
    };
    in_order(segmenter, cases.len() * steps, run, job, |next| {
        for index in 0..cases.len() {
            // The check also precedes reading, which may take longer than computing the masks.
            is_whole = progress(index * values.len()).is_continue();
            if !is_whole {
                break;
            }
            let is_read = match next()? {
                Step::Unreadable(reason) => {
                    skipped.push(reason);
                    false
                }
                Step::Read | Step::Mask(..) => true,
            };
            let mut masks = Vec::with_capacity(values.len());
            for place in 0..values.len() {
                // A case counts only if all its values were computed.
                if is_read && progress(index * values.len() + place).is_break() {
                    is_whole = false;
                    return Ok(());
                }
                if let Step::Mask(area, counts) = next()? {
                    masks.push((area, counts));
                }
            }
            for (place, (area, counted)) in masks.into_iter().enumerate() {
                areas[place] += area;
                counts[place].extend(counted);
            }
            done += usize::from(is_read);
        }
        Ok::<(), InferError>(())
    })?;
    if !is_whole && done == 0 {
        return Ok(None);
    }
    if let (0, Some(reason)) = (done, skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    let point = |((&value, area), counts): ((&f32, &f64), &Vec<Confusion>)| {
        let pooled: Confusion = counts.iter().copied().sum();
        let each: Vec<f64> = counts.iter().map(Confusion::dice).collect();
        SweepPoint {
            value,
            area: area / done.max(1) as f64,
            dice_pooled: (!each.is_empty()).then(|| pooled.dice()),
            dice_per_image: (!each.is_empty()).then(|| mean_std(&each).mean),
        }
    };
    let with_truth = counts.first().map_or(0, Vec::len);
    let points = values.iter().zip(&areas).zip(&counts).map(point).collect();
    Ok(Some(SweepResult {
        parameter,
        name: parameter.name(overrides),
        own,
        points,
        cases: done,
        with_truth,
        skipped,
        is_whole,
    }))
}

/// The outcome of a job.
enum Step {
    /// The case was read.
    Read,
    /// The case could not be read, for this reason. All jobs of the case have this outcome.
    Unreadable(String),
    /// The fraction of the image that a mask covers, and the pixel counts if there is a ground truth.
    Mask(f64, Option<Confusion>),
}

/// The case that a thread has read most recently, with its place in the list.
#[derive(Default)]
struct Open(Option<(usize, Result<SweepCase, String>)>);

impl Open {
    /// The case at `index`, which is read unless it was the last one.
    fn case(&mut self, cases: &[ReadCase], index: usize) -> Result<&SweepCase, String> {
        if self.0.as_ref().is_none_or(|(open, _)| *open != index) {
            // The memory of the previous case is free before this one is read.
            self.0 = None;
        }
        let (_, case) = self.0.get_or_insert_with(|| (index, cases[index]()));
        case.as_ref().map_err(Clone::clone)
    }
}
