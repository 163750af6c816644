//! The vision encoder for one image at a time, channels-last.

use burn::tensor::{Tensor, TensorData};

use super::conv::weight_and_bias;
use super::{Affine, PreparedNorm};
use crate::model::Target;
use crate::model::blocks::vision_encoder::{Block, Downsample, VisionEncoder};
use crate::model::cpu::{self, Activation};
use crate::model::gpu::{self, Operand};
use crate::model::layers::Conv2d;
use crate::model::network::Features;
use crate::model::remote::permuted;

/// The vision encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedVision {
    stem: Patches,
    stem_norm: PreparedNorm,
    stages: Vec<PreparedStage>,
}

#[derive(Debug)]
struct PreparedStage {
    reduction: Option<(PreparedNorm, Patches)>,
    blocks: Vec<PreparedBlock>,
}

/// A convolution whose stride equals its kernel size, computed as a linear layer over patches.
#[derive(Debug)]
pub struct Patches {
    layer: Affine,
    side: usize,
}

impl Patches {
    /// Rearranges the weights to the order of a patch's values: rows, columns, channels.
    pub fn of(conv: Conv2d, target: &Target) -> Self {
        let (weight, bias) = weight_and_bias(conv);
        let [output, input, side, _] = weight.dims();
        let weight = permuted(weight, [0, 2, 3, 1]).reshape([output, side * side * input]);
        Self { layer: Affine::new(weight, bias, target), side }
    }

    /// Maps `[n², in]` to `[⌊n/side⌋², out]`. Rows and columns at the end that fill no patch are left out.
    pub fn forward(&self, x: impl Into<Operand>, n: usize) -> Tensor<2> {
        let x = x.into();
        let [_, channels] = x.dims();
        let (side, m) = (self.side, n / self.side);
        let patches = x.rearranged(|x| {
            let x = if m * side < n {
                let used = x.reshape([n, n, channels]).slice([0..m * side, 0..m * side, 0..channels]);
                used.reshape([m * side * m * side, channels])
            } else {
                x
            };
            let patches = x.reshape([m, side, m, side * channels]).swap_dims(1, 2);
            patches.reshape([m * m, side * side * channels])
        });
        self.layer.forward(patches, Activation::None)
    }
}

#[derive(Debug)]
struct PreparedBlock {
    depthwise: Depthwise,
    norm: PreparedNorm,
    wide: Affine,
    /// The narrowing layer, multiplied by the layer scale.
    narrow: Affine,
}

/// A depthwise 7×7 convolution with its weight, `[49, C]`, and bias, `[C]`.
#[derive(Debug)]
enum Depthwise {
    /// In the memory of this process.
    Plain { weight: Vec<f32>, bias: Vec<f32> },
    /// On the GPU; the bias is `[1, C]`.
    Gpu { weight: Box<Tensor<2>>, bias: Box<Tensor<2>> },
}

impl Depthwise {
    fn of(conv: &Conv2d, target: &Target) -> Self {
        let weight = conv.weight.val();
        let [channels, _, kernel, _] = weight.dims();
        let bias: Tensor<1> =
            conv.bias.as_ref().map_or_else(|| Tensor::zeros([channels], &weight.device()), |bias| bias.val());
        let weight = weight.reshape([channels, kernel * kernel]).transpose().into_data();
        if gpu::accepts(&target.device) {
            // From its values, the weight is in the order of the kernel instead of being copied for every image.
            let weight = Tensor::from_data(weight, &target.device);
            Self::Gpu { weight: Box::new(weight), bias: Box::new(bias.unsqueeze().to_device(&target.device)) }
        } else {
            let values = |data: TensorData| data.iter().collect();
            Self::Plain { weight: values(weight), bias: values(bias.into_data()) }
        }
    }

    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        match self {
            Self::Plain { weight, bias } => cpu::depthwise7(x, n, weight, bias),
            Self::Gpu { weight, bias } => gpu::depthwise7(x, n, weight, bias),
        }
    }
}

impl PreparedBlock {
    fn of(block: Block, target: &Target) -> Self {
        let scale = block.layer_scale_parameter.into_value();
        Self {
            depthwise: Depthwise::of(&block.dwconv, target),
            norm: PreparedNorm::of(block.layernorm, target),
            wide: Affine::of(block.pwconv1, target),
            narrow: Affine::scaled(block.pwconv2, scale, target),
        }
    }

    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        let y = self.norm.forward_to_product(self.depthwise.forward(x.clone(), n));
        let y = self.wide.forward_to_product(y, Activation::Gelu);
        self.narrow.forward_onto(y, x)
    }
}

impl PreparedVision {
    /// Takes over the weights of the encoder for `device`. On the CPU they are rearranged, layer by layer.
    pub fn of(vision: VisionEncoder, target: &Target) -> Self {
        let reduction = |downsample: Downsample| {
            (PreparedNorm::of(downsample.norm, target), Patches::of(downsample.conv, target))
        };
        Self {
            stem: Patches::of(vision.embeddings.patch_embeddings, target),
            stem_norm: PreparedNorm::of(vision.embeddings.layernorm, target),
            stages: vision
                .stages
                .into_iter()
                .map(|stage| PreparedStage {
                    reduction: stage.downsample.map(reduction),
                    blocks: stage.blocks.into_iter().map(|block| PreparedBlock::of(block, target)).collect(),
                })
                .collect(),
        }
    }

    /// Maps an image `[1, 3, side, side]` to the outputs of the four stages, fine to coarse.
    pub fn forward(&self, image: Tensor<4>) -> Features {
        let (mut x, mut n) = self.stem(image);
        let mut features = Vec::with_capacity(self.stages.len());
        for index in 0..self.stages.len() {
            (x, n) = self.stage(index, x, n);
            features.push(x.clone());
        }
        features
    }

    /// Maps an image `[1, 3, side, side]` to the output of the stem, `[n², C]`, and n.
    pub fn stem(&self, image: Tensor<4>) -> (Tensor<2>, usize) {
        let [_, channels, side, _] = image.dims();
        let pixels = image.reshape([channels, side * side]).transpose();
        (self.stem_norm.forward(self.stem.forward(pixels, side), None), side / self.stem.side)
    }

    /// Maps the output of the stage before `index` (of the stem for the first one), `[n², C]`, to that of the stage, and
    /// returns the side length of its grid, too.
    pub fn stage(&self, index: usize, mut x: Tensor<2>, mut n: usize) -> (Tensor<2>, usize) {
        let stage = &self.stages[index];
        if let Some((norm, patches)) = &stage.reduction {
            x = patches.forward(norm.forward_to_product(x), n);
            n /= patches.side;
        }
        (stage.blocks.iter().fold(x, |x, block| block.forward(x, n)), n)
    }
}
