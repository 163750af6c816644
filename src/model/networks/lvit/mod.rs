//! LViT: a convolutional U-shape and a U-shape of transformers side by side. The vectors of the first ten words of a prompt
//! are added to the patches of the first level, and that is the only place where the text enters.
//!
//! Li et al.: "LViT: Language meets Vision Transformer in Medical Image Segmentation", TMI 2023.

mod attribution;
pub mod config;
mod cost;
mod keys;
pub mod model;
mod prepared;
#[cfg(test)]
mod tests;
mod vit;
mod words;

use std::sync::Arc;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::input::{Channels, InputForm, MaskResize, Range, Resize};
use crate::model::config::ConfigError;
use crate::model::network::{Cost, Model, Network, StageShape, TextInput, VectorInput};
use crate::model::registry::{Entry, sizes_of, to_sizes};
pub use config::LViTConfig;
pub use model::LViT;

/// The registry entry: the network's tag in a bundle and the function that reads its sizes.
pub const ENTRY: Entry = Entry { name: NAME, read };

const NAME: &str = "lvit";

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    let config: LViTConfig = sizes_of(sizes)?;
    config.validate()?;
    Ok(Arc::new(config))
}

impl Network for LViTConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        let text = match &self.text_encoder {
            None => "word vectors from a file",
            Some(encoder) if encoder.kind == config::WordEncoderKind::BertBase => "word vectors of BERT-base",
            Some(_) => "word vectors of a text encoder that is not the authors'",
        };
        format!("LViT, {} channels in the first level, {} pixels, {text}", self.base_channels, self.image_size)
    }

    fn image_side(&self) -> usize {
        self.image_size
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        let config = self.of_side(side);
        config.validate()?;
        Ok(Arc::new(config))
    }

    /// The authors read images with OpenCV, and enlarge masks bilinearly.
    fn default_input(&self) -> InputForm {
        InputForm {
            range: Range::Unit,
            channels: Channels::Bgr,
            resize: Resize::OpencvBilinear,
            mask: MaskResize::BilinearAny,
        }
    }

    fn text(&self) -> Option<TextInput> {
        let encoder = self.text_encoder.as_ref()?;
        Some(TextInput { token_limit: encoder.token_limit, vocabulary_size: encoder.sizes.vocab_size })
    }

    fn vectors(&self) -> Option<VectorInput> {
        Some(VectorInput { words: self.text_tokens, size: self.text_size })
    }

    fn stages(&self) -> Vec<StageShape> {
        self.decoder().collect()
    }

    fn cost(&self) -> Cost {
        cost::cost(self)
    }

    fn is_divisible(&self) -> bool {
        true
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        Ok(Box::new(LViT::new(self, device)?))
    }
}
