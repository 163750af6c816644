//! The sizes of MedSAM in a bundle's `config.json`. The defaults are those of the published network (SAM ViT-B).

use serde::{Deserialize, Serialize};

use crate::model::config::ConfigError;

/// The sizes of the image encoder, a vision transformer with windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageEncoderConfig {
    /// The number of channels of the blocks.
    pub embed_dim: usize,
    /// The number of blocks.
    pub depth: usize,
    /// The number of attention heads of a block.
    pub heads: usize,
    /// The width of a block's MLP, as a multiple of `embed_dim`.
    pub mlp_ratio: usize,
    /// The side length of the windows in positions.
    pub window: usize,
    /// The indices of the blocks that attend to the whole grid, from 0.
    pub global_blocks: Vec<usize>,
    /// What the norms of the blocks add to the variance.
    pub layer_norm_eps: f64,
    /// What the norms of the neck add to the variance.
    pub channel_norm_eps: f64,
    /// The number of channels of the image embedding.
    pub out_channels: usize,
}

impl Default for ImageEncoderConfig {
    fn default() -> Self {
        Self {
            embed_dim: 768,
            depth: 12,
            heads: 12,
            mlp_ratio: 4,
            window: 14,
            global_blocks: vec![2, 5, 8, 11],
            layer_norm_eps: 1e-6,
            channel_norm_eps: 1e-6,
            out_channels: 256,
        }
    }
}

/// The sizes of the prompt encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptEncoderConfig {
    /// The number of channels of a token.
    pub embed_dim: usize,
    /// The channels of the encoder of mask prompts, whose weights are kept although nothing reads them.
    pub mask_in_channels: usize,
}

impl Default for PromptEncoderConfig {
    fn default() -> Self {
        Self { embed_dim: 256, mask_in_channels: 16 }
    }
}

/// The sizes of the mask decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskDecoderConfig {
    /// The number of channels of tokens and positions.
    pub dim: usize,
    /// The number of two-way layers.
    pub depth: usize,
    /// The number of attention heads.
    pub heads: usize,
    /// The width of a layer's MLP.
    pub mlp_size: usize,
    /// By how much the attentions between tokens and image are narrower than `dim`.
    pub attention_downsample: usize,
    /// The number of mask tokens. The mask is made from the first.
    pub masks: usize,
    /// The width of the head that estimates the IoU.
    pub iou_hidden: usize,
    /// The number of layers of that head.
    pub iou_depth: usize,
    /// What the norms of the layers add to the variance.
    pub layer_norm_eps: f64,
    /// What the norm of the enlarged image adds to the variance.
    pub channel_norm_eps: f64,
}

impl Default for MaskDecoderConfig {
    fn default() -> Self {
        Self {
            dim: 256,
            depth: 2,
            heads: 8,
            mlp_size: 2048,
            attention_downsample: 2,
            masks: 4,
            iou_hidden: 256,
            iou_depth: 3,
            layer_norm_eps: 1e-5,
            channel_norm_eps: 1e-6,
        }
    }
}

/// The sizes of MedSAM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MedSamConfig {
    /// The side length of the input in pixels.
    pub image_size: usize,
    /// The side length of a patch in pixels.
    pub patch_size: usize,
    /// The image encoder.
    pub image_encoder: ImageEncoderConfig,
    /// The prompt encoder.
    pub prompt_encoder: PromptEncoderConfig,
    /// The mask decoder.
    pub mask_decoder: MaskDecoderConfig,
}

impl Default for MedSamConfig {
    fn default() -> Self {
        Self {
            image_size: 1024,
            patch_size: 16,
            image_encoder: ImageEncoderConfig::default(),
            prompt_encoder: PromptEncoderConfig::default(),
            mask_decoder: MaskDecoderConfig::default(),
        }
    }
}

impl MedSamConfig {
    /// The side length of the grid of patches.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// The side length of the part of the grid to which the positions of block `index` attend.
    pub fn span(&self, index: usize) -> usize {
        if self.image_encoder.global_blocks.contains(&index) { self.grid() } else { self.image_encoder.window }
    }

    /// The side length of the low-resolution logits.
    pub fn low_side(&self) -> usize {
        4 * self.grid()
    }

    /// The width of the attentions between tokens and image.
    pub fn narrow(&self) -> usize {
        self.mask_decoder.dim / self.mask_decoder.attention_downsample
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or inconsistent with another one.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        let (image, prompt, mask) = (&self.image_encoder, &self.prompt_encoder, &self.mask_decoder);
        let positive = [
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
            ("image_encoder.embed_dim", image.embed_dim),
            ("image_encoder.depth", image.depth),
            ("image_encoder.heads", image.heads),
            ("image_encoder.mlp_ratio", image.mlp_ratio),
            ("image_encoder.window", image.window),
            ("image_encoder.out_channels", image.out_channels),
            ("prompt_encoder.embed_dim", prompt.embed_dim),
            ("prompt_encoder.mask_in_channels", prompt.mask_in_channels),
            ("mask_decoder.dim", mask.dim),
            ("mask_decoder.depth", mask.depth),
            ("mask_decoder.heads", mask.heads),
            ("mask_decoder.mlp_size", mask.mlp_size),
            ("mask_decoder.attention_downsample", mask.attention_downsample),
            ("mask_decoder.masks", mask.masks),
            ("mask_decoder.iou_hidden", mask.iou_hidden),
        ];
        const LARGEST: usize = 1 << 16;
        if let Some((name, value)) = positive.iter().find(|(_, value)| *value == 0 || *value > LARGEST) {
            return error(format!("{name} is {value}; it must lie between 1 and {LARGEST}"));
        }
        if mask.iou_depth < 2 || mask.iou_depth > LARGEST {
            return error(format!("mask_decoder.iou_depth is {}; it must be at least 2", mask.iou_depth));
        }
        if !self.image_size.is_multiple_of(self.patch_size) {
            return error(format!("image_size must be a multiple of patch_size ({})", self.patch_size));
        }
        // The low-resolution logits are enlarged by this factor.
        if self.patch_size < 4 {
            return error(format!("patch_size is {}; it must be at least 4", self.patch_size));
        }
        if !image.embed_dim.is_multiple_of(image.heads) {
            return error("image_encoder.heads must divide image_encoder.embed_dim".into());
        }
        if let Some(index) = image.global_blocks.iter().find(|index| **index >= image.depth) {
            return error(format!(
                "image_encoder.global_blocks names block {index}; there are blocks 0 to {}",
                image.depth - 1
            ));
        }
        if image.out_channels != mask.dim || prompt.embed_dim != mask.dim {
            return error(format!(
                "image_encoder.out_channels ({}), prompt_encoder.embed_dim ({}) and mask_decoder.dim ({}) must be the same",
                image.out_channels, prompt.embed_dim, mask.dim
            ));
        }
        if !mask.dim.is_multiple_of(8) {
            return error("mask_decoder.dim must be a multiple of 8".into());
        }
        if !mask.dim.is_multiple_of(mask.attention_downsample) || !self.narrow().is_multiple_of(mask.heads) {
            return error("mask_decoder.heads must divide dim / attention_downsample".into());
        }
        if !prompt.mask_in_channels.is_multiple_of(4) {
            return error("prompt_encoder.mask_in_channels must be a multiple of 4".into());
        }
        let eps = [image.layer_norm_eps, image.channel_norm_eps, mask.layer_norm_eps, mask.channel_norm_eps];
        if eps.iter().any(|eps| !(eps.is_finite() && *eps > 0.0)) {
            return error("what the norms add to the variance must be positive".into());
        }
        Ok(())
    }
}
