//! What is examined, and the predictions for it.

use std::ops::{ControlFlow, Range};

use super::change::Seen;
use crate::data::{Image, Mask};
use crate::infer::error::InferError;
use crate::infer::prediction::Prediction;
use crate::infer::segmenter::Segmenter;
use crate::infer::variants::predict_each;
use crate::text::prompt::words;

/// An image with the prompt whose words are examined.
#[derive(Clone, Copy, Debug)]
pub struct InfluenceCase<'a> {
    /// The image as the network receives it.
    pub image: &'a Image,
    /// The prompt.
    pub prompt: &'a str,
    /// The ground truth at the size of the image, if there is one.
    pub truth: Option<&'a Mask>,
    /// The threshold of the masks.
    pub threshold: f32,
}

impl InfluenceCase<'_> {
    /// Returns the most words of the prompt that the model can read.
    ///
    /// # Errors
    /// The model reads no text, or the prompt has no words.
    pub(super) fn readable_words(&self, segmenter: &dyn Segmenter) -> Result<usize, InferError> {
        match segmenter.info().token_limit {
            0 => Err("this model reads no text, so that no word can matter; choose a model that does".into()),
            _ if words(self.prompt).is_empty() => Err("the prompt has no words; type one first".into()),
            // Two tokens mark the start and the end.
            limit => Ok(limit.saturating_sub(2)),
        }
    }

    /// Predicts the whole prompt.
    pub(super) fn whole(&self, segmenter: &mut dyn Segmenter) -> Result<Whole, InferError> {
        let prediction = segmenter.predict(self.image, self.prompt)?;
        let pieces =
            prediction.tokens.reading.words.iter().map(|word| (word.bytes.clone(), word.pieces.len())).collect();
        Ok(Whole { seen: self.seen(prediction)?, pieces })
    }

    fn seen(&self, prediction: Prediction) -> Result<Seen, InferError> {
        Seen::of(prediction, self.threshold, self.truth)
    }

    /// Predicts other texts, and returns what is kept of all predictions, that of the whole prompt first; `None` if
    /// `progress` breaks, which receives the numbers of finished and of all predictions.
    pub(super) fn others(
        &self,
        segmenter: &mut dyn Segmenter,
        whole: Whole,
        texts: &[String],
        mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Seen>>, InferError> {
        let count = texts.len() + 1;
        if progress(1, count).is_break() {
            return Ok(None);
        }
        let keep = |_, prediction| self.seen(prediction);
        let found = predict_each(segmenter, self.image, texts, keep, |done| progress(done + 1, count))?;
        let Some(found) = found else { return Ok(None) };
        let mut seen = vec![whole.seen];
        for one in found {
            let one = one?;
            if one.probability.values.len() != seen[0].probability.values.len() {
                return Err("the model answers with masks of different sizes; choose another model".into());
            }
            seen.push(one);
        }
        Ok(Some(seen))
    }
}

/// The prediction for the whole prompt.
pub(super) struct Whole {
    seen: Seen,
    /// The words and marks that the tokenizer found, with the number of their pieces.
    pieces: Vec<(Range<usize>, usize)>,
}

impl Whole {
    /// Returns the number of pieces of the word at these bytes; 1 if the model does not tell.
    pub(super) fn pieces(&self, word: &Range<usize>) -> usize {
        self.pieces.iter().find(|(bytes, _)| bytes == word).map_or(1, |(_, count)| *count)
    }
}
