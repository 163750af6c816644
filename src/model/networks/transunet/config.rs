//! The architecture of TransUNet: all sizes in a bundle's `config.json`.

use serde::{Deserialize, Serialize};

use crate::model::config::ConfigError;
use crate::model::network::StageShape;

/// The number of levels of the decoder, of which all but the last have a skip connection.
pub const LEVELS: usize = 4;
/// The number of blocks of the ResNet.
pub const BLOCKS: usize = 3;

/// The sizes of the ResNet, the first part of the encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResNetConfig {
    /// The number of units of each block.
    pub units: Vec<usize>,
    /// The number of channels of the root. The blocks have 4, 8 and 16 times as many.
    pub width: usize,
    /// The number of groups of the group norms; it must divide the width.
    pub group_norm_groups: usize,
    /// The value added to the variance in group norms.
    pub group_norm_eps: f64,
    /// The value added to the variance in the norms of the projected shortcuts, which normalise every channel alone.
    pub projection_norm_eps: f64,
    /// The value added to the variance when weights are standardised.
    pub weight_standardisation_eps: f64,
}

impl Default for ResNetConfig {
    fn default() -> Self {
        Self {
            units: vec![3, 4, 9],
            width: 64,
            group_norm_groups: 32,
            group_norm_eps: 1e-6,
            projection_norm_eps: 1e-5,
            weight_standardisation_eps: 1e-5,
        }
    }
}

impl ResNetConfig {
    /// The number of output channels of block `block`.
    pub fn channels(&self, block: usize) -> usize {
        (4 * self.width) << block
    }
}

/// The sizes of TransUNet. The defaults are those of R50-ViT-B/16 with one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransUNetConfig {
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// The number of classes: 1 for the logit of the lesion, or 2 for those of background and lesion with a softmax.
    pub classes: usize,
    /// The width of the transformer.
    pub hidden_size: usize,
    /// The width between the two layers of its MLPs.
    pub mlp_size: usize,
    /// The number of its heads; it must divide the width.
    pub heads: usize,
    /// The number of its layers.
    pub layers: usize,
    /// The value added to the variance in its norms.
    pub layer_norm_eps: f64,
    /// The ResNet.
    pub resnet: ResNetConfig,
    /// The number of channels with which the decoder begins.
    pub head_channels: usize,
    /// The number of channels of each level of the decoder, coarse to fine.
    pub decoder_channels: Vec<usize>,
    /// The number of channels of each level's skip connection, coarse to fine, which follows from the ResNet.
    pub skip_channels: Vec<usize>,
    /// The number of skip connections, which is 3.
    pub skips: usize,
    /// The value added to the variance in batch norms.
    pub batch_norm_eps: f64,
    /// The dropout probability after the embedding and in the MLPs, applied only in training.
    pub dropout: f64,
}

impl Default for TransUNetConfig {
    fn default() -> Self {
        Self {
            image_size: 224,
            classes: 1,
            hidden_size: 768,
            mlp_size: 3072,
            heads: 12,
            layers: 12,
            layer_norm_eps: 1e-6,
            resnet: ResNetConfig::default(),
            head_channels: 512,
            decoder_channels: vec![256, 128, 64, 16],
            skip_channels: vec![512, 256, 64, 0],
            skips: LEVELS - 1,
            batch_norm_eps: 1e-5,
            dropout: 0.1,
        }
    }
}

impl TransUNetConfig {
    /// The side length of the grid of the transformer, 14 for an input of 224 pixels.
    pub fn grid(&self) -> usize {
        self.image_size >> LEVELS
    }

    /// The levels of the decoder, coarse to fine.
    pub fn levels(&self) -> impl Iterator<Item = StageShape> + '_ {
        let shape =
            |(index, channels): (usize, &usize)| StageShape { grid: self.grid() << index, channels: *channels };
        self.decoder_channels.iter().enumerate().map(shape)
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large, not supported or inconsistent with another one.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        const MOST: usize = 1 << 16;
        let resnet = &self.resnet;
        let positive = [
            ("image_size", self.image_size),
            ("hidden_size", self.hidden_size),
            ("mlp_size", self.mlp_size),
            ("heads", self.heads),
            ("layers", self.layers),
            ("head_channels", self.head_channels),
            ("resnet.width", resnet.width),
            ("resnet.group_norm_groups", resnet.group_norm_groups),
        ];
        if let Some((name, value)) = positive.iter().find(|(_, value)| *value == 0 || *value > MOST) {
            return error(format!("{name} is {value}; it must lie between 1 and {MOST}"));
        }
        if !matches!(self.classes, 1 | 2) {
            return error(format!(
                "classes is {}; a network for one lesion has 1, or 2 with a background",
                self.classes
            ));
        }
        let step = 1 << LEVELS;
        if !self.image_size.is_multiple_of(step) || self.image_size < 2 * step {
            return error(format!(
                "image_size is {}; it must be a multiple of {step} from {}",
                self.image_size,
                2 * step
            ));
        }
        if !self.hidden_size.is_multiple_of(self.heads) {
            return error(format!("heads is {} and must divide hidden_size, {}", self.heads, self.hidden_size));
        }
        if resnet.units.len() != BLOCKS || resnet.units.iter().any(|units| *units == 0 || *units > MOST) {
            return error(format!("resnet.units is {:?}; it must have {BLOCKS} positive numbers", resnet.units));
        }
        if !resnet.width.is_multiple_of(resnet.group_norm_groups) {
            return error(format!(
                "resnet.width is {} and must be a multiple of resnet.group_norm_groups, {}",
                resnet.width, resnet.group_norm_groups
            ));
        }
        let channels = &self.decoder_channels;
        if channels.len() != LEVELS || channels.iter().any(|channels| *channels == 0 || *channels > MOST) {
            return error(format!("decoder_channels is {channels:?}; it must have {LEVELS} positive numbers"));
        }
        if self.skips != LEVELS - 1 {
            return error(format!("skips is {}; this network has {} skip connections", self.skips, LEVELS - 1));
        }
        let needed = [resnet.channels(1), resnet.channels(0), resnet.width, 0];
        if self.skip_channels != needed {
            return error(format!(
                "skip_channels is {:?}; with resnet.width {} it must be {needed:?}",
                self.skip_channels, resnet.width
            ));
        }
        let small = [
            ("layer_norm_eps", self.layer_norm_eps),
            ("batch_norm_eps", self.batch_norm_eps),
            ("resnet.group_norm_eps", resnet.group_norm_eps),
            ("resnet.projection_norm_eps", resnet.projection_norm_eps),
            ("resnet.weight_standardisation_eps", resnet.weight_standardisation_eps),
        ];
        if let Some((name, value)) = small.iter().find(|(_, value)| !(*value > 0.0 && *value < 1.0)) {
            return error(format!("{name} is {value}; it must lie between 0 and 1"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return error("dropout must lie in 0…1".into());
        }
        Ok(())
    }
}
