//! A decoder stage: text projection, spectrum filter, cross-attention, self-attention, MLP and up block.
//!
//! Paper section 3.3 and Fig. 4. The order of the parts and norms follows the authors' code.

use burn::module::{Initializer, Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::config::HiMixConfig;
use super::spectrum::SpectrumFilter;
use crate::model::blocks::text_projection::TextProjection;
use crate::model::blocks::up_block::UpBlock;
use crate::model::layers::{Attention, LayerNorm, Linear, drop_out, sine_positions};
use crate::model::overrides::{SIGMA_OFF, StageOverrides};
use crate::model::trace::Trace;

/// The initial value of the three residual scales β.
pub const SCALE_INIT: f64 = 1.421;
/// The epsilon of the decoder's layer norms.
const NORM_EPS: f64 = 1e-5;

/// The guide block: the part of a stage that depends on the text.
#[derive(Module, Debug)]
pub struct Guide {
    /// The text projection.
    pub text_project: TextProjection,
    /// The spectrum filter; `None` if the configuration disables it.
    pub spectrum: Option<SpectrumFilter>,
    /// The layer norm before the self-attention.
    pub norm1: LayerNorm,
    /// The layer norm before the cross-attention.
    pub norm2: LayerNorm,
    /// The cross-attention, with queries from the image and keys and values from the text.
    pub cross_attn: Attention,
    /// The layer norm after the cross-attention.
    pub cross_attn_norm: LayerNorm,
    /// The self-attention.
    pub self_attn: Attention,
    /// The layer norm after the self-attention.
    pub self_attn_norm: LayerNorm,
    /// The first layer of the MLP, from C to C/2.
    pub lin1: Linear,
    /// The second layer of the MLP, from C/2 to C.
    pub lin2: Linear,
    /// The scale β₁ of the cross-attention, `[1]`.
    pub scale1: Param<Tensor<1>>,
    /// The scale β₂ of the self-attention, `[1]`.
    pub scale2: Param<Tensor<1>>,
    /// The scale β₃ of the MLP, `[1]`.
    pub scale3: Param<Tensor<1>>,
    dropout: Dropout,
    image_positions: Tensor<3>,
    text_positions: Tensor<3>,
}

impl Guide {
    fn new(config: &HiMixConfig, stage: usize, device: &Device) -> Self {
        let channels = config.stage_channels(stage);
        let grid = config.stage_grid(stage);
        let (tokens, length) = (config.decoder.input_text_length, config.decoder.text_lengths[stage]);
        let norm = || LayerNorm::new(channels, NORM_EPS, device);
        let scale = || Initializer::Constant { value: SCALE_INIT }.init([1], device);
        let heads = config.decoder.num_heads;
        Self {
            text_project: TextProjection::new([tokens, config.text.hidden_size], [length, channels], device),
            spectrum: config.decoder.spectrum_filter.then(|| SpectrumFilter::new(grid, device)),
            norm1: norm(),
            norm2: norm(),
            cross_attn: Attention::new(channels, heads, device),
            cross_attn_norm: norm(),
            self_attn: Attention::new(channels, heads, device),
            self_attn_norm: norm(),
            lin1: Linear::new(channels, channels / 2, device),
            lin2: Linear::new(channels / 2, channels, device),
            scale1: scale(),
            scale2: scale(),
            scale3: scale(),
            dropout: DropoutConfig::new(config.decoder.dropout).init(),
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

    /// Maps features `[batch, C, n, n]` and fused text `[batch, tokens, hidden]` to `[batch, n², C]`.
    fn forward(&self, x: Tensor<4>, text: Tensor<3>, name: &str, trace: &mut Trace) -> Tensor<3> {
        let [batch, channels, n, _] = x.dims();
        let text = self.text_project.forward(text);
        trace.record(format!("{name}.text_projected"), &text);
        let x = match &self.spectrum {
            Some(filter) => filter.forward(x),
            None => x,
        };
        trace.record(format!("{name}.asrm"), &x);
        let x = x.reshape([batch, channels, n * n]).swap_dims(1, 2);
        let scale = |beta: &Param<Tensor<1>>| beta.val().unsqueeze::<3>();

        let query = self.norm2.forward(x.clone()) + self.image_positions.clone();
        let key = text.clone() + self.text_positions.clone();
        let mixed = self.cross_attn_norm.forward(self.cross_attn.forward(query, key, text));
        let x = x + mixed * scale(&self.scale1);

        let value = self.norm1.forward(x.clone());
        let query = value.clone() + self.image_positions.clone();
        let mixed = self.self_attn_norm.forward(self.self_attn.forward(query.clone(), query, value));
        let x = x + mixed * scale(&self.scale2);

        let wide = drop_out(&self.dropout, relu(self.lin1.forward(x.clone())));
        let x = x + self.lin2.forward(wide) * scale(&self.scale3);
        trace.record(format!("{name}.guided"), &x);
        x
    }
}

/// A decoder stage.
#[derive(Module, Debug)]
pub struct DecoderStage {
    /// The guide block; `None` if the stage's group was removed.
    pub guide: Option<Guide>,
    /// The up block.
    pub up: UpBlock,
}

impl DecoderStage {
    /// Creates stage `stage`, counted coarse to fine.
    pub fn new(config: &HiMixConfig, stage: usize, device: &Device) -> Self {
        let has_text = !config.fusion.removed.contains(&config.fusion.order[stage]);
        Self {
            guide: has_text.then(|| Guide::new(config, stage, device)),
            up: UpBlock::new(config.stage_channels(stage), device),
        }
    }

    /// Maps features `[batch, C, n, n]`, fused text `[batch, tokens, hidden]` and the skip connection
    /// `[batch, C/2, 2n, 2n]` to `[batch, C/2, 2n, 2n]`.
    pub fn forward(
        &self,
        x: Tensor<4>,
        text: Option<Tensor<3>>,
        skip: Tensor<4>,
        name: &str,
        trace: &mut Trace,
    ) -> Tensor<4> {
        let x = self.guided(x, text, name, trace);
        let x = self.up.forward(x, skip);
        trace.record_stage(name, &x);
        x
    }

    /// The values with which the stage runs. `grid` is the side length of its grid.
    pub fn overrides(&self, grid: usize) -> StageOverrides {
        let number = |param: &Param<Tensor<1>>| param.val().into_data().iter::<f32>().next().unwrap_or_default();
        let guide = self.guide.as_ref();
        let sigma = guide.and_then(|guide| guide.spectrum.as_ref()).map(|filter| number(&filter.sigma));
        let betas = guide.map(|guide| [&guide.scale1, &guide.scale2, &guide.scale3].map(number));
        StageOverrides { grid, sigma, is_filtered: sigma.is_some(), betas }
    }

    /// Returns the stage with the same weights but other values.
    pub fn with_overrides(mut self, overrides: &StageOverrides) -> Self {
        let Some(guide) = &mut self.guide else { return self };
        if let (Some(filter), Some(sigma)) = (&mut guide.spectrum, overrides.sigma) {
            *filter = filter.with_sigma(if overrides.is_filtered { sigma } else { SIGMA_OFF });
        }
        if let Some(betas) = overrides.betas {
            let scales = [&mut guide.scale1, &mut guide.scale2, &mut guide.scale3];
            for (scale, beta) in scales.into_iter().zip(betas) {
                *scale = Param::initialized(scale.id, Tensor::from_data([beta], &scale.device()));
            }
        }
        self
    }

    /// Runs only the guide block and restores the grid, `[batch, C, n, n]`.
    fn guided(&self, x: Tensor<4>, text: Option<Tensor<3>>, name: &str, trace: &mut Trace) -> Tensor<4> {
        match (&self.guide, text) {
            (Some(guide), Some(text)) => {
                let shape = x.dims();
                guide.forward(x, text, name, trace).swap_dims(1, 2).reshape(shape)
            }
            _ => x,
        }
    }
}
