//! The image encoder, for one image at a time.

use burn::tensor::Tensor;

use super::super::config::MedSamConfig;
use super::super::image_encoder::{Block, ImageEncoder, grid_of, windows};
use super::super::positions;
use crate::model::Target;
use crate::model::cpu::Activation;
use crate::model::layers::attend;
use crate::model::prepared::{Affine, Conv3, PreparedNorm, weight_and_bias};
use crate::model::remote::permuted;

/// The image encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedEncoder {
    patch: usize,
    grid: usize,
    /// The convolution from pixels to patches as a product.
    patches: Affine,
    /// What is added to the patches, `[n², channels]`.
    positions: Tensor<2>,
    blocks: Vec<PreparedBlock>,
    reduce: Affine,
    norm1: PreparedNorm,
    convolve: Conv3,
    /// The last norm, with the embedding of an absent mask added to its offset.
    norm2: PreparedNorm,
}

/// A block, prepared for prediction.
#[derive(Debug)]
struct PreparedBlock {
    norm1: PreparedNorm,
    qkv: Affine,
    proj: Affine,
    tables: [Tensor<2>; 2],
    norm2: PreparedNorm,
    wide: Affine,
    narrow: Affine,
    heads: usize,
    span: usize,
}

impl PreparedBlock {
    fn of(block: Block, target: &Target) -> Self {
        let (heads, span) = (block.attn.heads(), block.attn.span());
        let attn = block.attn;
        Self {
            norm1: PreparedNorm::of(block.norm1, target),
            qkv: Affine::of(attn.qkv, target),
            proj: Affine::of(attn.proj, target),
            tables: [attn.rel_pos_h, attn.rel_pos_w].map(|table| table.into_value().to_device(&target.device)),
            norm2: PreparedNorm::of(block.norm2, target),
            wide: Affine::of(block.mlp.lin1, target),
            narrow: Affine::of(block.mlp.lin2, target),
            heads,
            span,
        }
    }

    /// Maps `[n², channels]` to the same shape.
    fn forward(&self, x: Tensor<2>, grid: usize) -> Tensor<2> {
        let [rows, channels] = x.dims();
        let y = self.norm1.forward_to_product(x.clone());
        let (mut count, mut length) = (1, rows);
        let y = y.rearranged(|y| {
            if self.span < grid {
                let y = windows(y.reshape([1, grid, grid, channels]), self.span);
                [count, length, _] = y.dims();
                y.reshape([count * length, channels])
            } else {
                y
            }
        });
        let projected = self.qkv.forward(y, Activation::None);
        let part = |index: usize| {
            projected.clone().narrow(1, index * channels, channels).reshape([count, length, channels])
        };
        let parts = [part(0), part(1), part(2)];
        let [query, key, value] = positions::augmented(parts, self.tables.clone(), self.heads, self.span);
        let mixed = positions::reduced(attend(query, key, value, self.heads, None), self.heads, channels);
        // What fills up the windows is left out before the projection, not after it.
        let mixed = if self.span == grid {
            mixed.squeeze_dim(0)
        } else {
            grid_of(mixed, self.span, [1, grid]).reshape([rows, channels])
        };
        let x = self.proj.forward_onto(mixed, x);
        let wide = self.wide.forward_to_product(self.norm2.forward_to_product(x.clone()), Activation::Gelu);
        self.narrow.forward_onto(wide, x)
    }
}

impl PreparedEncoder {
    /// Takes over the weights for `device`. `no_mask`, `[1, channels]`, is added to the embedding of every image.
    pub fn of(encoder: ImageEncoder, config: &MedSamConfig, no_mask: Tensor<2>, target: &Target) -> Self {
        let grid = config.grid();
        let (weight, bias) = weight_and_bias(encoder.patch_embed.proj);
        let [output, input, patch, _] = weight.dims();
        let mut neck = encoder.neck;
        neck.norm2.bias = neck.norm2.bias.map(|bias| bias + no_mask.reshape([-1]));
        let (convolve, none) = weight_and_bias(neck.conv2);
        Self {
            patch,
            grid,
            patches: Affine::new(weight.reshape([output, input * patch * patch]), bias, target),
            positions: encoder.pos_embed.into_value().reshape([grid * grid, output]).to_device(&target.device),
            blocks: encoder.blocks.into_iter().map(|block| PreparedBlock::of(block, target)).collect(),
            reduce: Affine::of_pixels(weight_and_bias(neck.conv1), target),
            norm1: PreparedNorm::of(neck.norm1, target),
            convolve: Conv3::new(convolve, none, target),
            norm2: PreparedNorm::of(neck.norm2, target),
        }
    }

    /// Maps an image `[1, 3, side, side]` to its embedding plus that of an absent mask, `[n², channels]`.
    pub fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let (grid, patch) = (self.grid, self.patch);
        let [_, input, _, _] = image.dims();
        // The pixels of a patch in a row, by channel, row and column.
        let pixels = permuted(image.reshape([input, grid, patch, grid, patch]), [1, 3, 0, 2, 4]);
        let pixels = pixels.reshape([grid * grid, input * patch * patch]);
        let x = self.patches.forward_onto(pixels, self.positions.clone());
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x, grid));
        let x = self.norm1.forward(self.reduce.forward(x, Activation::None), None);
        self.norm2.forward(self.convolve.forward(x, grid, Activation::None), None)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn windows_are_the_parts_of_the_grid_and_come_back() {
        let device = burn::tensor::Device::flex();
        let x = Tensor::<4>::random([2, 5, 5, 3], Distribution::Default, &device);
        let parts = windows(x.clone(), 3);
        assert_eq!(parts.dims(), [8, 9, 3]);
        // The last window of the second image has four positions of the grid and zeros.
        let last = parts.clone().narrow(0, 7, 1).reshape([3, 3, 3]);
        let of_grid = x.clone().slice([1..2, 3..5, 3..5, 0..3]).reshape([2, 2, 3]);
        let apart = (last.clone().slice([0..2, 0..2]) - of_grid).abs().max().into_scalar::<f32>();
        assert_eq!(apart, 0.0);
        assert_eq!(last.slice([2..3]).abs().max().into_scalar::<f32>(), 0.0);
        let back = grid_of(parts, 3, [2, 5]);
        assert_eq!((back - x).abs().max().into_scalar::<f32>(), 0.0);
    }
}
