//! The architecture of MMI-UNet: all sizes in a bundle's `config.json`. The defaults are those of the publication.

use serde::{Deserialize, Serialize};

use crate::model::blocks::sizes::{
    ConvNextConfig, HeadConfig, TextLayer, check_text, check_vision, fixed, positive, refuse,
};
use crate::model::blocks::text_encoder::TextConfig;
use crate::model::config::ConfigError;

/// The number of stages of the encoder, each with a Bridger.
pub const LEVELS: usize = 4;
/// The number of stages of the decoder.
pub const STAGES: usize = LEVELS - 1;
/// The epsilon of all norms outside of ConvNeXt and BERT.
pub const NORM_EPS: f64 = 1e-5;
/// The factor by which a Bridger reduces the grid.
const ZOOM: usize = 2;

/// The sizes of the Bridgers, which let image and text attend to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgerConfig {
    /// The channels of the text, which are those of the text encoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_size: Option<usize>,
    /// The channels in the Bridgers, which are those of the vision encoder's stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_sizes: Option<Vec<usize>>,
    /// The number of heads of every attention. It must divide the channels of each stage.
    pub heads: usize,
    /// The width of the feed-forward network, the same at every stage.
    pub feed_forward: usize,
    /// The factor by which the grid is reduced. Only 2 is computed.
    pub zoom: usize,
    /// The epsilon of the layer norms. Only 1e-5 is computed.
    pub layer_norm_eps: f64,
    /// The dropout probability, applied only in training.
    pub dropout: f64,
    /// The rows and columns of the coarsest grid that a Bridger leaves out: 1 if its side length is odd, otherwise 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_padding_stage4: Option<usize>,
}

impl Default for BridgerConfig {
    fn default() -> Self {
        Self {
            text_size: None,
            model_sizes: None,
            heads: 8,
            feed_forward: 128,
            zoom: ZOOM,
            layer_norm_eps: NORM_EPS,
            dropout: 0.1,
            output_padding_stage4: None,
        }
    }
}

/// The sizes of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// The names of the stages in the authors' files, coarse to fine. They follow from their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<String>>,
    /// The epsilon of the batch norms. Only 1e-5 is computed.
    pub batch_norm_eps: f64,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self { stages: None, batch_norm_eps: NORM_EPS }
    }
}

/// The sizes of MMI-UNet as stored in a bundle's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MmiUnetConfig {
    /// The text encoder.
    pub text: TextConfig,
    /// The width of CXR-BERT's projection, which does not influence the mask.
    pub text_projection_size: usize,
    /// The width of the authors' projection head, which does not influence the mask.
    pub project_dim: usize,
    /// The vision encoder.
    pub vision: ConvNextConfig,
    /// The Bridgers.
    pub bridger: BridgerConfig,
    /// The decoder.
    pub decoder: DecoderConfig,
    /// The head.
    pub head: HeadConfig,
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// The maximum number of tokens of a prompt, including `[CLS]` and `[SEP]`.
    pub input_text_length: usize,
    /// The text layer that the first Bridger reads.
    pub text_layer: TextLayer,
}

impl Default for MmiUnetConfig {
    fn default() -> Self {
        Self {
            text: TextConfig::default(),
            text_projection_size: 128,
            project_dim: 768,
            vision: ConvNextConfig::default(),
            bridger: BridgerConfig::default(),
            decoder: DecoderConfig::default(),
            head: HeadConfig::default(),
            image_size: 224,
            input_text_length: 24,
            text_layer: TextLayer::default(),
        }
    }
}

impl MmiUnetConfig {
    /// The side length of the grid of encoder stage `level` (fine to coarse): 56, 28, 14, 7 for an input of 224 pixels.
    pub fn grid(&self, level: usize) -> usize {
        self.image_size / (self.vision.patch_size << level)
    }

    /// The side length of the input grid of decoder stage `index` (coarse to fine): 7, 14, 28.
    pub fn stage_grid(&self, index: usize) -> usize {
        self.grid(STAGES - index)
    }

    /// The input channels of decoder stage `index` (coarse to fine): 768, 384, 192.
    pub fn stage_channels(&self, index: usize) -> usize {
        self.vision.hidden_sizes[STAGES - index]
    }

    /// The name of decoder stage `index` (coarse to fine) in the authors' files: `decode4`, `decode3`, `decode2`.
    pub fn stage_key(index: usize) -> String {
        format!("decode{}", LEVELS - index)
    }

    /// These sizes for another side length of the input, not yet checked.
    pub fn of_side(&self, side: usize) -> Self {
        let mut config = Self { image_size: side, ..self.clone() };
        let left_out = config.grid(STAGES) % ZOOM;
        config.bridger.output_padding_stage4 = self.bridger.output_padding_stage4.map(|_| left_out);
        config
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or inconsistent with another one.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { text, vision, bridger, decoder, head, .. } = self;
        check_text(text, self.input_text_length)?;
        check_vision(vision, self.image_size)?;
        positive(&[
            ("text_projection_size", self.text_projection_size),
            ("project_dim", self.project_dim),
            ("bridger.heads", bridger.heads),
            ("bridger.feed_forward", bridger.feed_forward),
            ("head.subpixel_channels", head.subpixel_channels),
        ])?;
        fixed(&[
            ("bridger.zoom", bridger.zoom as f64, ZOOM as f64),
            ("bridger.layer_norm_eps", bridger.layer_norm_eps, NORM_EPS),
            ("decoder.batch_norm_eps", decoder.batch_norm_eps, NORM_EPS),
            ("head.scale", head.scale as f64, HeadConfig::default().scale as f64),
        ])?;
        if !(0.0..1.0).contains(&bridger.dropout) {
            return refuse("bridger.dropout must lie in 0…1");
        }
        if let Some(channels) = vision.hidden_sizes.iter().find(|channels| !channels.is_multiple_of(bridger.heads))
        {
            return refuse(format!("bridger.heads must divide the {channels} channels of every stage"));
        }
        if self.grid(STAGES) < ZOOM {
            return refuse(format!("image_size is {}; the coarsest grid has no two cells", self.image_size));
        }
        if bridger.text_size.is_some_and(|size| size != text.hidden_size) {
            return refuse(format!("bridger.text_size must be text.hidden_size, {}", text.hidden_size));
        }
        if bridger.model_sizes.as_ref().is_some_and(|sizes| *sizes != vision.hidden_sizes) {
            return refuse(format!("bridger.model_sizes must be vision.hidden_sizes, {:?}", vision.hidden_sizes));
        }
        let left_out = self.grid(STAGES) % ZOOM;
        if bridger.output_padding_stage4.is_some_and(|padding| padding != left_out) {
            let size = self.image_size;
            return refuse(format!(
                "bridger.output_padding_stage4 must be {left_out} for an image_size of {size}"
            ));
        }
        let names: Vec<String> = (0..STAGES).map(Self::stage_key).collect();
        if decoder.stages.as_ref().is_some_and(|given| *given != names) {
            return refuse(format!("decoder.stages must be {names:?}"));
        }
        Ok(())
    }
}
