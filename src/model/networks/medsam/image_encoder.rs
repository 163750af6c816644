//! The image encoder of SAM: a vision transformer whose blocks attend within windows or to the whole grid, with
//! decomposed relative positions, and a neck.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::MedSamConfig;
use super::positions;
use crate::model::layers::{
    Conv2d, ConvShape, LayerNorm, Linear, attend, gelu, to_channels_first, to_channels_last,
};
use crate::model::trace::Trace;

/// The convolution from pixels to patches.
#[derive(Module, Debug)]
pub struct PatchEmbed {
    /// Kernel and stride are the side length of a patch.
    pub proj: Conv2d,
}

/// Self-attention with relative positions.
#[derive(Module, Debug)]
pub struct GridAttention {
    /// The stacked projections to query, key and value.
    pub qkv: Linear,
    /// The output projection.
    pub proj: Linear,
    /// The vectors of the vertical distances, `[2 span − 1, head size]`, from the key below the query to the key above it.
    pub rel_pos_h: Param<Tensor<2>>,
    /// The vectors of the horizontal distances, `[2 span − 1, head size]`.
    pub rel_pos_w: Param<Tensor<2>>,
    heads: usize,
    span: usize,
}

impl GridAttention {
    fn new(config: &MedSamConfig, index: usize, device: &Device) -> Self {
        let (channels, heads) = (config.image_encoder.embed_dim, config.image_encoder.heads);
        let span = config.span(index);
        let table = || Initializer::Zeros.init([2 * span - 1, channels / heads], device);
        Self {
            qkv: Linear::new(channels, 3 * channels, device),
            proj: Linear::new(channels, channels, device),
            rel_pos_h: table(),
            rel_pos_w: table(),
            heads,
            span,
        }
    }

    /// The side length of the part of the grid that the attention sees.
    pub fn span(&self) -> usize {
        self.span
    }

    /// The number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Maps `[batch, span², channels]` to the same shape.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [_, _, channels] = x.dims();
        let projected = self.qkv.forward(x);
        let part = |index: usize| projected.clone().narrow(2, index * channels, channels);
        let tables = [self.rel_pos_h.val(), self.rel_pos_w.val()];
        let [query, key, value] = positions::augmented([part(0), part(1), part(2)], tables, self.heads, self.span);
        let mixed = attend(query, key, value, self.heads, None);
        self.proj.forward(positions::reduced(mixed, self.heads, channels))
    }
}

/// The MLP of a block.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The layer that widens.
    pub lin1: Linear,
    /// The layer that narrows.
    pub lin2: Linear,
}

/// A block of the transformer.
#[derive(Module, Debug)]
pub struct Block {
    /// The norm before the attention.
    pub norm1: LayerNorm,
    /// The attention.
    pub attn: GridAttention,
    /// The norm before the MLP.
    pub norm2: LayerNorm,
    /// The MLP, with the exact GELU.
    pub mlp: Mlp,
}

impl Block {
    fn new(config: &MedSamConfig, index: usize, device: &Device) -> Self {
        let (channels, eps) = (config.image_encoder.embed_dim, config.image_encoder.layer_norm_eps);
        let wide = channels * config.image_encoder.mlp_ratio;
        Self {
            norm1: LayerNorm::new(channels, eps, device),
            attn: GridAttention::new(config, index, device),
            norm2: LayerNorm::new(channels, eps, device),
            mlp: Mlp { lin1: Linear::new(channels, wide, device), lin2: Linear::new(wide, channels, device) },
        }
    }

    /// Maps `[batch, n, n, channels]` to the same shape.
    fn forward(&self, x: Tensor<4>, name: &str, trace: &mut Trace) -> Tensor<4> {
        let [batch, grid, _, channels] = x.dims();
        let span = self.attn.span;
        let y = self.norm1.forward(x.clone());
        let attended = if span == grid {
            let y = self.attn.forward(y.reshape([batch, grid * grid, channels])).reshape(x.dims());
            trace.record(format!("{name}.attention"), &y);
            y
        } else {
            let windows = windows(y, span);
            let [count, ..] = windows.dims();
            let y = self.attn.forward(windows);
            if trace.is_on() {
                let first = y.clone().narrow(0, 0, count / batch).reshape([count / batch, span, span, channels]);
                trace.record(format!("{name}.attention_windows"), &first);
            }
            grid_of(y, span, [batch, grid])
        };
        let x = x + attended;
        let wide = gelu(self.mlp.lin1.forward(self.norm2.forward(x.clone())));
        let x = x + self.mlp.lin2.forward(wide);
        trace.record(name, &x);
        x
    }
}

