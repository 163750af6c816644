//! Sizes that the networks with CXR-BERT and ConvNeXt have in common, and their checks.

use serde::{Deserialize, Serialize};

use super::text_encoder::TextConfig;
use super::vision_encoder::{NORM_EPS, VisionConfig};
use crate::model::config::ConfigError;

/// The sizes of a ConvNeXt, with the epsilons by name. The defaults are those of ConvNeXt-T.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConvNextConfig {
    /// The number of channels of the four stages.
    pub hidden_sizes: Vec<usize>,
    /// The number of blocks in the four stages.
    pub depths: Vec<usize>,
    /// The side length of a patch, which is also the stride of the stem.
    pub patch_size: usize,
    /// The epsilon of the norms inside the network. Only 1e-6 is computed.
    pub channel_norm_eps: f64,
    /// The epsilon of the norm after pooling, on which the mask does not depend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_norm_eps: Option<f64>,
}

impl Default for ConvNextConfig {
    fn default() -> Self {
        let VisionConfig { hidden_sizes, depths, patch_size, .. } = VisionConfig::default();
        Self { hidden_sizes, depths, patch_size, channel_norm_eps: NORM_EPS, final_norm_eps: None }
    }
}

impl ConvNextConfig {
    /// The sizes for [`VisionEncoder::new`](super::vision_encoder::VisionEncoder::new).
    pub fn encoder(&self) -> VisionConfig {
        let Self { hidden_sizes, depths, patch_size, .. } = self.clone();
        VisionConfig { hidden_sizes, depths, patch_size, ..VisionConfig::default() }
    }
}

/// The sizes of the sub-pixel head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadConfig {
    /// The number of channels after the pixel shuffle.
    pub subpixel_channels: usize,
    /// The factor by which the head enlarges. Only 4 is computed.
    pub scale: usize,
}

impl Default for HeadConfig {
    fn default() -> Self {
        Self { subpixel_channels: 24, scale: super::head::ENLARGE }
    }
}

/// The text layer that a network reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextLayer {
    /// The last one.
    #[default]
    Last,
}

/// The largest size that is accepted.
pub const LARGEST: usize = 1 << 20;

/// Returns an error of a configuration.
pub fn refuse<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(text.into()))
}

/// Checks that sizes are neither zero nor absurd.
///
/// # Errors
/// One of them is.
pub fn positive(sizes: &[(&str, usize)]) -> Result<(), ConfigError> {
    match sizes.iter().find(|(_, value)| *value == 0 || *value > LARGEST) {
        Some((name, value)) => refuse(format!("{name} is {value}; it must lie between 1 and {LARGEST}")),
        None => Ok(()),
    }
}

/// Checks values that the program computes with and that a configuration may name, but not change.
///
/// # Errors
/// One of them is another one.
pub fn fixed(values: &[(&str, f64, f64)]) -> Result<(), ConfigError> {
    match values.iter().find(|(_, value, computed)| value != computed) {
        Some((name, value, computed)) => {
            refuse(format!("{name} is {value}; this network is computed with {computed} only"))
        }
        None => Ok(()),
    }
}

/// Checks the sizes of the text encoder and the limit of tokens.
///
/// # Errors
/// A size is zero, too large or inconsistent with another one.
pub fn check_text(text: &TextConfig, token_limit: usize) -> Result<(), ConfigError> {
    positive(&[
        ("text.vocab_size", text.vocab_size),
        ("text.hidden_size", text.hidden_size),
        ("text.num_hidden_layers", text.num_hidden_layers),
        ("text.num_attention_heads", text.num_attention_heads),
        ("text.intermediate_size", text.intermediate_size),
        ("text.max_position_embeddings", text.max_position_embeddings),
        ("text.type_vocab_size", text.type_vocab_size),
    ])?;
    if !text.hidden_size.is_multiple_of(text.num_attention_heads) {
        return refuse("text.num_attention_heads must divide text.hidden_size");
    }
    if token_limit < 2 || token_limit > text.max_position_embeddings {
        return refuse("input_text_length must lie between 2 and text.max_position_embeddings");
    }
    Ok(())
}

/// Checks the sizes of a ConvNeXt with four stages whose channels double, and those of the image.
///
/// # Errors
/// A size is zero, too large or inconsistent with another one.
pub fn check_vision(vision: &ConvNextConfig, image_size: usize) -> Result<(), ConfigError> {
    positive(&[("vision.patch_size", vision.patch_size), ("image_size", image_size)])?;
    fixed(&[("vision.channel_norm_eps", vision.channel_norm_eps, NORM_EPS)])?;
    let sizes = &vision.hidden_sizes;
    if sizes.len() != 4 || vision.depths.len() != 4 {
        return refuse("vision.hidden_sizes and vision.depths must have four entries");
    }
    if sizes.iter().any(|&n| n == 0 || n > LARGEST) || vision.depths.iter().any(|&n| n > LARGEST) {
        return refuse(format!("vision.hidden_sizes must lie between 1 and {LARGEST}, vision.depths below"));
    }
    if let Some([narrow, wide]) = sizes.array_windows().find(|[narrow, wide]| *wide != 2 * narrow) {
        return refuse(format!("vision.hidden_sizes must double from stage to stage, not {narrow} to {wide}"));
    }
    let step = vision.patch_size << 3;
    if !image_size.is_multiple_of(step) || vision.patch_size != super::head::ENLARGE {
        return refuse(format!(
            "image_size must be a multiple of {step}, and vision.patch_size 4, as the head's scale"
        ));
    }
    Ok(())
}
