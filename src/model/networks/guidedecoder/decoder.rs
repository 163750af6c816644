//! A decoder stage: text projection, self-attention, cross-attention and up block.
//!
//! The order of the parts and norms follows the authors' code.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::{GuideDecoderConfig, NORM_EPS};
use crate::model::blocks::text_projection::TextProjection;
use crate::model::blocks::up_block::UpBlock;
use crate::model::layers::{Attention, LayerNorm, sine_positions};
use crate::model::trace::Trace;

/// The initial value of the scale of the cross-attention.
const SCALE_INIT: f64 = 1.421;

/// The guide layer: the part of a stage that depends on the text.
#[derive(Module, Debug)]
pub struct Guide {
    /// The text projection.
    pub text_project: TextProjection,
    /// The layer norm before the self-attention.
    pub norm1: LayerNorm,
    /// The self-attention.
    pub self_attn: Attention,
    /// The layer norm after the self-attention.
    pub self_attn_norm: LayerNorm,
    /// The layer norm before the cross-attention.
    pub norm2: LayerNorm,
    /// The cross-attention, with queries from the image and keys and values from the text.
    pub cross_attn: Attention,
    /// The layer norm after the cross-attention.
    pub cross_attn_norm: LayerNorm,
    /// The scale of the cross-attention, `[1]`.
    pub scale: Param<Tensor<1>>,
    image_positions: Tensor<3>,
    text_positions: Tensor<3>,
}

impl Guide {
    fn new(config: &GuideDecoderConfig, stage: usize, device: &Device) -> Self {
        let (channels, grid) = (config.stage_channels(stage), config.stage_grid(stage));
        let (tokens, length) = (config.decoder.input_text_length, config.decoder.text_lengths[stage]);
        let norm = || LayerNorm::new(channels, NORM_EPS, device);
        Self {
            text_project: TextProjection::new([tokens, config.text.hidden_size], [length, channels], device),
            norm1: norm(),
            self_attn: Attention::new(channels, config.decoder.self_attention_heads, device),
            self_attn_norm: norm(),
            norm2: norm(),
            cross_attn: Attention::new(channels, config.decoder.cross_attention_heads, device),
            cross_attn_norm: norm(),
            scale: Initializer::Constant { value: SCALE_INIT }.init([1], device),
            image_positions: sine_positions(grid * grid, channels, device),
            text_positions: sine_positions(length, channels, device),
        }
    }

    /// The sine table over the positions of the grid, `[1, n², C]`.
    pub fn image_positions(&self) -> Tensor<3> {
        self.image_positions.clone()
    }

    /// The sine table over the positions of the projected text, `[1, L, C]`.
    pub fn text_positions(&self) -> Tensor<3> {
        self.text_positions.clone()
    }

    /// Maps features `[batch, C, n, n]` and text `[batch, tokens, hidden]` to `[batch, C, n, n]`.
    fn forward(&self, x: Tensor<4>, text: Tensor<3>, name: &str, trace: &mut Trace) -> Tensor<4> {
        let shape = x.dims();
        let [batch, channels, height, width] = shape;
        let text = self.text_project.forward(text);
        trace.record(format!("{name}.text_projected"), &text);
        let x = x.reshape([batch, channels, height * width]).swap_dims(1, 2);

        let value = self.norm1.forward(x.clone());
        let query = value.clone() + self.image_positions.clone();
        let mixed = self.self_attn.forward(query.clone(), query, value);
        trace.record(format!("{name}.self_attention"), &mixed);
        let x = x + self.self_attn_norm.forward(mixed);
        trace.record(format!("{name}.self_attended"), &x);

        let query = self.norm2.forward(x.clone()) + self.image_positions.clone();
        let key = text.clone() + self.text_positions.clone();
        let mixed = self.cross_attn.forward(query, key, text);
        trace.record(format!("{name}.cross_attention"), &mixed);
        let x = x + self.cross_attn_norm.forward(mixed) * self.scale.val().unsqueeze::<3>();
        trace.record(format!("{name}.guided"), &x);
        x.swap_dims(1, 2).reshape(shape)
    }
}

/// A decoder stage.
#[derive(Module, Debug)]
pub struct DecoderStage {
    /// The guide layer; `None` if the stage reads no text.
    pub guide: Option<Guide>,
    /// The up block.
    pub up: UpBlock,
}

impl DecoderStage {
    /// Creates stage `stage`, counted coarse to fine.
    pub fn new(config: &GuideDecoderConfig, stage: usize, device: &Device) -> Self {
        Self {
            guide: config.reads_text(stage).then(|| Guide::new(config, stage, device)),
            up: UpBlock::new(config.stage_channels(stage), device),
        }
    }

    /// Maps features `[batch, C, n, n]`, text `[batch, tokens, hidden]` and the skip connection `[batch, C/2, 2n, 2n]` to
    /// `[batch, C/2, 2n, 2n]`.
    pub fn forward(
        &self,
        x: Tensor<4>,
        text: Tensor<3>,
        skip: Tensor<4>,
        name: &str,
        trace: &mut Trace,
    ) -> Tensor<4> {
        let x = match &self.guide {
            Some(guide) => guide.forward(x, text, name, trace),
            None => x,
        };
        let upsampled = self.up.transp_conv.forward(x);
        trace.record(format!("{name}.upsampled"), &upsampled);
        let x = self.up.merge(upsampled, skip);
        let name = format!("{name}.decoded");
        if trace.keeps(&name) {
            let [batch, channels, side, _] = x.dims();
            trace.record(name, &x.clone().reshape([batch, channels, side * side]).swap_dims(1, 2));
        }
        x
    }
}
