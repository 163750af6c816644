//! The architecture of HiMix: all sizes and variants in a bundle's `config.json`.
//!
//! The objects `text`, `vision` and `decoder` have the keys of the authors' small reference model. Every
//! additional key has a default that gives the published network.

use serde::{Deserialize, Serialize};

use crate::model::blocks::text_encoder::TextConfig;
use crate::model::blocks::vision_encoder::VisionConfig;
use crate::model::config::ConfigError;
use crate::model::overrides::Overrides;

/// The sizes of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// The number of heads of every cross-attention and self-attention. It must divide the channels of each stage.
    pub num_heads: usize,
    /// The length L of the projected text at each stage, coarse to fine.
    pub text_lengths: Vec<usize>,
    /// The number of tokens that the text projection receives. It must equal the token limit.
    pub input_text_length: usize,
    /// The number of channels after the pixel shuffle of the head.
    pub subpixel_channels: usize,
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// Whether the stages filter their input (ASRM). Without the filter they have no σ.
    pub spectrum_filter: bool,
    /// The dropout probability in the MLP of a stage, applied only in training.
    pub dropout: f64,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            num_heads: 8,
            text_lengths: vec![24, 12, 9],
            input_text_length: 24,
            subpixel_channels: 24,
            image_size: 224,
            spectrum_filter: true,
            dropout: 0.1,
        }
    }
}

/// The grouping of the text encoder's layers (supplementary material, Table 2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Consecutive layers: 1–4, 5–8, 9–12.
    #[default]
    Sequential,
    /// Layers assigned in turn with stride 3: 1, 4, 7, 10 and so on.
    Interleaved,
    /// No grouping: every stage mixes all layers with its own weights.
    None,
    /// Every stage receives only the last layer.
    LastLayer,
    /// The layer numbers of each group, counted from 1, for example the result of a clustering.
    Explicit(Vec<Vec<usize>>),
}

/// How the layers of a group are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// A weighted sum with the softmax of learned values as weights.
    #[default]
    Learned,
    /// The mean; nothing is learned.
    Mean,
}

/// The dynamic layer fusion (DLFM) and its variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FusionConfig {
    /// The grouping of the layers.
    pub grouping: Grouping,
    /// How the layers of a group are combined.
    pub pooling: Pooling,
    /// The number, from 1, of the group for each stage, coarse to fine. The paper uses 3, 2, 1.
    pub order: Vec<usize>,
    /// The numbers of the groups that are removed. The stage of a removed group runs without its guide block.
    pub removed: Vec<usize>,
}

impl Default for FusionConfig {
    fn default() -> Self {
        Self { grouping: Grouping::default(), pooling: Pooling::default(), order: vec![3, 2, 1], removed: vec![] }
    }
}

/// The sizes of HiMix as stored in a bundle's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HiMixConfig {
    /// The text encoder.
    pub text: TextConfig,
    /// The vision encoder.
    pub vision: VisionConfig,
    /// The decoder.
    pub decoder: DecoderConfig,
    /// The layer fusion.
    pub fusion: FusionConfig,
    /// The maximum number of tokens of a prompt, including `[CLS]` and `[SEP]`.
    pub token_limit: usize,
}

impl Default for HiMixConfig {
    fn default() -> Self {
        Self {
            text: TextConfig::default(),
            vision: VisionConfig::default(),
            decoder: DecoderConfig::default(),
            fusion: FusionConfig::default(),
            token_limit: 24,
        }
    }
}

impl HiMixConfig {
    /// The number of decoder stages. The published network has three.
    pub fn stage_count(&self) -> usize {
        self.decoder.text_lengths.len()
    }

    /// The side length of the grid of stage `index` (coarse to fine): 7, 14, 28 for an input of 224 pixels.
    pub fn stage_grid(&self, index: usize) -> usize {
        self.decoder.image_size / (self.vision.patch_size << (self.stage_count() - index))
    }

    /// The channels of stage `index` (coarse to fine): 768, 384, 192 in the published network.
    pub fn stage_channels(&self, index: usize) -> usize {
        self.vision.hidden_sizes[self.stage_count() - index]
    }

    /// The text layers of each stage, counted from 1, coarse to fine; empty if the stage has no text.
    ///
    /// # Errors
    /// The groups are invalid; see [`Self::groups`].
    pub fn stage_layers(&self) -> Result<Vec<Vec<usize>>, ConfigError> {
        let groups = self.groups()?;
        Ok((0..self.stage_count())
            .map(|stage| {
                let number = self.fusion.order[stage];
                if self.fusion.removed.contains(&number) { Vec::new() } else { groups[number - 1].clone() }
            })
            .collect())
    }

