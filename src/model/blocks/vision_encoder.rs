//! ConvNeXt: a stem and four stages of blocks with depthwise convolutions.
//!
//! Liu et al., "A ConvNet for the 2020s", 2022. The outputs of the four stages are used directly, without the norm
//! after pooling that a classifier would add.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};

use serde::{Deserialize, Serialize};

use crate::model::cpu;
use crate::model::layers::{Conv2d, ConvShape, LayerNorm, Linear, gelu, to_channels_first, to_channels_last};
use crate::model::trace::Trace;

/// The sizes of the ConvNeXt vision encoder. The defaults are those of ConvNeXt-T.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisionConfig {
    /// The number of channels of the four stages.
    pub hidden_sizes: Vec<usize>,
    /// The number of blocks in the four stages.
    pub depths: Vec<usize>,
    /// The side length of a patch, which is also the stride of the stem.
    pub patch_size: usize,
    /// The value in the reference configuration. It belongs to the norm after pooling, on which the mask does not
    /// depend; the norms inside the network use 1e-6.
    pub layer_norm_eps: f64,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            hidden_sizes: vec![96, 192, 384, 768],
            depths: vec![3, 3, 9, 3],
            patch_size: 4,
            layer_norm_eps: 1e-12,
        }
    }
}

/// The epsilon of every norm inside the network.
pub const NORM_EPS: f64 = 1e-6;

/// The initial value of the layer scale, which a pretrained encoder replaces. The 1e-6 of the publication would
/// keep the blocks of a small model almost inactive for most of a short training from scratch.
const LAYER_SCALE_INIT: f64 = 0.1;

/// A ConvNeXt block: depthwise 7×7 convolution, layer norm, widening and narrowing by a factor of 4, layer scale
/// and residual connection.
#[derive(Module, Debug)]
pub struct Block {
    /// The depthwise convolution.
    pub dwconv: Conv2d,
    /// The layer norm over the channels.
    pub layernorm: LayerNorm,
    /// The linear layer from C to 4C.
    pub pwconv1: Linear,
    /// The linear layer from 4C to C.
    pub pwconv2: Linear,
    /// The layer scale, `[C]`.
    pub layer_scale_parameter: Param<Tensor<1>>,
}

impl Block {
    fn new(channels: usize, device: &Device) -> Self {
        let shape =
            ConvShape { input: channels, output: channels, kernel: 7, stride: 1, padding: 3, groups: channels };
        Self {
            dwconv: Conv2d::new(shape, true, device),
            layernorm: LayerNorm::new(channels, NORM_EPS, device),
            pwconv1: Linear::new(channels, 4 * channels, device),
            pwconv2: Linear::new(4 * channels, channels, device),
            layer_scale_parameter: Initializer::Constant { value: LAYER_SCALE_INIT }.init([channels], device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = match &self.dwconv.bias {
            Some(bias) if cpu::is_cpu(&x.device()) => {
                cpu::depthwise7_last(to_channels_last(x.clone()), self.dwconv.weight.val(), bias.val())
            }
            _ => to_channels_last(self.dwconv.forward(x.clone())),
        };
        let y = gelu(self.pwconv1.forward(self.layernorm.forward(y)));
        let y = self.pwconv2.forward(y) * self.layer_scale_parameter.val().unsqueeze::<4>();
        to_channels_first(y) + x
    }
}

/// A layer norm over the channels and a convolution whose stride equals its kernel size.
#[derive(Module, Debug)]
pub struct Downsample {
    /// The layer norm over the channels.
    pub norm: LayerNorm,
    /// A 2×2 convolution with stride 2.
    pub conv: Conv2d,
}

/// A stage: a downsampling layer (except in the first stage) and its blocks.
#[derive(Module, Debug)]
pub struct Stage {
    /// Halves the side length. It is `None` in the first stage, which follows the stem directly.
    pub downsample: Option<Downsample>,
    /// The blocks, first to last.
    pub blocks: Vec<Block>,
}

/// The stem: a convolution over patches, then a layer norm over the channels.
#[derive(Module, Debug)]
pub struct Stem {
    /// The patch convolution, whose stride equals its kernel size.
    pub patch_embeddings: Conv2d,
    /// The layer norm over the channels.
    pub layernorm: LayerNorm,
}

impl Stem {
    /// Maps an image `[batch, 3, side, side]` to `[batch, C, n, n]`.
    pub fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        channel_norm(&self.layernorm, self.patch_embeddings.forward(image))
    }
}

impl Stage {
    /// Maps the output of the stage before, or of the stem, to that of this stage.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match &self.downsample {
            Some(downsample) => downsample.conv.forward(channel_norm(&downsample.norm, x)),
            None => x,
        };
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }
}

/// The vision encoder.
#[derive(Module, Debug)]
pub struct VisionEncoder {
    /// The stem.
    pub embeddings: Stem,
    /// The stages, fine to coarse.
    pub stages: Vec<Stage>,
}

fn patch_conv(input: usize, output: usize, side: usize, device: &Device) -> Conv2d {
    Conv2d::new(ConvShape { input, output, kernel: side, stride: side, padding: 0, groups: 1 }, true, device)
}

fn channel_norm(norm: &LayerNorm, x: Tensor<4>) -> Tensor<4> {
    to_channels_first(norm.forward(to_channels_last(x)))
}

impl VisionEncoder {
    /// Creates an encoder whose random weights follow PyTorch's default initialisation.
    pub fn new(config: &VisionConfig, device: &Device) -> Self {
        let sizes = &config.hidden_sizes;
        Self {
            embeddings: Stem {
                patch_embeddings: patch_conv(3, sizes[0], config.patch_size, device),
                layernorm: LayerNorm::new(sizes[0], NORM_EPS, device),
            },
            stages: (0..sizes.len())
                .map(|index| Stage {
                    downsample: (index > 0).then(|| Downsample {
                        norm: LayerNorm::new(sizes[index - 1], NORM_EPS, device),
                        conv: patch_conv(sizes[index - 1], sizes[index], 2, device),
                    }),
                    blocks: (0..config.depths[index]).map(|_| Block::new(sizes[index], device)).collect(),
                })
                .collect(),
        }
    }

    /// Takes an image `[batch, 3, side, side]`. Returns the outputs of the four stages, fine to coarse: from
    /// `[batch, 96, 56, 56]` to `[batch, 768, 7, 7]` with the published sizes.
    pub fn forward(&self, image: Tensor<4>, trace: &mut Trace) -> Vec<Tensor<4>> {
        let mut x = self.embeddings.forward(image);
        trace.record("vision.hidden.0", &x);
        let mut features = Vec::with_capacity(self.stages.len());
        for (index, stage) in self.stages.iter().enumerate() {
            x = stage.forward(x);
            trace.record(format!("vision.hidden.{}", index + 1), &x);
            features.push(x.clone());
        }
        features
    }
}
