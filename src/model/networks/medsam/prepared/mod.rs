//! MedSAM prepared for the prediction of one image at a time: the image encoder once for an image, then a pass of the decoder
//! for each box.

mod decoder;
mod encoder;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::model::MedSam;
use super::prompt_encoder::PromptEncoder;
use crate::model::Target;
use crate::model::network::{Executor, Features, TextStates};
use decoder::PreparedDecoder;
use encoder::PreparedEncoder;

/// The network, prepared for prediction.
#[derive(Debug)]
pub struct Prepared {
    encoder: Arc<PreparedEncoder>,
    /// Where the model was: it computes two tokens, whose kernels a GPU would compile for nothing.
    prompt: Arc<PromptEncoder>,
    decoder: Arc<PreparedDecoder>,
    device: Device,
}

impl Prepared {
    /// Takes over the weights for `device`. On the CPU, they are rearranged layer by layer.
    pub fn new(model: MedSam, target: &Target) -> Self {
        let MedSam { image_encoder, prompt_encoder, mask_decoder, config } = model;
        let no_mask = prompt_encoder.no_mask_embed.weight.val();
        let positions = prompt_encoder.grid_positions();
        Self {
            encoder: Arc::new(PreparedEncoder::of(image_encoder, &config, no_mask, target)),
            decoder: Arc::new(PreparedDecoder::of(mask_decoder, &config, positions, target)),
            prompt: Arc::new(prompt_encoder),
            device: target.device.clone(),
        }
    }

    /// The logits before they are enlarged, `[1, 1, n, n]`.
    pub fn low_resolution(&self, features: &Features, prompt: &TextStates) -> Tensor<4> {
        self.decoder.low_resolution(features, prompt)
    }
}

impl Executor for Prepared {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        self.decoder.begin(self.encoder.forward(image))
    }

    fn encode_box(&self, corners: [f32; 4]) -> TextStates {
        let device = self.prompt.no_mask_embed.weight.val().device();
        let corners = Tensor::<2>::from_data(TensorData::new(corners.to_vec(), [1, 4]), &device);
        vec![self.prompt.corners(corners).to_device(&self.device)]
    }

    fn decode(&self, features: &Features, prompt: &TextStates) -> Tensor<4> {
        self.decoder.enlarge(self.decoder.low_resolution(features, prompt))
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        let Self { encoder, prompt, decoder, device } = self;
        let (encoder, prompt, decoder) = (encoder.clone(), prompt.clone(), decoder.clone());
        Some(Box::new(Self { encoder, prompt, decoder, device: device.clone() }))
    }
}
