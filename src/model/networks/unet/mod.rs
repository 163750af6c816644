//! The U-Net that LViT's authors compare with: five levels, transposed convolutions that keep the channels, and no text.
//!
//! Ronneberger, Fischer, Brox: "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015, with the
//! sizes of Li et al.: "LViT: Language meets Vision Transformer in Medical Image Segmentation", TMI 2023.

pub mod config;
mod cost;
mod keys;
pub mod model;
mod prepared;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::input::{Channels, InputForm, MaskResize, Range, Resize};
use crate::model::config::ConfigError;
use crate::model::network::{Cost, Model, Network, StageShape};
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::UNetConfig;
pub use model::UNet;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "unet";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: UNetConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for UNetConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!("U-Net, {} channels in the first level, {} pixels", self.base_channels, self.image_size)
    }

    fn image_side(&self) -> usize {
        self.image_size
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        let config = Self { image_size: side, ..self.clone() };
        config.validate()?;
        Ok(Arc::new(config))
    }

    /// That of LViT's authors, who train this U-Net with the same loader.
    fn default_input(&self) -> InputForm {
        InputForm {
            range: Range::Unit,
            channels: Channels::Bgr,
            resize: Resize::OpencvBilinear,
            mask: MaskResize::BilinearAny,
        }
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
        Ok(Box::new(UNet::new(self, device)?))
    }
}
