//! TransUNet (R50-ViT-B/16): a ResNet and a transformer encode the image, a decoder of convolutions with three skip
//! connections makes the mask. It reads no text.
//!
//! Chen et al.: "TransUNet: Transformers Make Strong Encoders for Medical Image Segmentation", 2021.

pub mod config;
mod cost;
mod keys;
pub mod model;
mod prepared;
mod resnet;
mod vit;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::input::{InputForm, Range};
use crate::model::config::ConfigError;
use crate::model::network::{Cost, Model, Network, StageShape};
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::TransUNetConfig;
pub use model::TransUNet;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "transunet";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: TransUNetConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for TransUNetConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!(
            "TransUNet, ResNet {} wide with {:?} units, transformer {} wide with {} layers, {} pixels",
            self.resnet.width, self.resnet.units, self.hidden_size, self.layers, self.image_size
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

    /// The authors' images are in [0, 1]; they zoom them by cubic splines, for which this is a substitute.
    fn default_input(&self) -> InputForm {
        InputForm { range: Range::Unit, ..InputForm::default() }
    }

    fn stages(&self) -> Vec<StageShape> {
        self.levels().collect()
    }

    fn cost(&self) -> Cost {
        cost::cost(self)
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(TransUNet::new(self, device)?))
    }
}
