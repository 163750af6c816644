//! HiMix prepared for the prediction of one image at a time. It consists of the blocks of
//! [`crate::model::prepared`] and the spectrum filter of each stage as one `n²×n²` matrix. The reference tests
//! compare both this and the plain network with the authors' values.

mod decoder;
mod stage;

use std::sync::Arc;

use burn::tensor::{Int, Tensor};

use super::model::HiMix;
use crate::model::Target;
use crate::model::network::{Decoded, Executor, Features, StagedExecutor, TextStates, Tokens};
use crate::model::overrides::Overrides;
use crate::model::prepared::{PreparedText, PreparedVision};
pub use decoder::PreparedDecoder;

/// The network, prepared for prediction.
#[derive(Debug)]
pub struct Prepared {
    vision: Arc<PreparedVision>,
    text: Arc<PreparedText>,
    decoder: PreparedDecoder,
    /// The decoder with the most recently requested overrides, if they differ from its own values.
    modified: Option<PreparedDecoder>,
}

/// The text of each stage, coarse to fine, each `[L, C]`; `None` for a stage without text.
pub type StageTexts = Vec<Option<Tensor<2>>>;

impl Prepared {
    /// Computes everything that does not depend on image and prompt where the model is, and takes over the weights for
    /// `device`.
    ///
    /// On the CPU, weights are rearranged layer by layer, so that hardly more memory is needed in between. If `model` is
    /// a clone of one that still exists, both have their own weights afterwards.
    pub fn new(model: HiMix, target: &Target) -> Self {
        let overrides = model.overrides();
        let HiMix { vision, text, fusion, stages, head, config } = model;
        Self {
            vision: Arc::new(PreparedVision::of(vision, target)),
            decoder: PreparedDecoder::of(fusion, stages, &head, &config, overrides, target),
            text: Arc::new(PreparedText::of(text, target)),
            modified: None,
        }
    }

    /// Maps token ids and attention mask, both `[1, tokens]`, to the text of each stage.
    pub fn text_for_stages(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> StageTexts {
        self.decoder.fuse(&self.text.forward(ids, mask))
    }

    /// Maps features and texts to logits and the intermediate results of the stages.
    pub fn decode_texts(&self, features: &Features, texts: StageTexts) -> Decoded {
        self.decoder.decode(features, texts)
    }
}

impl Executor for Prepared {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        self.vision.forward(image)
    }

    fn encode_text(&self, tokens: Tokens) -> TextStates {
        self.text.forward(tokens.ids, tokens.mask)
    }

    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4> {
        self.decoder.decode(features, self.decoder.fuse(text)).logits
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        let Self { vision, text, decoder, modified: _ } = self;
        let (vision, text, decoder) = (vision.clone(), text.clone(), decoder.clone());
        Some(Box::new(Self { vision, text, decoder, modified: None }))
    }

    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        Some(self)
    }
}

impl StagedExecutor for Prepared {
    fn overrides(&self) -> &Overrides {
        self.decoder.overrides()
    }

    fn decode_with(&mut self, features: &Features, text: &TextStates, overrides: &Overrides) -> Decoded {
        let own = &self.decoder;
        self.modified = match self.modified.take() {
            _ if own.overrides() == overrides => None,
            Some(modified) if modified.overrides() == overrides => Some(modified),
            Some(modified) => Some(modified.with_overrides(overrides)),
            None => Some(own.with_overrides(overrides)),
        };
        let decoder = self.modified.as_ref().unwrap_or(own);
        decoder.decode(features, decoder.fuse(text))
    }
}
