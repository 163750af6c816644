//! The part of SAM's prompt encoder that a box needs.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::MedSamConfig;
use super::positions;
use crate::model::blocks::text_encoder::Table;

/// The frequencies of the positions.
#[derive(Module, Debug)]
pub struct Frequencies {
    /// Drawn once from a normal distribution and stored with the weights, `[2, channels / 2]`.
    pub positional_encoding_gaussian_matrix: Param<Tensor<2>>,
}

/// The prompt encoder. It is never trained.
#[derive(Module, Debug)]
pub struct PromptEncoder {
    /// The frequencies of the positions.
    pub pe_layer: Frequencies,
    /// What is added to the first corner of a box, `[1, channels]`.
    pub first_corner: Table,
    /// What is added to the second corner.
    pub second_corner: Table,
    /// What is added to the image where there is no mask as a prompt.
    pub no_mask_embed: Table,
    image_size: usize,
    grid: usize,
}

impl PromptEncoder {
    /// Creates an encoder with random weights.
    pub fn new(config: &MedSamConfig, device: &Device) -> Self {
        let channels = config.prompt_encoder.embed_dim;
        let normal = Initializer::Normal { mean: 0.0, std: 1.0 };
        let table = || Table { weight: normal.init([1, channels], device) };
        Self {
            pe_layer: Frequencies { positional_encoding_gaussian_matrix: normal.init([2, channels / 2], device) },
            first_corner: table(),
            second_corner: table(),
            no_mask_embed: table(),
            image_size: config.image_size,
            grid: config.grid(),
        }
    }

    /// Maps boxes `[batch, 4]` in pixels of the input, as (left, top, right, bottom), to two tokens each, `[batch, 2,
    /// channels]`.
    pub fn corners(&self, boxes: Tensor<2>) -> Tensor<3> {
        let [batch, _] = boxes.dims();
        let places = (boxes.reshape([2 * batch, 2]) + 0.5) / self.image_size as f64;
        let sines = positions::sines(places, self.pe_layer.positional_encoding_gaussian_matrix.val());
        let [_, channels] = sines.dims();
        let kinds = Tensor::cat(vec![self.first_corner.weight.val(), self.second_corner.weight.val()], 0);
        sines.reshape([batch, 2, channels]) + kinds.unsqueeze::<3>()
    }

    /// The positions of the grid, `[n², channels]`.
    pub fn grid_positions(&self) -> Tensor<2> {
        let frequencies = self.pe_layer.positional_encoding_gaussian_matrix.val();
        positions::sines(positions::centres(self.grid, &frequencies.device()), frequencies)
    }
}
