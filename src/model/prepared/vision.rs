//! The vision encoder for one image at a time, channels-last.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, module};

use super::linear::normalise;
use super::{Affine, to_planes};
use crate::model::blocks::vision_encoder::{Block, Downsample, VisionEncoder};
use crate::model::cpu::{self, Activation};
use crate::model::layers::{Conv2d, LayerNorm};
use crate::model::network::Features;

/// The vision encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedVision {
    stem: Patches,
    stem_norm: LayerNorm,
    stages: Vec<PreparedStage>,
}

#[derive(Debug)]
struct PreparedStage {
    reduction: Option<(LayerNorm, Patches)>,
    blocks: Vec<PreparedBlock>,
}

/// A convolution whose stride equals its kernel size, computed as a linear layer over patches.
#[derive(Debug)]
struct Patches {
    layer: Affine,
    side: usize,
}

impl Patches {
    /// Rearranges the weights to the order of a patch's values: rows, columns, channels.
    fn of(conv: Conv2d) -> Self {
        let weight = conv.weight.into_value();
        let [output, input, side, _] = weight.dims();
        let weight = weight.permute([0, 2, 3, 1]).reshape([output, side * side * input]);
        let bias = match conv.bias {
            Some(bias) => bias.into_value(),
            None => Tensor::zeros([output], &weight.device()),
        };
        Self { layer: Affine::new(weight, bias), side }
    }

    /// Maps `[n², in]` to `[(n/side)², out]`.
    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        let [_, channels] = x.dims();
        let (side, m) = (self.side, n / self.side);
        let patches = x.reshape([m, side, m, side * channels]).swap_dims(1, 2);
        self.layer.forward(patches.reshape([m * m, side * side * channels]), Activation::None)
    }
}

#[derive(Debug)]
struct PreparedBlock {
    depthwise: Depthwise,
    norm: LayerNorm,
    wide: Affine,
    /// The narrowing layer, multiplied by the layer scale.
    narrow: Affine,
}

#[derive(Debug)]
enum Depthwise {
    /// The weight `[49, C]` and bias `[C]` in the memory of this process.
    Plain { weight: Vec<f32>, bias: Vec<f32> },
    /// The convolution of the plain network.
    Device(Conv2d),
}

impl Depthwise {
    fn of(conv: &Conv2d) -> Self {
        let weight = conv.weight.val();
        let [channels, _, kernel, _] = weight.dims();
        match &conv.bias {
            Some(bias) if cpu::is_plain_cpu(&weight.device()) => Self::Plain {
                weight: weight.reshape([channels, kernel * kernel]).transpose().into_data().iter().collect(),
                bias: bias.val().into_data().iter().collect(),
            },
            _ => Self::Device(conv.clone()),
        }
    }

    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        match self {
            Self::Plain { weight, bias } => cpu::depthwise7(x, n, weight, bias),
            Self::Device(conv) => {
                let [_, channels] = x.dims();
                let options = ConvOptions::new([1, 1], [3, 3], [1, 1], channels);
                let bias = conv.bias.as_ref().map(|bias| bias.val());
                let y = module::conv2d(to_planes(x, n), conv.weight.val(), bias, options);
                y.reshape([channels, n * n]).transpose()
            }
        }
    }
}

impl PreparedBlock {
    fn of(block: Block) -> Self {
        let scale = block.layer_scale_parameter.into_value();
        Self {
            depthwise: Depthwise::of(&block.dwconv),
            norm: block.layernorm,
            wide: Affine::of(block.pwconv1),
            narrow: Affine::scaled(block.pwconv2, scale),
        }
    }

    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        let y = normalise(&self.norm, self.depthwise.forward(x.clone(), n));
        let y = self.wide.forward(y, Activation::Gelu);
        self.narrow.forward_onto(y, x)
    }
}

impl PreparedVision {
    /// Takes over the weights of the encoder. On the CPU they are rearranged, layer by layer.
    pub fn of(vision: VisionEncoder) -> Self {
        let reduction = |downsample: Downsample| (downsample.norm, Patches::of(downsample.conv));
        Self {
            stem: Patches::of(vision.embeddings.patch_embeddings),
            stem_norm: vision.embeddings.layernorm,
            stages: vision
                .stages
                .into_iter()
                .map(|stage| PreparedStage {
                    reduction: stage.downsample.map(reduction),
                    blocks: stage.blocks.into_iter().map(PreparedBlock::of).collect(),
                })
                .collect(),
        }
    }

    /// Maps an image `[1, 3, side, side]` to the outputs of the four stages, fine to coarse.
    pub fn forward(&self, image: Tensor<4>) -> Features {
        let [_, channels, side, _] = image.dims();
        let pixels = image.reshape([channels, side * side]).transpose();
        let mut n = side / self.stem.side;
        let mut x = normalise(&self.stem_norm, self.stem.forward(pixels, side));
        let mut features = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Some((norm, patches)) = &stage.reduction {
                x = patches.forward(normalise(norm, x), n);
                n /= patches.side;
            }
            for block in &stage.blocks {
                x = block.forward(x, n);
            }
            features.push(x.clone());
        }
        features
    }
}
