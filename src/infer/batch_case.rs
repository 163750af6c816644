//! An image of a set as plain arrays, prepared by one thread for a batch that another one computes.

use std::sync::Arc;
use std::time::Instant;

use super::finish::{Finish, encode};
use super::info::ModelInfo;
use super::prediction::{Milliseconds, Prediction};
use crate::data::{Image, preprocess};
use crate::input::InputForm;
use crate::model::overrides::Overrides;
use crate::model::weights::presence::PresenceCalibration;
use crate::text::prompt::{Reading, reading};
use crate::text::{Encoding, Tokenizer};

/// An image and a prompt as the network reads them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BatchCase {
    /// The image, `[3, side, side]`.
    pub(super) image: Vec<f32>,
    /// The tokens of the prompt; empty for a network that reads no text.
    pub(super) encoding: Encoding,
}

/// What is needed of a model before and after its network, without the network.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) info: ModelInfo,
    /// The tokeniser; `None` if the network reads no text.
    pub(super) tokenizer: Option<Arc<Tokenizer>>,
    pub(super) presence: Option<Arc<PresenceCalibration>>,
    /// The temperature of the model, by which the logits are divided.
    pub(super) temperature: f32,
    /// The side length in pixels of the network's input and of its mask.
    pub(super) side: usize,
    pub(super) is_transposed: bool,
    /// The form in which the network expects images.
    pub(super) form: InputForm,
}

impl Front {
    pub(super) fn case(&self, image: &Image, prompt: &str) -> BatchCase {
        BatchCase {
            image: preprocess::input_tensor(image, self.side, self.is_transposed, self.form),
            encoding: encode(self.tokenizer.as_deref(), self.info.token_limit, prompt),
        }
    }

    /// The prediction of a case whose logits were read back from `device`. Its only time is the total since `start`,
    /// because the parts belong to the whole batch. It has no domain, because the features are not read back:
    /// [`in_order`](super::in_order) makes no batches for a model with a summary of its training pictures.
    pub(super) fn prediction(
        &self,
        (image, prompt): (&Image, &str),
        encoding: &Encoding,
        logits: Vec<f32>,
        overrides: &Overrides,
        device: &str,
        start: Instant,
    ) -> Prediction {
        let of = |tokenizer: &Arc<Tokenizer>| reading(prompt, tokenizer, self.info.token_limit);
        let finish = Finish {
            image,
            prompt,
            logits,
            temperature: self.temperature,
            side: self.side,
            is_transposed: self.is_transposed,
            stages: Vec::new(),
            encoding,
            reading: self.tokenizer.as_ref().map_or_else(Reading::default, of),
            limit: self.info.token_limit,
            presence: self.presence.as_deref(),
            domain: None,
            threshold: None,
            overrides,
            device,
            milliseconds: Milliseconds::default(),
            start,
        };
        finish.prediction()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    #[test]
    fn the_logits_of_a_batch_are_divided_by_the_temperature() {
        let front = Front {
            info: ModelInfo::default(),
            tokenizer: None,
            presence: None,
            temperature: 2.0,
            side: 1,
            is_transposed: false,
            form: InputForm::default(),
        };
        let image = Image { width: 1, height: 1, channels: 1, pixels: Pixels::U8(vec![0]) };
        let encoding = front.case(&image, "").encoding;
        let overrides = Overrides::default();
        let found = front.prediction((&image, ""), &encoding, vec![3.0], &overrides, "card", Instant::now());
        let expected = 1.0 / (1.0 + (-1.5_f32).exp());
        for map in [&found.probability_model, &found.probability] {
            assert!((map.values[0] - expected).abs() < 1e-6, "{:?}", map.values);
        }
    }
}
