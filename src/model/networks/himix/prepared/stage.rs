//! A decoder stage, one image at a time.

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use super::super::decoder::{DecoderStage, Guide, SCALE_INIT, TextProjection};
use super::super::spectrum::SpectrumFilter;
use crate::model::cpu::Activation;
use crate::model::layers::{LayerNorm, Linear};
use crate::model::overrides::StageOverrides;
use crate::model::prepared::{Affine, PreparedAttention, PreparedUp, normalise};

/// A decoder stage, folded. A clone shares the weights.
#[derive(Clone, Debug)]
pub struct PreparedStage {
    guide: Option<PreparedGuide>,
    up: Arc<PreparedUp>,
    grid: usize,
}

#[derive(Clone, Debug)]
struct PreparedGuide {
    fixed: Arc<Fixed>,
    /// `[n², n²]`, where the stage has a filter that is used.
    filter: Option<Tensor<2>>,
    /// After the cross attention, β₁ in it.
    cross_norm: LayerNorm,
    /// After the self attention, β₂ in it.
    self_norm: LayerNorm,
    /// The MLP's second layer, β₃ in it.
    narrow: Arc<Affine>,
}

/// What no override touches, and what the overrides are worked into.
#[derive(Debug)]
struct Fixed {
    text: TextProjection,
    /// Before the cross attention.
    cross_in: LayerNorm,
    cross: PreparedAttention,
    /// Before the self attention.
    self_in: LayerNorm,
    self_attention: PreparedAttention,
    wide: Affine,
    image_positions: Tensor<2>,
    text_positions: Tensor<2>,
    spectrum: Option<SpectrumFilter>,
    cross_out: LayerNorm,
    self_out: LayerNorm,
    narrow: Linear,
}

/// A norm with the residual's scale in it.
fn scaled(norm: &LayerNorm, beta: f32) -> LayerNorm {
    let mut norm = norm.clone();
    norm.weight = norm.weight.map(|weight| weight * beta);
    norm.bias = norm.bias.map(|bias| bias * beta);
    norm
}

fn number(param: &Param<Tensor<1>>) -> f32 {
    param.val().into_data().iter::<f32>().next().unwrap_or_default()
}

impl PreparedGuide {
    fn of(guide: &Guide) -> Self {
        let sigma = guide.spectrum.as_ref().map(|filter| number(&filter.sigma));
        let fixed = Fixed {
            text: guide.text_project.clone(),
            cross_in: guide.norm2.clone(),
            cross: PreparedAttention::of(&guide.cross_attn),
            self_in: guide.norm1.clone(),
            self_attention: PreparedAttention::of(&guide.self_attn),
            wide: Affine::of(&guide.lin1),
            image_positions: guide.image_positions().squeeze_dim(0),
            text_positions: guide.text_positions().squeeze_dim(0),
            spectrum: guide.spectrum.clone(),
            cross_out: guide.cross_attn_norm.clone(),
            self_out: guide.self_attn_norm.clone(),
            narrow: guide.lin2.clone(),
        };
        let betas = [&guide.scale1, &guide.scale2, &guide.scale3].map(number);
        Self::with(Arc::new(fixed), sigma, betas)
    }

    /// No σ means no filter.
    fn with(fixed: Arc<Fixed>, sigma: Option<f32>, betas: [f32; 3]) -> Self {
        let filter = fixed.spectrum.as_ref().zip(sigma).map(|(filter, sigma)| filter.with_sigma(sigma).matrix());
        let [narrow_out] = fixed.narrow.bias.dims();
        let last = TensorData::new(vec![betas[2]; narrow_out], [narrow_out]);
        let last = Tensor::from_data(last, &fixed.narrow.bias.val().device());
        Self {
            filter,
            cross_norm: scaled(&fixed.cross_out, betas[0]),
            self_norm: scaled(&fixed.self_out, betas[1]),
            narrow: Arc::new(Affine::scaled(&fixed.narrow, last)),
            fixed,
        }
    }

    /// The block's output, and what its filter gave.
    fn forward(&self, x: Tensor<2>, text: Tensor<2>) -> (Tensor<2>, Option<Tensor<2>>) {
        let fixed = &self.fixed;
        let filtered = self.filter.as_ref().map(|filter| filter.clone().matmul(x.clone()));
        let x = filtered.clone().unwrap_or(x);

        let query = normalise(&fixed.cross_in, x.clone()) + fixed.image_positions.clone();
        let key = text.clone() + fixed.text_positions.clone();
        let x = normalise(&self.cross_norm, fixed.cross.forward(query, key, text, None)) + x;

        let value = normalise(&fixed.self_in, x.clone());
        let query = value.clone() + fixed.image_positions.clone();
        let x = normalise(&self.self_norm, fixed.self_attention.forward(query.clone(), query, value, None)) + x;

        let wide = fixed.wide.forward(x.clone(), Activation::Relu);
        (self.narrow.forward(wide, Activation::None) + x, filtered)
    }
}

impl PreparedStage {
    /// Works out filter, norms and scales of a stage whose grid has `grid` cells a side.
    pub fn of(stage: &DecoderStage, grid: usize) -> Self {
        let guide = stage.guide.as_ref().map(PreparedGuide::of);
        Self { guide, up: Arc::new(PreparedUp::of(&stage.up)), grid }
    }

    /// The same weights with other values.
    pub fn with_overrides(&self, overrides: &StageOverrides) -> Self {
        let guide = self.guide.as_ref().map(|guide| {
            let sigma = overrides.sigma.filter(|_| overrides.is_filtered);
            PreparedGuide::with(guide.fixed.clone(), sigma, overrides.betas.unwrap_or([SCALE_INIT as f32; 3]))
        });
        Self { guide, ..self.clone() }
    }

    /// Fused text `[1, tokens, hidden]` → what the stage reads of it, `[L, C]`; `None` where it reads nothing.
    pub fn project_text(&self, fused: Tensor<3>) -> Option<Tensor<2>> {
        Some(self.guide.as_ref()?.fixed.text.forward(fused).squeeze_dim(0))
    }

    /// `[n², C]`, text and skip `[4n², C/2]` → `[4n², C/2]`, and what the filter made of the input, `[n², C]`.
    pub fn forward(
        &self,
        x: Tensor<2>,
        text: Option<Tensor<2>>,
        skip: Tensor<2>,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let (x, filtered) = match (&self.guide, text) {
            (Some(guide), Some(text)) => guide.forward(x, text),
            _ => (x, None),
        };
        (self.up.forward(x, skip, self.grid), filtered)
    }
}
