//! HiMix: the layers of the text encoder are mixed hierarchically into the decoder's stages, each of which has a
//! spectrum filter.
//!
//! Hwang, Sim, Kim: "HiMix: Hierarchical Visual-Textual Mixing Network for Lesion Segmentation", WACV 2026.

mod ablation;
pub mod attribution;
pub mod config;
mod cost;
pub mod decoder;
pub mod fusion;
pub mod keys;
pub mod model;
pub mod prepared;
pub mod spectrum;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::model::ablation::Ablation;
use crate::model::config::{Axes, ConfigError};
use crate::model::network::{Cost, Model, Network, StageShape, TextInput};
use crate::model::overrides::Overrides;
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::HiMixConfig;
pub use model::HiMix;
pub use prepared::Prepared;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "himix";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: HiMixConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for HiMixConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!(
            "text {} wide, {} layers; vision {:?}",
            self.text.hidden_size, self.text.num_hidden_layers, self.vision.hidden_sizes
        )
    }

    fn image_side(&self) -> usize {
        self.decoder.image_size
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        let mut config = self.clone();
        config.decoder.image_size = side;
        config.validate()?;
        Ok(Arc::new(config))
    }

    fn default_axes(&self) -> Axes {
        Axes::Xy
    }

    fn text(&self) -> Option<TextInput> {
        Some(TextInput { token_limit: self.token_limit, vocabulary_size: self.text.vocab_size })
    }

    fn stages(&self) -> Vec<StageShape> {
        let shape = |index| StageShape { grid: self.stage_grid(index), channels: self.stage_channels(index) / 2 };
        (0..self.stage_count()).map(shape).collect()
    }

    fn cost(&self) -> Cost {
        Cost {
            operations: cost::operations(self),
            kept: cost::kept(self),
            value_bytes: 2.6,
            text: cost::text(self),
        }
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(HiMix::new(self, device)?))
    }

    fn with_overrides(&self, overrides: &Overrides) -> Option<Arc<dyn Network>> {
        Some(Arc::new(Self::with_overrides(self, overrides)))
    }

    fn ablation(
        &self,
        variant: Ablation,
        clusters: Option<Vec<Vec<usize>>>,
    ) -> Result<Arc<dyn Network>, ConfigError> {
        Ok(Arc::new(Self::ablation(self, variant, clusters)?))
    }
}
