//! What is examined, and the predictions for it.

use std::ops::{ControlFlow, Range};

use super::change::Seen;
use crate::data::{EnlargedTruth, Image, Mask, preprocess};
use crate::infer::error::InferError;
use crate::infer::prediction::Prediction;
use crate::infer::segmenter::Segmenter;
use crate::infer::variants::predict_each;
use crate::metrics::Confusion;
use crate::text::prompt::words;

/// An image with more than this many times the pixels of the network's input is reduced to it.
const WORTHWHILE: usize = 4;

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
        let small = self.network_sized(segmenter, &prediction)?;
        let pieces =
            prediction.tokens.reading.words.iter().map(|word| (word.bytes.clone(), word.pieces.len())).collect();
        let dice = self.truth.map(|truth| self.dice(&prediction, truth)).transpose()?;
        Ok(Whole { seen: Seen::of(prediction, self.threshold, dice), pieces, small })
    }

    /// Returns a large image at the size of the network's input, if the model makes the same of it as of the image, which
    /// is tried: enlarging hundreds of masks to the size of an X-ray takes longer than computing them.
    fn network_sized(
        &self,
        segmenter: &mut dyn Segmenter,
        prediction: &Prediction,
    ) -> Result<Option<Image>, InferError> {
        let plane = &prediction.probability_model;
        let count = self.image.width * self.image.height;
        if plane.width != plane.height || count <= WORTHWHILE * plane.values.len() {
            return Ok(None);
        }
        let small = preprocess::network_sized(self.image, plane.width);
        let again = segmenter.predict(&small, self.prompt)?;
        Ok((again.probability_model == *plane).then_some(small))
    }

    /// Returns the Dice coefficient of the mask at the size of the image.
    ///
    /// # Errors
    /// The mask is not as large as the ground truth.
    fn dice(&self, prediction: &Prediction, truth: &Mask) -> Result<f64, InferError> {
        let plane = &prediction.probability;
        if plane.values.len() != truth.values.len() {
            return Err(InferError::Refused(format!(
                "the mask of the model has {} × {} pixels and the ground truth {} × {}; open the ground truth of this \
                 image",
                plane.width, plane.height, truth.width, truth.height
            )));
        }
        Ok(Confusion::of(&prediction.mask(self.threshold), &truth.values).dice())
    }

    /// Like [`Self::dice`], for the prediction of an image at the size of the network's input.
    fn dice_enlarged(&self, prediction: &Prediction, truth: &EnlargedTruth<'_>) -> f64 {
        let plane = &prediction.probability_model;
        let [true_positive, false_positive, false_negative] = truth.counts(&plane.values, self.threshold);
        Confusion { true_positive, false_positive, false_negative, true_negative: 0 }.dice()
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
        let small = whole.small.as_ref();
        let enlarged = self.truth.zip(small).map(|(truth, small)| EnlargedTruth::new(truth, small.width));
        let keep = |_, prediction: Prediction| -> Result<Seen, InferError> {
            if prediction.probability_model.values.len() != whole.seen.probability.values.len() {
                return Err("the model answers with masks of different sizes; choose another model".into());
            }
            let dice = match (self.truth, &enlarged) {
                (Some(_), Some(enlarged)) => Some(self.dice_enlarged(&prediction, enlarged)),
                (Some(truth), None) => Some(self.dice(&prediction, truth)?),
                (None, _) => None,
            };
            Ok(Seen::of(prediction, self.threshold, dice))
        };
        let image = small.unwrap_or(self.image);
        let found = predict_each(segmenter, image, texts, keep, |done| progress(done + 1, count))?;
        let Some(found) = found else { return Ok(None) };
        let mut seen = vec![whole.seen];
        for one in found {
            seen.push(one?);
        }
        Ok(Some(seen))
    }
}

/// The prediction for the whole prompt.
pub(super) struct Whole {
    seen: Seen,
    /// The words and marks that the tokenizer found, with the number of their pieces.
    pieces: Vec<(Range<usize>, usize)>,
    /// The image at the size of the network's input, if it serves as well.
    small: Option<Image>,
}

impl Whole {
    /// Returns the number of pieces of the word at these bytes; 1 if the model does not tell.
    pub(super) fn pieces(&self, word: &Range<usize>) -> usize {
        self.pieces.iter().find(|(bytes, _)| bytes == word).map_or(1, |(_, count)| *count)
    }
}