    /// The groups of text layers, G1 first, regardless of the stage they feed.
    ///
    /// # Errors
    /// The order does not name each group once, a removed group does not exist, or the layers cannot be grouped
    /// this way.
    pub fn groups(&self) -> Result<Vec<Vec<usize>>, ConfigError> {
        let layers = self.text.num_hidden_layers;
        let stages = self.stage_count();
        let error = |text: String| Err(ConfigError(text));
        let order = &self.fusion.order;
        if order.len() != stages || (1..=stages).any(|number| !order.contains(&number)) {
            return error(format!("fusion.order must name each group from 1 to {stages} once, not {order:?}"));
        }
        if let Some(number) = self.fusion.removed.iter().find(|&&n| n == 0 || n > stages) {
            return error(format!("fusion.removed names group {number}; there are groups 1 to {stages}"));
        }
        let groups: Vec<Vec<usize>> = match &self.fusion.grouping {
            Grouping::Sequential | Grouping::Interleaved if !layers.is_multiple_of(stages) => {
                return error(format!("{layers} text layers cannot be dealt evenly into {stages} groups"));
            }
            Grouping::Sequential => {
                let size = layers / stages;
                (0..stages).map(|g| (g * size + 1..=(g + 1) * size).collect()).collect()
            }
            Grouping::Interleaved => (0..stages).map(|g| (g + 1..=layers).step_by(stages).collect()).collect(),
            Grouping::None => vec![(1..=layers).collect(); stages],
            Grouping::LastLayer => vec![vec![layers]; stages],
            Grouping::Explicit(groups) => groups.clone(),
        };
        if groups.len() != stages || groups.iter().any(Vec::is_empty) {
            return error(format!("fusion.grouping needs {stages} groups with at least one layer each"));
        }
        if let Some(layer) = groups.iter().flatten().find(|&&layer| layer == 0 || layer > layers) {
            return error(format!("fusion.grouping names text layer {layer}; there are layers 1 to {layers}"));
        }
        Ok(groups)
    }

    /// Whether the fusion has values to learn.
    pub fn has_learned_fusion(&self) -> bool {
        self.fusion.pooling == Pooling::Learned && self.fusion.grouping != Grouping::LastLayer
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or inconsistent with another one.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        let (text, vision, decoder) = (&self.text, &self.vision, &self.decoder);
        let positive = [
            ("text.vocab_size", text.vocab_size),
            ("text.hidden_size", text.hidden_size),
            ("text.num_hidden_layers", text.num_hidden_layers),
            ("text.num_attention_heads", text.num_attention_heads),
            ("text.intermediate_size", text.intermediate_size),
            ("text.max_position_embeddings", text.max_position_embeddings),
            ("text.type_vocab_size", text.type_vocab_size),
            ("vision.patch_size", vision.patch_size),
            ("decoder.num_heads", decoder.num_heads),
            ("decoder.subpixel_channels", decoder.subpixel_channels),
            ("decoder.image_size", decoder.image_size),
            ("token_limit", self.token_limit),
        ];
        const LARGEST: usize = 1 << 20;
        if let Some((name, value)) = positive.iter().find(|(_, value)| *value == 0 || *value > LARGEST) {
            return error(format!("{name} is {value}; it must lie between 1 and {LARGEST}"));
        }
        let stages = self.stage_count();
        if vision.hidden_sizes.len() != stages + 1 || vision.depths.len() != stages + 1 || stages == 0 {
            return error(format!(
                "vision.hidden_sizes and vision.depths must have one entry more than decoder.text_lengths ({stages})"
            ));
        }
        if vision.hidden_sizes.iter().chain(&decoder.text_lengths).any(|&n| n == 0 || n > LARGEST) {
            return error("vision.hidden_sizes and decoder.text_lengths must be positive".into());
        }
        if text.hidden_size % text.num_attention_heads != 0 {
            return error("text.num_attention_heads must divide text.hidden_size".into());
        }
        for stage in 0..stages {
            let (wide, narrow) = (self.stage_channels(stage), vision.hidden_sizes[stages - stage - 1]);
            if wide != 2 * narrow {
                return error(format!(
                    "vision.hidden_sizes must double from stage to stage, not {narrow} to {wide}"
                ));
            }
            if wide % decoder.num_heads != 0 {
                return error(format!("decoder.num_heads must divide the {wide} channels of every stage"));
            }
        }
        let step = vision.patch_size << stages;
        if decoder.image_size % step != 0 {
            return error(format!("decoder.image_size must be a multiple of {step}"));
        }
        if self.token_limit != decoder.input_text_length {
            return error(format!(
                "token_limit ({}) and decoder.input_text_length ({}) must be the same",
                self.token_limit, decoder.input_text_length
            ));
        }
        if self.token_limit < 2 || self.token_limit > text.max_position_embeddings {
            return error("token_limit must lie between 2 and text.max_position_embeddings".into());
        }
        if !(0.0..1.0).contains(&decoder.dropout) {
            return error("decoder.dropout must lie in 0…1".into());
        }
        self.groups().map(|_| ())
    }

    /// Returns the configuration with the order and the removed groups of `overrides`.
    pub fn with_overrides(&self, overrides: &Overrides) -> Self {
        let mut config = self.clone();
        config.fusion.order.clone_from(&overrides.order);
        config.fusion.removed =
            (1..=overrides.groups.len()).filter(|n| !overrides.groups[n - 1].is_used).collect();
        config
    }
}
