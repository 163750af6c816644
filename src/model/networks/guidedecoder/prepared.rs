//! GuideDecoder prepared for the prediction of one image at a time, from the blocks of [`crate::model::prepared`].

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;

use super::decoder::{DecoderStage, Guide};
use super::model::{GuideDecoder, overrides_of};
use crate::model::Target;
use crate::model::blocks::text_projection::TextProjection;
use crate::model::gpu::Operand;
use crate::model::network::{Decoded, DecodedStage, Executor, Features, StagedExecutor, TextStates, Tokens};
use crate::model::overrides::Overrides;
use crate::model::prepared::{
    CrossAttention, PreparedHead, PreparedNorm, PreparedText, PreparedUp, PreparedVision, SelfAttention, number,
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
    self_in: PreparedNorm,
    self_attention: SelfAttention,
    self_out: PreparedNorm,
    cross_in: PreparedNorm,
    cross: CrossAttention,
    /// The layer norm after the cross-attention, multiplied by its scale.
    cross_out: PreparedNorm,
}

impl PreparedGuide {
    fn of(guide: Guide, target: &Target) -> Self {
        let image_positions: Tensor<2> = guide.image_positions().squeeze_dim(0);
        let text_positions: Tensor<2> = guide.text_positions().squeeze_dim(0);
        let scale = number(&guide.scale);
        let positions = Some([image_positions.clone(), text_positions]);
        Self {
            text: guide.text_project.to_device(&target.device),
            self_in: PreparedNorm::of(guide.norm1, target),
            self_attention: SelfAttention::of(guide.self_attn, Some(image_positions), target),
            self_out: PreparedNorm::of(guide.self_attn_norm, target),
            cross_in: PreparedNorm::of(guide.norm2, target),
            cross: CrossAttention::of(guide.cross_attn, positions, target),
            cross_out: PreparedNorm::scaled(&guide.cross_attn_norm, scale, target),
        }
    }

    /// Maps `[n², C]` and the last layer of the text, `[1, tokens, hidden]`, to `[n², C]`, for the product of the up block.
    fn forward(&self, x: Tensor<2>, text: Tensor<3>) -> Operand {
        let text: Tensor<2> = self.text.forward(text).squeeze_dim(0);
        let value = self.self_in.forward_to_product(x.clone());
        let x = self.self_out.forward(self.self_attention.forward(value, None, None), Some(x));
        let query = self.cross_in.forward_to_product(x.clone());
        self.cross_out.forward_twice(self.cross.forward(query, text, None), Some(x)).1
    }
}

impl PreparedStage {
    fn of(stage: DecoderStage, grid: usize, target: &Target) -> Self {
        let guide = stage.guide.map(|guide| PreparedGuide::of(guide, target));
        Self { guide, up: PreparedUp::of(stage.up, target), grid }
    }
}

impl Prepared {
    /// Takes over the weights for `device`. On the CPU they are rearranged layer by layer.
    pub fn new(model: GuideDecoder, target: &Target) -> Self {
        let overrides = overrides_of(&model.config, |stage| model.stages[stage].guide.is_some());
        let GuideDecoder { vision, text, stages, head, config } = model;
        let stages = stages.into_iter().enumerate();
        let stages =
            stages.map(|(index, stage)| PreparedStage::of(stage, config.stage_grid(index), target)).collect();
        Self {
            vision: Arc::new(PreparedVision::of(vision, target)),
            text: Arc::new(PreparedText::of(text, target)),
            decoder: Arc::new(PreparedDecoder { stages, head: PreparedHead::of(&head, target) }),
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
                _ => x.into(),
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
