//! GuideDecoder: every decoder stage attends to the last layer of the text encoder.
//!
//! Zhong et al.: "Ariadne's Thread: Using Text Prompts to Improve Segmentation of Infected Areas from Chest X-ray
//! Images", MICCAI 2023.

pub mod config;
pub mod decoder;
mod keys;
pub mod model;
pub mod prepared;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::model::blocks::cost;
use crate::model::config::{Axes, ConfigError};
use crate::model::network::{Cost, Model, Network, StageShape, TextInput};
use crate::model::overrides::Overrides;
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::GuideDecoderConfig;
use config::STAGES;
pub use model::GuideDecoder;
pub use prepared::Prepared;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "guidedecoder";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: GuideDecoderConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for GuideDecoderConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!(
            "GuideDecoder; text {} wide, {} layers; vision {:?}",
            self.text.hidden_size, self.text.num_hidden_layers, self.vision.hidden_sizes
        )
    }

    fn image_side(&self) -> usize {
        self.image_size
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        let config = self.of_side(side);
        config.validate()?;
        Ok(Arc::new(config))
    }

    fn default_axes(&self) -> Axes {
        Axes::Xy
    }

    fn text(&self) -> Option<TextInput> {
        Some(TextInput { token_limit: self.decoder.input_text_length, vocabulary_size: self.text.vocab_size })
    }

    fn stages(&self) -> Vec<StageShape> {
        let shape = |index| StageShape { grid: self.stage_grid(index), channels: self.stage_channels(index) / 2 };
        (0..STAGES).map(shape).collect()
    }

    fn cost(&self) -> Cost {
        let tokens = self.decoder.input_text_length;
        let parts = [
            cost::vision(&self.vision.encoder(), self.image_size),
            cost::head(self.vision.hidden_sizes[0], self.image_size),
        ];
        let stages = (0..STAGES).map(|stage| {
            let (n, c) = (self.stage_grid(stage) as f64, self.stage_channels(stage) as f64);
            let (grid, fine) = (n * n, 4.0 * n * n);
            let attention = grid * (6.0 * c * c + 2.0 * grid * c);
            let up = grid * 2.0 * c * c + fine * 9.0 * (c * c / 2.0 + c * c / 4.0);
            (2.0 * (attention + up), grid * c * 34.0 + fine * c * 12.0)
        });
        let (operations, kept) = stages.chain(parts).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let text = cost::text(&self.text, tokens);
        let operations = operations + cost::text_operations(&self.text, tokens);
        Cost { operations, kept: kept + text.kept, value_bytes: 2.6, text }
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(GuideDecoder::new(self, device)?))
    }

    fn with_overrides(&self, overrides: &Overrides) -> Option<Arc<dyn Network>> {
        let mut config = self.clone();
        let texts = overrides.layer_weights();
        config.decoder.without_text =
            (0..STAGES).filter(|stage| texts[*stage].is_empty()).map(|stage| self.stage_grid(stage)).collect();
        Some(Arc::new(config))
    }
}
