//! Sweeps of one value of the decoder over a range: how the mask changes, for one or many images.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::InferError;
use super::inspection::InspectOptions;
use super::segmenter::Segmenter;
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

/// Sweeps `parameter` over `values`; all other values are those of `overrides`. `cases` are read one at a time
/// when they are needed.
///
/// `progress` receives the number of finished masks before every mask; each case has as many as there are values. If it breaks, the sweep ends with the
/// results so far, or with `None` if there are none yet.
///
/// # Errors
/// The model has no such parameter, no case can be read, or a prediction failed.
pub fn sweep(
    segmenter: &mut dyn Segmenter,
    overrides: &Overrides,
    parameter: Parameter,
    values: &[f32],
    threshold: f32,
    cases: impl Iterator<Item = Result<SweepCase, String>>,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<SweepResult>, InferError> {
    let Some(own) = parameter.get(&segmenter.info().overrides) else {
        return Err(InferError::Overrides("this model has no such value".into()));
    };
    let mut areas = vec![0f64; values.len()];
    let mut counts: Vec<Vec<Confusion>> = vec![Vec::new(); values.len()];
    let (mut done, mut skipped, mut is_whole) = (0, Vec::new(), true);
    'cases: for (index, case) in cases.enumerate() {
        // The check also precedes reading, which may take longer than computing the masks.
        is_whole = progress(index * values.len()).is_continue();
        if !is_whole {
            break;
        }
        let case = match case {
            Ok(case) => case,
            Err(reason) => {
                skipped.push(reason);
                continue;
            }
        };
        let mut masks = Vec::with_capacity(values.len());
        for (place, &value) in values.iter().enumerate() {
            // A case counts only if all its values were computed.
            is_whole = progress(index * values.len() + place).is_continue();
            if !is_whole {
                break 'cases;
            }
            let mut overrides = overrides.clone();
            parameter.set(&mut overrides, value);
            let wanted = InspectOptions::default();
            let inspection = segmenter.inspect(&case.image, &case.prompt, Some(&overrides), wanted)?;
            let mask = inspection.prediction.mask(threshold);
            let area = mask.iter().filter(|pixel| **pixel != 0).count() as f64 / mask.len().max(1) as f64;
            masks.push((area, case.truth.as_ref().map(|truth| Confusion::of(&mask, &truth.values))));
        }
        for (place, (area, counted)) in masks.into_iter().enumerate() {
            areas[place] += area;
            counts[place].extend(counted);
        }
        done += 1;
    }
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
