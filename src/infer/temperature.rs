//! Fits the temperature of a model on pairs that it was not trained on.

use std::ops::ControlFlow;

use super::error::InferError;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair;
use crate::data::{PairReading, Sample, preprocess};
use crate::metrics::{LogitCounts, Reliability};
use crate::model::config::Temperature;

/// Probabilities are kept this far from 1 before the logit is taken, which is the last step of 32-bit numbers: a larger
/// logit cannot be told from the probability. Towards 0 there is no such limit.
const BELOW_ONE: f64 = 1.0 - 6e-8;

/// A fitted temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct TemperatureFit {
    /// The temperature, to a thousandth.
    pub temperature: f64,
    /// Whether this is an end of the range of temperatures: a better one, if there is any, is beyond it.
    pub is_at_limit: bool,
    /// The number of images on which it was fitted.
    pub images: usize,
    /// The calibration of the pixels with the temperature that the model had, and with the fitted one.
    pub reliability: [Reliability; 2],
    /// The reasons why images could not be used.
    pub skipped: Vec<String>,
}

/// Fits the temperature to the pixels of `samples` at the size of the network, each image counting the same number of
/// pixels. `None` if `progress`, which receives the number of finished images and the total, broke.
///
/// # Errors
/// No image can be read, the model failed, or the masks are of one class.
pub fn fit_temperature(
    segmenter: &mut dyn Segmenter,
    samples: &[(Sample, PairReading)],
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<TemperatureFit>, InferError> {
    let before = f64::from(segmenter.info().temperature.unwrap_or(1.0));
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| {
        let (sample, reading) = &samples[index];
        let pair = match pair::read(sample, reading) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let plane = segmenter.predict(&pair.image, &sample.prompt)?.probability_model;
        let truth = preprocess::target(&pair.mask, plane.width, false);
        let mut counts = LogitCounts::default();
        for (probability, truth) in plane.values.iter().zip(truth) {
            let probability = f64::from(*probability).min(BELOW_ONE);
            counts.add(before * (probability / (1.0 - probability)).ln(), truth > 0.0);
        }
        Ok::<_, InferError>(Ok(counts))
    };
    let (mut counts, mut images, mut skipped) = (LogitCounts::default(), 0, Vec::new());
    let is_done = in_order(segmenter, samples.len(), 1, job, |next| {
        for done in 0..samples.len() {
            if progress(done, samples.len()).is_break() {
                return Ok(false);
            }
            match next()? {
                Ok(of_image) => {
                    counts.merge(&of_image);
                    images += 1;
                }
                Err(reason) => skipped.push(reason),
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    if !is_done {
        return Ok(None);
    }
    if let (0, Some(reason)) = (images, skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    let range = f64::from(*Temperature::RANGE.start())..=f64::from(*Temperature::RANGE.end());
    let fitted = counts
        .temperature(range.clone())
        .ok_or("a temperature needs masks with foreground and background; name other pairs")?;
    let fitted = (fitted * 1e3).round() / 1e3;
    let is_at_limit = fitted <= *range.start() || fitted >= *range.end();
    let reliability = [before, fitted].map(|temperature| counts.reliability(temperature));
    Ok(Some(TemperatureFit { temperature: fitted, is_at_limit, images, reliability, skipped }))
}
