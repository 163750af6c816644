//! One value of the decoder over a range: what becomes of the mask, for one image or many.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::InferError;
use super::inspection::InspectOptions;
use super::segmenter::Segmenter;
use crate::data::{Image, Mask};
use crate::metrics::{Confusion, mean_std};
use crate::model::overrides::{Overrides, Parameter};

/// What a sweep runs over.
pub struct SweepCase {
    /// As the network shall see it.
    pub image: Arc<Image>,
    /// Its prompt.
    pub prompt: String,
    /// Mask of the image's size, where there is one.
    pub truth: Option<Arc<Mask>>,
}

/// What becomes of the masks at one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The value.
    pub value: f32,
    /// Mean share of the image that the mask covers, 0…1.
    pub area: f64,
    /// Dice of all pixels together, of the cases with a truth; `None` if no case has one.
    pub dice_pooled: Option<f64>,
    /// Mean Dice per image, of the same cases.
    pub dice_per_image: Option<f64>,
}

/// A sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepResult {
    /// The parameter that was varied.
    pub parameter: Parameter,
    /// What it is called.
    pub name: String,
    /// Its value in the original model.
    pub own: f32,
    /// In the order of the values.
    pub points: Vec<SweepPoint>,
    /// Cases that were segmented.
    pub cases: usize,
    /// Those of them with a truth.
    pub with_truth: usize,
    /// Cases that could not be read, each with the reason.
    pub skipped: Vec<String>,
    /// Whether it was not ended before the last case.
    pub is_whole: bool,
}

/// Sweeps `parameter` over `values`, everything else as in `overrides`. `cases` are read one after the other, each when its turn comes.
///
/// `progress` hears before every mask how many masks are done, of as many as there are values in each case; breaking ends the sweep with those, or with nothing where there are none yet.
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
        // Before it is read too, which may take longer than its masks.
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
            // A case counts when it has all values.
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
