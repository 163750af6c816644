//! A decoder stage, one image at a time.

use burn::module::Param;
use burn::tensor::Tensor;

use super::conv::PreparedUp;
use super::linear::normalise;
use super::{Affine, PreparedAttention};
use crate::model::cpu::Activation;
use crate::model::decoder::{DecoderStage, Guide, TextProjection};
use crate::model::layers::LayerNorm;

/// A decoder stage, folded.
#[derive(Debug)]
pub struct PreparedStage {
    guide: Option<PreparedGuide>,
    up: PreparedUp,
}

#[derive(Debug)]
struct PreparedGuide {
    text: TextProjection,
    /// `[n², n²]`, where the stage has a filter.
    filter: Option<Tensor<2>>,
    /// Before and after the cross attention.
    cross_norms: [LayerNorm; 2],
    cross: PreparedAttention,
    /// Before and after the self attention.
    self_norms: [LayerNorm; 2],
    self_attention: PreparedAttention,
    wide: Affine,
    narrow: Affine,
    image_positions: Tensor<2>,
    text_positions: Tensor<2>,
}

/// A norm with the residual's scale in it.
fn scaled(norm: &LayerNorm, beta: &Param<Tensor<1>>) -> LayerNorm {
    let mut norm = norm.clone();
    norm.weight = norm.weight.map(|weight| weight * beta.val());
    norm.bias = norm.bias.map(|bias| bias * beta.val());
    norm
}

impl PreparedGuide {
    fn of(guide: &Guide) -> Self {
        let [narrow_out] = guide.lin2.bias.dims();
        Self {
            text: guide.text_project.clone(),
            filter: guide.spectrum.as_ref().map(|filter| filter.matrix()),
            cross_norms: [guide.norm2.clone(), scaled(&guide.cross_attn_norm, &guide.scale1)],
            cross: PreparedAttention::of(&guide.cross_attn),
            self_norms: [guide.norm1.clone(), scaled(&guide.self_attn_norm, &guide.scale2)],
            self_attention: PreparedAttention::of(&guide.self_attn),
            wide: Affine::of(&guide.lin1),
            narrow: Affine::scaled(&guide.lin2, guide.scale3.val().expand([narrow_out])),
            image_positions: guide.image_positions().squeeze_dim(0),
            text_positions: guide.text_positions().squeeze_dim(0),
        }
    }

    fn forward(&self, x: Tensor<2>, text: Tensor<2>) -> Tensor<2> {
        let x = match &self.filter {
            Some(filter) => filter.clone().matmul(x),
            None => x,
        };
        let [before, after] = &self.cross_norms;
        let query = normalise(before, x.clone()) + self.image_positions.clone();
        let key = text.clone() + self.text_positions.clone();
        let x = normalise(after, self.cross.forward(query, key, text, None)) + x;

        let [before, after] = &self.self_norms;
        let value = normalise(before, x.clone());
        let query = value.clone() + self.image_positions.clone();
        let x = normalise(after, self.self_attention.forward(query.clone(), query, value, None)) + x;

        let wide = self.wide.forward(x.clone(), Activation::Relu);
        self.narrow.forward(wide, Activation::None) + x
    }
}

impl PreparedStage {
    /// Works out filter, norms and scales.
    pub fn of(stage: &DecoderStage) -> Self {
        Self { guide: stage.guide.as_ref().map(PreparedGuide::of), up: PreparedUp::of(&stage.up) }
    }

    /// Fused text `[1, tokens, hidden]` → what the stage reads of it, `[L, C]`; none where it reads nothing.
    pub fn project_text(&self, fused: Tensor<3>) -> Option<Tensor<2>> {
        Some(self.guide.as_ref()?.text.forward(fused).squeeze_dim(0))
    }

    /// `[n², C]`, text and skip `[4n², C/2]` → `[4n², C/2]`
    pub fn forward(&self, x: Tensor<2>, text: Option<Tensor<2>>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let x = match (&self.guide, text) {
            (Some(guide), Some(text)) => guide.forward(x, text),
            _ => x,
        };
        self.up.forward(x, skip, n)
    }
}
