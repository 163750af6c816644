//! The complete network, which maps an image and a box to one logit per pixel.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::MedSamConfig;
use super::image_encoder::ImageEncoder;
use super::mask_decoder::MaskDecoder;
use super::positions::linear_matrix;
use super::prepared::Prepared;
use super::prompt_encoder::PromptEncoder;
use crate::model::Target;
use crate::model::config::ConfigError;
use crate::model::network::{Executor, Inputs, Model};
use crate::model::trace::Trace;

/// The complete network.
#[derive(Module, Debug)]
pub struct MedSam {
    /// The image encoder.
    pub image_encoder: ImageEncoder,
    /// The prompt encoder.
    pub prompt_encoder: PromptEncoder,
    /// The mask decoder.
    pub mask_decoder: MaskDecoder,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: MedSamConfig,
}

impl MedSam {
    /// Creates a network with random weights. Its prompt encoder is not trained.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &MedSamConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            image_encoder: ImageEncoder::new(config, device),
            prompt_encoder: PromptEncoder::new(config, device).no_grad(),
            mask_decoder: MaskDecoder::new(config, device),
            config: config.clone(),
        })
    }
}

/// Enlarges logits `[batch, 1, n, n]` linearly to `[batch, 1, side, side]`.
fn enlarge(logits: Tensor<4>, side: usize) -> Tensor<4> {
    let [batch, _, low, _] = logits.dims();
    let matrix = TensorData::new(linear_matrix(low, side), [side, low]);
    let matrix = Tensor::<2>::from_data(matrix, &logits.device());
    let wide = logits.reshape([batch * low, low]).matmul(matrix.clone().transpose());
    let all = matrix.unsqueeze::<3>().expand([batch, side, low]).matmul(wide.reshape([batch, low, side]));
    all.reshape([batch, 1, side, side])
}

impl Model for MedSam {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let boxes = inputs.boxes.unwrap_or_else(|| panic!("MedSAM needs a box"));
        let image = self.image_encoder.forward(inputs.image, trace);
        let prompt = self.prompt_encoder.corners(boxes);
        let positions = self.prompt_encoder.grid_positions();
        let no_mask = self.prompt_encoder.no_mask_embed.weight.val();
        let [batch, channels, grid, _] = image.dims();
        let dense = no_mask.reshape([1, channels, 1, 1]);
        if trace.is_on() {
            trace.record("prompt.sparse", &prompt);
            trace.record("prompt.dense", &dense.clone().expand([batch, channels, 1, 1]));
            trace.record("prompt.dense_pe", &positions.clone().transpose().reshape([channels, grid, grid]));
        }
        let low = self.mask_decoder.forward(image + dense, positions, prompt, trace);
        trace.record("low_res_logits", &low);
        let logits = enlarge(low, self.config.image_size);
        trace.record("logits", &logits);
        if trace.is_on() {
            trace.record("probability", &sigmoid(logits.clone()));
        }
        logits
    }

    fn prepare(self: Box<Self>, target: &Target) -> Box<dyn Executor> {
        Box::new(Prepared::new(*self, target))
    }

    fn freeze_text(self: Box<Self>) -> Box<dyn Model> {
        self
    }
}
