//! The architecture of the U-Net: all sizes in a bundle's `config.json`.

use serde::{Deserialize, Serialize};

use crate::model::config::ConfigError;
use crate::model::network::StageShape;

/// The number of levels below the first, and of the decoder.
pub const LEVELS: usize = 4;

/// The sizes of the U-Net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UNetConfig {
    /// The number of channels of the first level. The levels below have 2, 4, 8 and 8 times as many.
    pub base_channels: usize,
    /// The number of channels of the image, which is 3: a grey image is repeated.
    pub in_channels: usize,
    /// The number of classes, which is 1: the lesion.
    pub classes: usize,
    /// The side length of the network's input in pixels.
    pub image_size: usize,
    /// The value added to the variance in batch norms.
    pub batch_norm_eps: f64,
}

impl Default for UNetConfig {
    fn default() -> Self {
        Self { base_channels: 64, in_channels: 3, classes: 1, image_size: 224, batch_norm_eps: 1e-5 }
    }
}

impl UNetConfig {
    /// The channels of encoder level `level`, which halves the grid `level` times.
    pub fn channels(&self, level: usize) -> usize {
        self.base_channels << level.min(LEVELS - 1)
    }

    /// The levels of the decoder, coarse to fine.
    pub fn levels(&self) -> impl Iterator<Item = StageShape> + '_ {
        (0..LEVELS).map(|index| StageShape {
            grid: self.image_size >> (LEVELS - index),
            channels: self.channels(LEVELS - 1 - index) / if index + 1 < LEVELS { 2 } else { 1 },
        })
    }

    /// Checks that a network can be built with these sizes.
    ///
    /// # Errors
    /// A size is zero, too large or not supported.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        const MOST: usize = 4096;
        let base = self.base_channels;
        if base == 0 || base > MOST || !base.is_multiple_of(2) {
            return error(format!("base_channels is {base}; it must be an even number from 2 to {MOST}"));
        }
        if self.in_channels != 3 {
            return error(format!("in_channels is {}; images have 3 channels here", self.in_channels));
        }
        if self.classes != 1 {
            return error(format!("classes is {}; a U-Net for one lesion has 1", self.classes));
        }
        let (side, step) = (self.image_size, 1 << LEVELS);
        if side == 0 || side > MOST || !side.is_multiple_of(step) {
            return error(format!("image_size is {side}; it must be a multiple of {step} up to {MOST}"));
        }
        if !(self.batch_norm_eps > 0.0 && self.batch_norm_eps < 1.0) {
            return error("batch_norm_eps must lie between 0 and 1".into());
        }
        Ok(())
    }
}