/// Divides `[batch, n, n, channels]` into windows, `[windows, span², channels]`, by image, row and column. Zeros are added at
/// the bottom and on the right until the windows fill the grid.
pub fn windows(x: Tensor<4>, span: usize) -> Tensor<3> {
    let [batch, grid, _, channels] = x.dims();
    let count = grid.div_ceil(span);
    let wide = count * span;
    let x = if wide > grid {
        let padded = Tensor::<4>::zeros([batch, wide, wide, channels], &x.device());
        padded.slice_assign([0..batch, 0..grid, 0..grid, 0..channels], x)
    } else {
        x
    };
    x.reshape([batch, count, span, count, span * channels]).swap_dims(2, 3).reshape([
        batch * count * count,
        span * span,
        channels,
    ])
}

/// Puts windows together to `[batch, n, n, channels]` and leaves out what [`windows`] added.
pub fn grid_of(windows: Tensor<3>, span: usize, [batch, grid]: [usize; 2]) -> Tensor<4> {
    let [_, _, channels] = windows.dims();
    let count = grid.div_ceil(span);
    let wide = count * span;
    let x = windows.reshape([batch, count, count, span, span * channels]).swap_dims(2, 3);
    x.reshape([batch, wide, wide, channels]).slice([0..batch, 0..grid, 0..grid, 0..channels])
}

/// The convolutions after the blocks, each with a norm over the channels.
#[derive(Module, Debug)]
pub struct Neck {
    /// The 1×1 convolution, without a bias.
    pub conv1: Conv2d,
    /// The norm after it.
    pub norm1: LayerNorm,
    /// The 3×3 convolution, without a bias.
    pub conv2: Conv2d,
    /// The norm after it.
    pub norm2: LayerNorm,
}

/// The image encoder.
#[derive(Module, Debug)]
pub struct ImageEncoder {
    /// The convolution from pixels to patches.
    pub patch_embed: PatchEmbed,
    /// What is added to the patches at each position, `[1, n, n, channels]`.
    pub pos_embed: Param<Tensor<4>>,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The neck.
    pub neck: Neck,
}

impl ImageEncoder {
    /// Creates an encoder with random weights.
    pub fn new(config: &MedSamConfig, device: &Device) -> Self {
        let sizes = &config.image_encoder;
        let (patch, grid) = (config.patch_size, config.grid());
        let (channels, output) = (sizes.embed_dim, sizes.out_channels);
        let shape = |input, output, kernel, stride, padding| ConvShape {
            input,
            output,
            kernel,
            stride,
            padding,
            groups: 1,
        };
        Self {
            patch_embed: PatchEmbed { proj: Conv2d::new(shape(3, channels, patch, patch, 0), true, device) },
            pos_embed: Initializer::Zeros.init([1, grid, grid, channels], device),
            blocks: (0..sizes.depth).map(|index| Block::new(config, index, device)).collect(),
            neck: Neck {
                conv1: Conv2d::new(shape(channels, output, 1, 1, 0), false, device),
                norm1: LayerNorm::new(output, sizes.channel_norm_eps, device),
                conv2: Conv2d::new(shape(output, output, 3, 1, 1), false, device),
                norm2: LayerNorm::new(output, sizes.channel_norm_eps, device),
            },
        }
    }

    /// Maps images `[batch, 3, side, side]` to their embedding, `[batch, channels, n, n]`.
    pub fn forward(&self, image: Tensor<4>, trace: &mut Trace) -> Tensor<4> {
        let patches = to_channels_last(self.patch_embed.proj.forward(image));
        trace.record("patches", &patches);
        let mut x = patches + self.pos_embed.val();
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, &format!("block{index}"), trace);
        }
        let neck = &self.neck;
        let x = to_channels_last(neck.conv1.forward(to_channels_first(x)));
        let x = neck.conv2.forward(to_channels_first(neck.norm1.forward(x)));
        let x = to_channels_first(neck.norm2.forward(to_channels_last(x)));
        trace.record("image_embedding", &x);
        x
    }
}
