//! GuideDecoder prepared for the prediction of one image at a time, from the blocks of [`crate::model::prepared`].

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::decoder::{DecoderStage, Guide};
use super::model::{GuideDecoder, overrides_of};
use crate::model::blocks::text_projection::TextProjection;
use crate::model::layers::LayerNorm;
use crate::model::network::{Decoded, DecodedStage, Executor, Features, StagedExecutor, TextStates, Tokens};
use crate::model::overrides::Overrides;
use crate::model::prepared::{
    CrossAttention, PreparedHead, PreparedText, PreparedUp, PreparedVision, SelfAttention, normalise, number,
    scaled,
};

/// The network, prepared for prediction.
#[derive(Debug)]
pub struct Prepared {
    vision: Arc<PreparedVision>,
    text: Arc<PreparedText>,
    decoder: Arc<PreparedDecoder>,
    overrides: Overrides,
}

/// The decoder, prepared for prediction.
#[derive(Debug)]
struct PreparedDecoder {
    stages: Vec<PreparedStage>,
    head: PreparedHead,
}

/// A decoder stage that processes one image at a time.
#[derive(Debug)]
struct PreparedStage {
    guide: Option<PreparedGuide>,
    up: PreparedUp,
    grid: usize,
}

#[derive(Debug)]
struct PreparedGuide {
    text: TextProjection,
    self_in: LayerNorm,
    self_attention: SelfAttention,
    self_out: LayerNorm,
    cross_in: LayerNorm,
    cross: CrossAttention,
    /// The layer norm after the cross-attention, multiplied by its scale.
    cross_out: LayerNorm,
}

impl PreparedGuide {
    fn of(guide: Guide, device: &Device) -> Self {
        let image_positions: Tensor<2> = guide.image_positions().squeeze_dim(0);
        let text_positions: Tensor<2> = guide.text_positions().squeeze_dim(0);
        let scale = number(&guide.scale);
        let positions = Some([image_positions.clone(), text_positions]);
        Self {
            text: guide.text_project.to_device(device),
            self_in: guide.norm1.to_device(device),
            self_attention: SelfAttention::of(guide.self_attn, Some(image_positions), device),
            self_out: guide.self_attn_norm.to_device(device),
            cross_in: guide.norm2.to_device(device),
            cross: CrossAttention::of(guide.cross_attn, positions, device),
            cross_out: scaled(&guide.cross_attn_norm, scale).to_device(device),
        }
    }

    /// Maps `[n², C]` and the last layer of the text, `[1, tokens, hidden]`, to `[n², C]`.
    fn forward(&self, x: Tensor<2>, text: Tensor<3>) -> Tensor<2> {
        let text: Tensor<2> = self.text.forward(text).squeeze_dim(0);
        let value = normalise(&self.self_in, x.clone(), None);
        let x = normalise(&self.self_out, self.self_attention.forward(value, None, None), Some(x));
        let query = normalise(&self.cross_in, x.clone(), None);
        normalise(&self.cross_out, self.cross.forward(query, text, None), Some(x))
    }
}

impl PreparedStage {
    fn of(stage: DecoderStage, grid: usize, device: &Device) -> Self {
        let guide = stage.guide.map(|guide| PreparedGuide::of(guide, device));
        Self { guide, up: PreparedUp::of(stage.up, device), grid }
    }
}

impl Prepared {
    /// Takes over the weights for `device`. On the CPU they are rearranged layer by layer.
    pub fn new(model: GuideDecoder, device: &Device) -> Self {
        let overrides = overrides_of(&model.config, |stage| model.stages[stage].guide.is_some());
        let GuideDecoder { vision, text, stages, head, config } = model;
        let stages = stages.into_iter().enumerate();
        let stages =
            stages.map(|(index, stage)| PreparedStage::of(stage, config.stage_grid(index), device)).collect();
        Self {
            vision: Arc::new(PreparedVision::of(vision, device)),
            text: Arc::new(PreparedText::of(text, device)),
            decoder: Arc::new(PreparedDecoder { stages, head: PreparedHead::of(&head, device) }),
            overrides,
        }
    }

    /// Runs the decoder. A stage reads the text if it has a guide layer and `overrides` use its group.
    fn run(&self, features: &Features, text: &TextStates, overrides: &Overrides) -> Decoded {
        let (last, text) = (features.len() - 1, &text[text.len() - 1]);
        let mut x = features[last].clone();
        let mut stages = Vec::new();
        for ((index, stage), layers) in self.decoder.stages.iter().enumerate().zip(overrides.layer_weights()) {
            let input = x.clone();
            let guided = match &stage.guide {
                Some(guide) if !layers.is_empty() => guide.forward(x, text.clone()),
                _ => x,
            };
            x = stage.up.forward(guided, Some(features[last - 1 - index].clone()), stage.grid);
            stages.push(DecodedStage { input, filtered: None, output: x.clone() });
        }
        let n = x.dims()[0].isqrt();
        Decoded { logits: self.decoder.head.forward(x, n), stages }
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
        self.run(features, text, &self.overrides).logits
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        let Self { vision, text, decoder, overrides } = self;
        let (vision, text, decoder) = (vision.clone(), text.clone(), decoder.clone());
        Some(Box::new(Self { vision, text, decoder, overrides: overrides.clone() }))
    }

    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        Some(self)
    }
}

impl StagedExecutor for Prepared {
    fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    fn decode_with(&mut self, features: &Features, text: &TextStates, overrides: &Overrides) -> Decoded {
        self.run(features, text, overrides)
    }
}
