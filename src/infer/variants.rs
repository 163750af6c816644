//! Several prompts for one image.

use std::ops::ControlFlow;

use super::error::InferError;
use super::prediction::Prediction;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::Image;

/// Predicts every prompt for `image`; returns what `keep` makes of the predictions, in the order of the prompts, or
/// `None` if `progress` broke.
///
/// The image is encoded once. After the first prompt, the others are computed side by side if the model allows it
/// ([`Segmenter::share`]), which does not change the results. `keep` receives the index of the prompt and is called
/// on the threads that compute, so that only what is needed of a large prediction stays in memory. `progress` receives
/// the number of prompts that are done after each of them, in their order.
///
/// # Errors
/// A prediction failed.
pub fn predict_each<T: Send>(
    segmenter: &mut dyn Segmenter,
    image: &Image,
    prompts: &[String],
    keep: impl Fn(usize, Prediction) -> T + Sync,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Vec<T>>, InferError> {
    let Some(first) = prompts.first() else { return Ok(Some(Vec::new())) };
    let mut kept = Vec::with_capacity(prompts.len());
    kept.push(keep(0, segmenter.predict(image, first)?));
    if progress(1).is_break() {
        return Ok(None);
    }
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| -> Result<T, InferError> {
        Ok(keep(index + 1, segmenter.predict(image, &prompts[index + 1])?))
    };
    let others = prompts.len() - 1;
    in_order(segmenter, others, 1, job, |next| {
        for _ in 0..others {
            kept.push(next()?);
            if progress(kept.len()).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(kept))
    })
}
