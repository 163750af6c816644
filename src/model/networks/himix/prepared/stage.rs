//! A decoder stage that processes one image at a time.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use super::super::decoder::{DecoderStage, Guide, SCALE_INIT};
use super::super::spectrum::SpectrumFilter;
use crate::model::Target;
use crate::model::blocks::text_projection::TextProjection;
use crate::model::cpu::Activation;
use crate::model::gpu::Operand;
use crate::model::layers::{LayerNorm, Linear};
use crate::model::overrides::StageOverrides;
use crate::model::prepared::{Affine, CrossAttention, PreparedNorm, PreparedUp, SelfAttention, number};

/// A decoder stage, prepared for prediction. Clones share the weights.
#[derive(Clone, Debug)]
pub struct PreparedStage {
    guide: Option<PreparedGuide>,
    up: Arc<PreparedUp>,
    grid: usize,
}

#[derive(Clone, Debug)]
struct PreparedGuide {
    fixed: Arc<Fixed>,
    /// The filter matrix, `[n², n²]`; `None` if the stage has no filter or does not use it.
    filter: Option<Tensor<2>>,
    /// The layer norm after the cross-attention, scaled by β₁.
    cross_norm: PreparedNorm,
    /// The layer norm after the self-attention, scaled by β₂.
    self_norm: PreparedNorm,
    /// The second layer of the MLP, scaled by β₃.
    narrow: Arc<Affine>,
}

/// The weights that no override changes, and the unscaled weights to which overrides are applied.
#[derive(Debug)]
struct Fixed {
    text: TextProjection,
    /// The layer norm before the cross-attention.
    cross_in: PreparedNorm,
    cross: CrossAttention,
    /// The layer norm before the self-attention.
    self_in: PreparedNorm,
    self_attention: SelfAttention,
    wide: Affine,
    spectrum: Option<SpectrumFilter>,
    cross_out: LayerNorm,
    self_out: LayerNorm,
    narrow: Linear,
    /// Where predictions are computed. The filter, the norms after the attentions and the second layer of the MLP are
    /// where the model was, because overrides change them.
    target: Target,
}

impl PreparedGuide {
    fn of(guide: Guide, target: &Target) -> Self {
        let sigma = guide.spectrum.as_ref().map(|filter| number(&filter.sigma));
        let betas = [&guide.scale1, &guide.scale2, &guide.scale3].map(number);
        let image_positions: Tensor<2> = guide.image_positions().squeeze_dim(0);
        let text_positions: Tensor<2> = guide.text_positions().squeeze_dim(0);
        let fixed = Fixed {
            text: guide.text_project.to_device(&target.device),
            cross_in: PreparedNorm::of(guide.norm2, target),
            cross: CrossAttention::of(guide.cross_attn, Some([image_positions.clone(), text_positions]), target),
            self_in: PreparedNorm::of(guide.norm1, target),
            self_attention: SelfAttention::of(guide.self_attn, Some(image_positions), target),
            wide: Affine::of(guide.lin1, target),
            spectrum: guide.spectrum,
            cross_out: guide.cross_attn_norm,
            self_out: guide.self_attn_norm,
            narrow: guide.lin2,
            target: target.clone(),
        };
        Self::with(Arc::new(fixed), sigma, betas)
    }

    /// Builds a guide block with these values. Without σ there is no filter.
    fn with(fixed: Arc<Fixed>, sigma: Option<f32>, betas: [f32; 3]) -> Self {
        let filter = fixed
            .spectrum
            .as_ref()
            .zip(sigma)
            .map(|(filter, sigma)| filter.with_sigma(sigma).matrix().to_device(&fixed.target.device));
        let [narrow_out] = fixed.narrow.bias.dims();
        let last = TensorData::new(vec![betas[2]; narrow_out], [narrow_out]);
        let last = Tensor::from_data(last, &fixed.narrow.bias.val().device());
        Self {
            filter,
            cross_norm: PreparedNorm::scaled(&fixed.cross_out, betas[0], &fixed.target),
            self_norm: PreparedNorm::scaled(&fixed.self_out, betas[1], &fixed.target),
            narrow: Arc::new(Affine::scaled(fixed.narrow.clone(), last, &fixed.target)),
            fixed,
        }
    }

    /// Returns the output of the block, for the product of the up block, and, if it has a filter, the output of the filter.
    fn forward(&self, x: Tensor<2>, text: Tensor<2>) -> (Operand, Option<Tensor<2>>) {
        let fixed = &self.fixed;
        let filtered = self.filter.as_ref().map(|filter| filter.clone().matmul(x.clone()));
        let x = filtered.clone().unwrap_or(x);

        let query = fixed.cross_in.forward_to_product(x.clone());
        let x = self.cross_norm.forward(fixed.cross.forward(query, text, None), Some(x));

        let value = fixed.self_in.forward_to_product(x.clone());
        let attended = fixed.self_attention.forward(value, None, None);
        let (x, operand) = self.self_norm.forward_twice(attended, Some(x));

        let wide = fixed.wide.forward_to_product(operand, Activation::Relu);
        (self.narrow.forward_onto_to_product(wide, x), filtered)
    }
}

impl PreparedStage {
    /// Prepares a stage whose grid has `grid` cells per side.
    pub fn of(stage: DecoderStage, grid: usize, target: &Target) -> Self {
        let guide = stage.guide.map(|guide| PreparedGuide::of(guide, target));
        Self { guide, up: Arc::new(PreparedUp::of(stage.up, target)), grid }
    }

    /// Returns the stage with the same weights but other values.
    pub fn with_overrides(&self, overrides: &StageOverrides) -> Self {
        let guide = self.guide.as_ref().map(|guide| {
            let sigma = overrides.sigma.filter(|_| overrides.is_filtered);
            PreparedGuide::with(guide.fixed.clone(), sigma, overrides.betas.unwrap_or([SCALE_INIT as f32; 3]))
        });
        Self { guide, ..self.clone() }
    }

    /// Projects the fused text `[1, tokens, hidden]` to `[L, C]`; `None` if the stage has no text.
    pub fn project_text(&self, fused: Tensor<3>) -> Option<Tensor<2>> {
        Some(self.guide.as_ref()?.fixed.text.forward(fused).squeeze_dim(0))
    }

    /// Maps `[n², C]`, the text and the skip connection `[4n², C/2]` to `[4n², C/2]`, and also returns the output
    /// of the filter, `[n², C]`.
    pub fn forward(
        &self,
        x: Tensor<2>,
        text: Option<Tensor<2>>,
        skip: Tensor<2>,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let (x, filtered) = match (&self.guide, text) {
            (Some(guide), Some(text)) => guide.forward(x, text),
            _ => (x.into(), None),
        };
        (self.up.forward(x, Some(skip), self.grid), filtered)
    }
}
