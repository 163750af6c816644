//! MedSAM: the segment-anything model (SAM, ViT-B) trained on medical images, prompted by a box.
//!
//! Ma, He, Li, Han, You, Wang: "Segment anything in medical images", Nature Communications 15, 2024. Kirillov et al.:
//! "Segment Anything", ICCV 2023.

pub mod config;
mod cost;
pub mod image_encoder;
mod keys;
pub mod mask_decoder;
pub mod model;
mod positions;
pub mod prepared;
pub mod prompt_encoder;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::input::{InputForm, Range, Resize};
use crate::model::config::ConfigError;
use crate::model::network::{Cost, Model, Network, TextCost};
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::MedSamConfig;
pub use model::MedSam;
pub use prepared::Prepared;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "medsam";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: MedSamConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for MedSamConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!(
            "{} pixels; image encoder {} wide, {} blocks; decoder {} wide",
            self.image_size, self.image_encoder.embed_dim, self.image_encoder.depth, self.mask_decoder.dim
        )
    }

    fn image_side(&self) -> usize {
        self.image_size
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        let config = Self { image_size: side, ..self.clone() };
        config.validate()?;
        Ok(Arc::new(config))
    }

    fn default_input(&self) -> InputForm {
        InputForm { range: Range::MinMax, resize: Resize::CubicAntialiased, ..InputForm::default() }
    }

    fn takes_box(&self) -> bool {
        true
    }

    fn cost(&self) -> Cost {
        Cost {
            operations: cost::operations(self),
            kept: cost::kept(self),
            value_bytes: 3.0,
            text: TextCost::default(),
        }
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(MedSam::new(self, device)?))
    }
}
