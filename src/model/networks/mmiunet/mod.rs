//! MMI-UNet: image and text attend to each other after every stage of the vision encoder.
//!
//! Bui et al.: "Visual-Textual Matching Attention for Lesion Segmentation in Chest Images", MICCAI 2024 (`MMIUNet_V2` in
//! the authors' code).

pub mod bridger;
pub mod config;
mod keys;
pub mod model;
pub mod prepared;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::model::blocks::cost;
use crate::model::config::{Axes, ConfigError};
use crate::model::network::{Cost, Model, Network, StageShape, TextInput};
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::MmiUnetConfig;
use config::{LEVELS, STAGES};
pub use model::MmiUnet;
pub use prepared::Prepared;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "mmiunet";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: MmiUnetConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for MmiUnetConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!(
            "MMI-UNet; text {} wide, {} layers; vision {:?}",
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
        Some(TextInput { token_limit: self.input_text_length, vocabulary_size: self.text.vocab_size })
    }

    fn stages(&self) -> Vec<StageShape> {
        let shape = |index| StageShape { grid: self.stage_grid(index), channels: self.stage_channels(index) / 2 };
        (0..STAGES).map(shape).collect()
    }

    fn cost(&self) -> Cost {
        let tokens = self.input_text_length as f64;
        let encoder = cost::vision(&self.vision.encoder(), self.image_size);
        let head = cost::head(self.vision.hidden_sizes[0], self.image_size);
        let (hidden, wide) = (self.text.hidden_size as f64, self.bridger.feed_forward as f64);
        let bridgers = (0..LEVELS).map(|level| {
            let (c, n) = (self.vision.hidden_sizes[level] as f64, (self.grid(level) / 2) as f64);
            let (cells, heads) = (n * n, self.bridger.heads as f64);
            let interactor =
                |rows: f64, others: f64| rows * (8.0 * c * c + 2.0 * c * wide) + 2.0 * rows * c * (rows + others);
            let both = interactor(cells, tokens) + interactor(tokens, cells);
            let zooms = 2.0 * cells * 4.0 * c * c;
            // With dropout in training, the weights of the attentions are kept.
            let maps = heads * 3.0 * (cells * (cells + tokens) + tokens * (tokens + cells));
            let kept = (cells + tokens) * (16.0 * c + 3.0 * wide) + 8.0 * cells * c + 2.0 * tokens * hidden + maps;
            (2.0 * (both + zooms + 2.0 * tokens * hidden * c), kept)
        });
        let stages = (0..STAGES).map(|stage| {
            let (n, c) = (self.stage_grid(stage) as f64, self.stage_channels(stage) as f64);
            let (grid, fine) = (n * n, 4.0 * n * n);
            (2.0 * (grid * 2.0 * c * c + fine * 9.0 * c * c / 2.0), grid * c + fine * c * 4.0)
        });
        let parts = bridgers.chain(stages).chain([encoder, head]);
        let (operations, kept) = parts.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let text = cost::text(&self.text, self.input_text_length);
        let of_text = cost::text_operations(&self.text, self.input_text_length);
        Cost { operations: operations + of_text, kept: kept + text.kept, value_bytes: 5.6, text }
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(MmiUnet::new(self, device)?))
    }
}
