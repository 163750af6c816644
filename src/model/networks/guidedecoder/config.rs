//! The architecture of GuideDecoder: all sizes in a bundle's `config.json`. The defaults are those of the publication.

use serde::{Deserialize, Serialize};

use crate::model::blocks::sizes::{
    ConvNextConfig, HeadConfig, TextLayer, check_text, check_vision, fixed, positive, refuse,
};
use crate::model::blocks::text_encoder::TextConfig;
use crate::model::blocks::up_block::LEAK;
use crate::model::config::ConfigError;

/// The number of decoder stages.
pub const STAGES: usize = 3;
/// The epsilon of the decoder's layer norms and batch norms.
pub const NORM_EPS: f64 = 1e-5;

/// The sizes of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// The names of the stages in the authors' files, coarse to fine. They follow from their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<String>>,
    /// The side lengths of the stages' grids, coarse to fine. They follow from the size of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grids: Option<Vec<usize>>,
    /// The length L of the projected text at each stage, coarse to fine.
    pub text_lengths: Vec<usize>,
    /// The maximum number of tokens of a prompt, including `[CLS]` and `[SEP]`.
    pub input_text_length: usize,
    /// The number of heads of every self-attention. It must divide the channels of each stage.
    pub self_attention_heads: usize,
    /// The number of heads of every cross-attention. It must divide the channels of each stage.
    pub cross_attention_heads: usize,
    /// The epsilon of the layer norms. Only 1e-5 is computed.
    pub layer_norm_eps: f64,
    /// The epsilon of the batch norms. Only 1e-5 is computed.
    pub batch_norm_eps: f64,
    /// The negative slope of the leaky ReLUs. Only 0.01 is computed.
    pub leaky_slope: f64,
    /// The grids of the stages that read no text and have no guide layer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_text: Vec<usize>,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            stages: None,
            grids: None,
            text_lengths: vec![24, 12, 9],
            input_text_length: 24,
            self_attention_heads: 1,
            cross_attention_heads: 4,
            layer_norm_eps: NORM_EPS,
            batch_norm_eps: NORM_EPS,
            leaky_slope: LEAK,
            without_text: Vec::new(),
        }
    }
}

/// The sizes of GuideDecoder as stored in a bundle's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuideDecoderConfig {
    /// The text encoder.
    pub text: TextConfig,
    /// The width of CXR-BERT's projection, which does not influence the mask.
    pub text_projection_size: usize,
    /// The width of the authors' projection heads, which do not influence the mask.
    pub project_dim: usize,
    /// The vision encoder.
    pub vision: ConvNextConfig,
    /// The decoder.
    pub decoder: DecoderConfig,
    /// The head.
    pub head: HeadConfig,
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// The text layer that every stage reads.
    pub text_layer: TextLayer,
}

impl Default for GuideDecoderConfig {
    fn default() -> Self {
        Self {
            text: TextConfig::default(),
            text_projection_size: 128,
            project_dim: 768,
            vision: ConvNextConfig::default(),
            decoder: DecoderConfig::default(),
            head: HeadConfig::default(),
            image_size: 224,
            text_layer: TextLayer::default(),
        }
    }
}

impl GuideDecoderConfig {
    /// The side length of the grid of stage `index` (coarse to fine): 7, 14, 28 for an input of 224 pixels.
    pub fn stage_grid(&self, index: usize) -> usize {
        self.image_size / (self.vision.patch_size << (STAGES - index))
    }

    /// The channels of stage `index` (coarse to fine): 768, 384, 192 in the published network.
    pub fn stage_channels(&self, index: usize) -> usize {
        self.vision.hidden_sizes[STAGES - index]
    }

    /// The name of stage `index` (coarse to fine) in the authors' files: `decoder16`, `decoder8`, `decoder4`.
    pub fn stage_key(index: usize) -> String {
        format!("decoder{}", 4 << (STAGES - 1 - index))
    }

    /// Whether stage `index` (coarse to fine) reads the text.
    pub fn reads_text(&self, index: usize) -> bool {
        !self.decoder.without_text.contains(&self.stage_grid(index))
    }

    /// These sizes for another side length of the input, not yet checked. The stages that read no text remain the same.
    pub fn of_side(&self, side: usize) -> Self {
        let mut config = Self { image_size: side, ..self.clone() };
        let grids = |config: &Self| (0..STAGES).map(|stage| config.stage_grid(stage)).collect::<Vec<_>>();
        let (old, new) = (grids(self), grids(&config));
        let renamed = old.iter().zip(&new).filter(|(grid, _)| self.decoder.without_text.contains(grid));
        config.decoder.without_text = renamed.map(|(_, grid)| *grid).collect();
        config.decoder.grids = self.decoder.grids.as_ref().map(|_| new);
        config
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or inconsistent with another one.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { text, vision, decoder, head, .. } = self;
        check_text(text, decoder.input_text_length)?;
        check_vision(vision, self.image_size)?;
        positive(&[
            ("text_projection_size", self.text_projection_size),
            ("project_dim", self.project_dim),
            ("decoder.self_attention_heads", decoder.self_attention_heads),
            ("decoder.cross_attention_heads", decoder.cross_attention_heads),
            ("head.subpixel_channels", head.subpixel_channels),
        ])?;
        fixed(&[
            ("decoder.layer_norm_eps", decoder.layer_norm_eps, NORM_EPS),
            ("decoder.batch_norm_eps", decoder.batch_norm_eps, NORM_EPS),
            ("decoder.leaky_slope", decoder.leaky_slope, LEAK),
            ("head.scale", head.scale as f64, HeadConfig::default().scale as f64),
        ])?;
        if decoder.text_lengths.len() != STAGES || decoder.text_lengths.iter().any(|&n| n == 0 || n > 1 << 16) {
            return refuse(format!("decoder.text_lengths must have {STAGES} positive entries"));
        }
        let grids: Vec<usize> = (0..STAGES).map(|stage| self.stage_grid(stage)).collect();
        if decoder.grids.as_ref().is_some_and(|given| *given != grids) {
            return refuse(format!("decoder.grids must be {grids:?} for an image_size of {}", self.image_size));
        }
        if let Some(grid) = decoder.without_text.iter().find(|grid| !grids.contains(grid)) {
            return refuse(format!("decoder.without_text names stage {grid}; there are stages {grids:?}"));
        }
        let names: Vec<String> = (0..STAGES).map(Self::stage_key).collect();
        if decoder.stages.as_ref().is_some_and(|given| *given != names) {
            return refuse(format!("decoder.stages must be {names:?}"));
        }
        for stage in 0..STAGES {
            let channels = self.stage_channels(stage);
            let heads = [decoder.self_attention_heads, decoder.cross_attention_heads];
            if heads.iter().any(|heads| !channels.is_multiple_of(*heads)) {
                return refuse(format!(
                    "the decoder's numbers of heads must divide the {channels} channels of every stage"
                ));
            }
        }
        Ok(())
    }
}
