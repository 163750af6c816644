//! ConvNeXt: a stem and four stages of depthwise-convolution blocks.
//!
//! Liu et al., "A ConvNet for the 2020s", 2022. The outputs of the four stages are used as they are, without
//! the pooled norm that a classifier would add.

use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};

use serde::{Deserialize, Serialize};

use crate::model::layers::{Conv2d, ConvShape, LayerNorm, Linear, to_channels_first, to_channels_last};
use crate::model::trace::Trace;

/// Sizes of the ConvNeXt vision encoder (ConvNeXt-T by default).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisionConfig {
    /// Channels of the four stages.
    pub hidden_sizes: Vec<usize>,
    /// Blocks of the four stages.
    pub depths: Vec<usize>,
    /// Side of a patch and stride of the stem.
    pub patch_size: usize,
    /// As the reference configuration carries it. It belongs to the pooled norm, which the mask does not
    /// use; the norms inside the network have 1e-6.
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

/// Epsilon of every norm inside the network.
const NORM_EPS: f64 = 1e-6;

/// Start of the layer scale. A pretrained encoder brings its own; the 1e-6 of the publication keeps the blocks
/// of a small model switched off for most of a short training from scratch.
const LAYER_SCALE_INIT: f64 = 0.1;

/// Depthwise 7×7, norm, widening and narrowing by 4, layer scale, residual.
#[derive(Module, Debug)]
pub struct Block {
    /// Depthwise convolution.
    pub dwconv: Conv2d,
    /// Channel norm.
    pub layernorm: LayerNorm,
    /// C → 4C
    pub pwconv1: Linear,
    /// 4C → C
    pub pwconv2: Linear,
    /// Layer scale, `[C]`.
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
        let y = to_channels_last(self.dwconv.forward(x.clone()));
        let y = gelu(self.pwconv1.forward(self.layernorm.forward(y)));
        let y = self.pwconv2.forward(y) * self.layer_scale_parameter.val().unsqueeze::<4>();
        to_channels_first(y) + x
    }
}

/// A norm over the channels and a convolution whose stride is its kernel.
#[derive(Module, Debug)]
pub struct Downsample {
    /// Channel norm.
    pub norm: LayerNorm,
    /// 2×2, stride 2.
    pub conv: Conv2d,
}

/// One stage: a reduction (but for the first) and its blocks.
#[derive(Module, Debug)]
pub struct Stage {
    /// Halves the side; the first stage has none, the stem has done it.
    pub downsample: Option<Downsample>,
    /// Blocks, first to last.
    pub blocks: Vec<Block>,
}

/// Stem: patches to channels, then a channel norm.
#[derive(Module, Debug)]
pub struct Stem {
    /// Patch convolution, stride = kernel.
    pub patch_embeddings: Conv2d,
    /// Channel norm.
    pub layernorm: LayerNorm,
}

/// The whole encoder.
#[derive(Module, Debug)]
pub struct VisionEncoder {
    /// Stem.
    pub embeddings: Stem,
    /// Stages, fine to coarse.
    pub stages: Vec<Stage>,
}

fn patch_conv(input: usize, output: usize, side: usize, device: &Device) -> Conv2d {
    Conv2d::new(ConvShape { input, output, kernel: side, stride: side, padding: 0, groups: 1 }, true, device)
}

fn channel_norm(norm: &LayerNorm, x: Tensor<4>) -> Tensor<4> {
    to_channels_first(norm.forward(to_channels_last(x)))
}

impl VisionEncoder {
    /// Random weights as PyTorch draws them.
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

    /// Image `[batch, 3, side, side]` → the four stages' outputs, fine to coarse: `[batch, 96, 56, 56]` …
    /// `[batch, 768, 7, 7]` in the published size.
    pub fn forward(&self, image: Tensor<4>, trace: &mut Trace) -> Vec<Tensor<4>> {
        let stem = &self.embeddings;
        let mut x = channel_norm(&stem.layernorm, stem.patch_embeddings.forward(image));
        trace.record("vision.hidden.0", &x);
        let mut features = Vec::with_capacity(self.stages.len());
        for (index, stage) in self.stages.iter().enumerate() {
            if let Some(downsample) = &stage.downsample {
                x = downsample.conv.forward(channel_norm(&downsample.norm, x));
            }
            for block in &stage.blocks {
                x = block.forward(x);
            }
            trace.record(format!("vision.hidden.{}", index + 1), &x);
            features.push(x.clone());
        }
        features
    }
}
