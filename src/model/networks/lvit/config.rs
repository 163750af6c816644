//! The architecture of LViT: all sizes in a bundle's `config.json`, and where its word vectors come from.

use serde::{Deserialize, Serialize};

use crate::model::blocks::text_encoder::TextConfig;
use crate::model::config::ConfigError;
use crate::model::network::StageShape;

/// The number of levels of both U-shapes below the input.
pub const LEVELS: usize = 4;

/// The sizes of LViT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LViTConfig {
    /// The number of channels of the first level. The levels below have 2, 4, 8 and 8 times as many.
    pub base_channels: usize,
    /// The number of channels of the image, which is 3: a grey image is repeated.
    pub in_channels: usize,
    /// The number of classes, which is 1: the lesion.
    pub classes: usize,
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// The number of words that are read.
    pub text_tokens: usize,
    /// The number of values of a word's vector.
    pub text_size: usize,
    /// The side length of the patches of each level, fine to coarse: each half of the one before it.
    pub patch_sizes: Vec<usize>,
    /// The number of patches of every level, which follows from `image_size` and `patch_sizes`.
    pub patches: usize,
    /// The number of transformer blocks of a level.
    pub vit_depth: usize,
    /// The number of heads of every attention.
    pub vit_heads: usize,
    /// The width of a block's MLP as a multiple of its channels.
    pub mlp_ratio: usize,
    /// The value added to the variance in layer norms.
    pub layer_norm_eps: f64,
    /// The value added to the variance in batch norms.
    pub batch_norm_eps: f64,
    /// The dropout probability of patch embeddings and in the MLPs, applied only in training.
    pub dropout: f64,
    /// The text encoder that makes vectors of the words of a prompt. Without one, the bundle contains the vectors of the
    /// sentences that it can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_encoder: Option<WordEncoder>,
}

/// The text encoder whose last layer, averaged over the pieces of each word, is the vector of the word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordEncoder {
    /// Which encoder it is.
    pub kind: WordEncoderKind,
    /// The number of tokens that it reads, with `[CLS]` and `[SEP]`.
    pub token_limit: usize,
    /// Its sizes.
    pub sizes: TextConfig,
}

/// Which text encoder makes the word vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordEncoderKind {
    /// BERT-base uncased, as the authors use it. It is not trained.
    #[default]
    BertBase,
    /// Any other encoder, which is not the authors'. The network is another one with it.
    Other,
}

impl Default for WordEncoder {
    fn default() -> Self {
        Self { kind: WordEncoderKind::default(), token_limit: 25, sizes: TextConfig::default() }
    }
}

impl Default for LViTConfig {
    fn default() -> Self {
        Self {
            base_channels: 64,
            in_channels: 3,
            classes: 1,
            image_size: 224,
            text_tokens: 10,
            text_size: 768,
            patch_sizes: vec![16, 8, 4, 2],
            patches: 196,
            vit_depth: 1,
            vit_heads: 8,
            mlp_ratio: 4,
            layer_norm_eps: 1e-5,
            batch_norm_eps: 1e-5,
            dropout: 0.1,
            text_encoder: None,
        }
    }
}

impl LViTConfig {
    /// The channels of level `level`, counted from 0, which halves the grid `level` times.
    pub fn channels(&self, level: usize) -> usize {
        self.base_channels << level.min(LEVELS - 1)
    }

    /// The side length of the grid of patches.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_sizes[0].max(1)
    }

    /// The levels of the decoder, coarse to fine.
    pub fn decoder(&self) -> impl Iterator<Item = StageShape> + '_ {
        (0..LEVELS).map(|index| StageShape {
            grid: self.image_size >> (LEVELS - index),
            channels: self.channels(LEVELS - 1 - index) / if index + 1 < LEVELS { 2 } else { 1 },
        })
    }

    /// These sizes for another side length of the input, not yet checked.
    pub fn of_side(&self, side: usize) -> Self {
        let mut config = Self { image_size: side, ..self.clone() };
        config.patches = config.grid() * config.grid();
        config
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or not supported, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        const MOST: usize = 4096;
        let error = |text: String| Err(ConfigError(text));
        let sizes = [
            ("base_channels", self.base_channels),
            ("text_tokens", self.text_tokens),
            ("text_size", self.text_size),
            ("vit_depth", self.vit_depth),
            ("vit_heads", self.vit_heads),
            ("mlp_ratio", self.mlp_ratio),
        ];
        if let Some((name, size)) = sizes.into_iter().find(|(_, size)| *size == 0 || *size > MOST) {
            return error(format!("{name} is {size}; it must lie between 1 and {MOST}"));
        }
        if !self.base_channels.is_multiple_of(self.vit_heads) || !self.base_channels.is_multiple_of(2) {
            return error(format!(
                "base_channels is {}; it must be an even multiple of vit_heads, {}",
                self.base_channels, self.vit_heads
            ));
        }
        if self.in_channels != 3 || self.classes != 1 {
            return error(format!(
                "in_channels is {} and classes {}; images have 3 channels here and there is 1 class, the lesion",
                self.in_channels, self.classes
            ));
        }
        let first = self.patch_sizes.first().copied().unwrap_or(0);
        let is_halved =
            self.patch_sizes.iter().enumerate().all(|(level, size)| *size << level == first && *size > 0);
        if self.patch_sizes.len() != LEVELS || !is_halved {
            return error(format!(
                "patch_sizes is {:?}; it must name {LEVELS} sizes, each half of the one before it",
                self.patch_sizes
            ));
        }
        let (side, step) = (self.image_size, first.max(1 << LEVELS));
        if side == 0 || side > MOST || !side.is_multiple_of(step) || !side.is_multiple_of(first) {
            return error(format!("image_size is {side}; it must be a multiple of {step} up to {MOST}"));
        }
        let patches = self.grid() * self.grid();
        if self.patches != patches {
            return error(format!(
                "patches is {}; {side} pixels and patches of {first} give {patches}",
                self.patches
            ));
        }
        for (name, eps) in [("layer_norm_eps", self.layer_norm_eps), ("batch_norm_eps", self.batch_norm_eps)] {
            if !(eps > 0.0 && eps < 1.0) {
                return error(format!("{name} must lie between 0 and 1"));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return error("dropout must be 0 or lie between 0 and 1".into());
        }
        self.text_encoder.as_ref().map_or(Ok(()), |encoder| self.validate_encoder(encoder))
    }

    fn validate_encoder(&self, encoder: &WordEncoder) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        let sizes = &encoder.sizes;
        if sizes.hidden_size != self.text_size {
            return error(format!(
                "text_size is {} and the text encoder makes vectors of {} values; make them equal",
                self.text_size, sizes.hidden_size
            ));
        }
        if [sizes.vocab_size, sizes.num_hidden_layers, sizes.num_attention_heads, sizes.intermediate_size]
            .contains(&0)
            || sizes.type_vocab_size == 0
            || !sizes.hidden_size.is_multiple_of(sizes.num_attention_heads)
        {
            return error(
                "the sizes of text_encoder must be positive, and num_attention_heads must divide hidden_size"
                    .into(),
            );
        }
        if encoder.token_limit < self.text_tokens + 2 || encoder.token_limit > sizes.max_position_embeddings {
            return error(format!(
                "token_limit of text_encoder is {}; it must lie between {}, so that all words fit, and max_position_embeddings, {}",
                encoder.token_limit,
                self.text_tokens + 2,
                sizes.max_position_embeddings
            ));
        }
        Ok(())
    }
}
