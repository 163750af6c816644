//! LViT prepared for the prediction of one image at a time: batch norms are folded into the convolutions, and convolutions
//! are products.
//!
//! Of an image, everything is kept that the text does not reach: the encoder of the CNN, and the transformers of all
//! levels but the first on the way down. Of a prompt, its contribution to the patches is kept. What follows, the first
//! level's transformer, those on the way up and the decoder of the CNN, runs for each pair of image and prompt.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::config::{LEVELS, LViTConfig};
use super::model::{LViT, Merge, PixelAttention};
use super::vit::{Block, Conv1d, ConvNorm1d, KERNEL};
use super::words::word_vectors;
use crate::model::Target;
use crate::model::cpu::Activation;
use crate::model::network::{Decoded, DecodedStage, Executor, Features, StagedExecutor, TextStates, Tokens};
use crate::model::overrides::Overrides;
use crate::model::prepared::{
    Affine, Conv3, ConvEncoder, ImageEncoder as _, Patches, PreparedNorm, PreparedText, SelfAttention,
    factor_and_offset, fold, weight_and_bias,
};

/// The network, prepared for prediction. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Prepared {
    encoder: Option<Arc<PreparedText>>,
    net: Arc<Net>,
    /// What there is to override: nothing, in as many stages as there are levels.
    overrides: Overrides,
}

/// The weights without those of the text encoder.
#[derive(Debug)]
struct Net {
    text: Vec<Along>,
    text_to_patches: Along,
    /// The CNN on the way down.
    cnn: ConvEncoder,
    down: Vec<Down>,
    /// The transformers on the way up and what enters them from the coarser level, fine to coarse.
    up_vit: Vec<(Vec<PreparedBlock>, Option<Along>)>,
    merge: Vec<Affine>,
    /// The levels of the decoder, coarse to fine.
    up: Vec<(Attention, [Conv3; 2])>,
    last: Affine,
    config: LViTConfig,
}

#[derive(Debug)]
struct Down {
    patch: Patches,
    positions: Tensor<2>,
    blocks: Vec<PreparedBlock>,
    narrow: Option<Along>,
}

/// A convolution along the rows of `[length, in]`, as a product over each row and its neighbours.
#[derive(Debug)]
struct Along(Affine, Activation);

impl Along {
    fn of(conv: Conv1d, target: &Target) -> Self {
        Self::new(conv.weight.into_value(), conv.bias.into_value(), Activation::None, target)
    }

    fn of_norm(block: ConvNorm1d, target: &Target) -> Self {
        let (scale, offset) = factor_and_offset(&block.norm, Some(block.conv.bias.into_value()));
        let [output] = scale.dims();
        let weight = block.conv.weight.into_value() * scale.reshape([output, 1, 1]);
        Self::new(weight, offset, Activation::Relu, target)
    }

    fn new(weight: Tensor<3>, bias: Tensor<1>, activation: Activation, target: &Target) -> Self {
        let [output, input, _] = weight.dims();
        let weight = weight.swap_dims(1, 2).reshape([output, KERNEL * input]);
        Self(Affine::new(weight, bias, target), activation)
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [length, channels] = x.dims();
        let border = Tensor::<2>::zeros([1, channels], &x.device());
        let long = Tensor::cat(vec![border.clone(), x, border], 0);
        let shifted = (0..KERNEL).map(|step| long.clone().slice([step..step + length])).collect();
        self.0.forward(Tensor::cat(shifted, 1), self.1)
    }
}

#[derive(Debug)]
struct PreparedBlock {
    norm1: PreparedNorm,
    attention: SelfAttention,
    norm2: PreparedNorm,
    wide: Affine,
    narrow: Affine,
}

impl PreparedBlock {
    fn of(block: Block, target: &Target) -> Self {
        let heads = block.heads();
        let stacked = (block.qkv.weight.into_value(), block.qkv.bias.into_value());
        Self {
            norm1: PreparedNorm::of(block.norm1, target),
            attention: SelfAttention::of_stacked(stacked, block.proj, heads, None, target),
            norm2: PreparedNorm::of(block.norm2, target),
            wide: Affine::of(block.fc1, target),
            narrow: Affine::of(block.fc2, target),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mixed = self.attention.forward(self.norm1.forward_to_product(x.clone()), None, Some(x));
        let x = mixed.summed();
        let wide = self.wide.forward_to_product(self.norm2.forward_to_product(x.clone()), Activation::Gelu);
        x + self.narrow.forward(wide, Activation::Gelu)
    }
}

fn through(blocks: &[PreparedBlock], x: Tensor<2>) -> Tensor<2> {
    blocks.iter().fold(x, |x, block| block.forward(x))
}

/// The pixel attention.
#[derive(Debug)]
struct Attention {
    /// Both 1×1 convolutions, side by side.
    both: Affine,
    wide: Affine,
    narrow: Affine,
}

impl Attention {
    fn of(attention: PixelAttention, target: &Target) -> Self {
        let weights = [attention.conv_avg, attention.conv_max].map(|conv| conv.weight.into_value());
        let [output, input, _, _] = weights[0].dims();
        let weight = Tensor::cat(weights.map(|weight| weight.reshape([output, input])).to_vec(), 0);
        let none = Tensor::zeros([2 * output], &weight.device());
        Self {
            both: Affine::new(weight, none, target),
            wide: Affine::of(attention.wide, target),
            narrow: Affine::of(attention.narrow, target),
        }
    }

    fn forward(&self, skip: Tensor<2>) -> Tensor<2> {
        let [positions, channels] = skip.dims();
        let both = self.both.forward(skip.clone(), Activation::Relu);
        let average = both.clone().slice([0..positions, 0..channels]).mean_dim(1);
        let largest = both.slice([0..positions, channels..2 * channels]).max_dim(1);
        let three = Tensor::cat(vec![average.clone(), largest.clone(), average + largest], 1);
        skip * self.narrow.forward(self.wide.forward_to_product(three, Activation::Relu), Activation::None)
    }
}

/// Enlarges `[n², C]` `factor` times by repeating every position.
fn repeated(x: Tensor<2>, factor: usize) -> Tensor<2> {
    let [positions, channels] = x.dims();
    let n = positions.isqrt();
    x.reshape([n, 1, n, 1, channels])
        .expand([n, factor, n, factor, channels])
        .reshape([positions * factor * factor, channels])
}

impl Net {
    fn of(model: LViT, target: &Target) -> Self {
        let config = model.config;
        let blocks =
            |blocks: Vec<Block>| blocks.into_iter().map(|block| PreparedBlock::of(block, target)).collect();
        let norm = |block: ConvNorm1d| Along::of_norm(block, target);
        let (mut down, mut text_to_patches) = (Vec::with_capacity(LEVELS), None);
        for (vit, level) in model.down_vit.into_iter().zip(0..) {
            text_to_patches = text_to_patches.or(vit.text.map(norm));
            let positions = vit.positions.into_value().to_device(&target.device);
            let shape = [config.patches, config.channels(level)];
            down.push(Down {
                patch: Patches::of(vit.patch, target),
                positions: positions.reshape(shape),
                blocks: blocks(vit.blocks),
                narrow: vit.narrow.map(norm),
            });
        }
        let up = model.up.into_iter().map(|level| {
            let mut convs = level.convs.into_iter().map(|conv| Conv3::of(conv, target));
            let (Some(first), Some(second)) = (convs.next(), convs.next()) else {
                unreachable!("a level has two convolutions")
            };
            (Attention::of(level.attention, target), [first, second])
        });
        let merge = |level: Merge| Affine::of_pixels(fold(level.conv, &level.norm), target);
        Self {
            text: model.text.into_iter().map(|conv| Along::of(conv, target)).collect(),
            text_to_patches: text_to_patches.unwrap_or_else(|| unreachable!("the first level reads the text")),
            cnn: ConvEncoder::of(model.inc, model.down, target),
            down,
            up_vit: model.up_vit.into_iter().map(|vit| (blocks(vit.blocks), vit.join.map(norm))).collect(),
            merge: model.merge.into_iter().map(merge).collect(),
            up: up.collect(),
            last: Affine::of_pixels(weight_and_bias(model.outc), target),
            config,
        }
    }

    /// The levels of the CNN, fine to coarse, and behind them the patches of the first level and what the other levels
    /// add to the joint patches.
    fn encode(&self, image: Tensor<4>) -> Features {
        let mut features = self.cnn.forward(image);
        for (level, vit) in self.down.iter().enumerate() {
            let x = features[level].clone();
            let n = self.config.image_size >> level;
            let mut part = vit.patch.forward(x, n) + vit.positions.clone();
            if let Some(narrow) = &vit.narrow {
                part = narrow.forward(through(&vit.blocks, part));
            }
            features.push(part);
        }
        features
    }

    /// What the words, `[1, words, size]`, add to the patches, `[1, patches, base]`.
    fn read(&self, vectors: Tensor<3>) -> Tensor<3> {
        let text = self.text.iter().fold(vectors.squeeze_dim(0), |text: Tensor<2>, conv| conv.forward(text));
        self.text_to_patches.forward(text.transpose()).transpose().unsqueeze()
    }

    fn decode(&self, features: &Features, text: &TextStates) -> Decoded {
        let (levels, parts) = features.split_at(LEVELS + 1);
        let first = parts[0].clone() + text[0].clone().squeeze_dim(0);
        let mut joint = vec![through(&self.down[0].blocks, first)];
        for (level, part) in parts[1..].iter().enumerate() {
            joint.push(Tensor::cat(vec![part.clone(), joint[level].clone()], 1));
        }
        let mut skips = Vec::with_capacity(LEVELS);
        let mut coarser: Option<Tensor<2>> = None;
        for (level, ((blocks, join), y)) in self.up_vit.iter().zip(joint).enumerate().rev() {
            let mut z = through(blocks, y);
            if let (Some(join), Some(coarser)) = (join, coarser) {
                z = z + join.forward(coarser);
            }
            let residual = self.merge[level].forward(z.clone(), Activation::Relu);
            skips.push(levels[level].clone() + repeated(residual, self.config.patch_sizes[level]));
            coarser = Some(z);
        }
        let mut x = levels[LEVELS].clone();
        let mut stages = Vec::with_capacity(LEVELS);
        let mut n = x.dims()[0].isqrt();
        for ((attention, [first, second]), skip) in self.up.iter().zip(skips) {
            let input = x;
            let both = Tensor::cat(vec![attention.forward(skip), repeated(input.clone(), 2)], 1);
            n *= 2;
            x = second.forward(first.forward(both, n, Activation::Relu), n, Activation::Relu);
            stages.push(DecodedStage { input, filtered: None, output: x.clone() });
        }
        let logits = self.last.forward(x, Activation::None).reshape([1, 1, n, n]);
        Decoded { logits, stages }
    }
}

impl Prepared {
    /// Takes over the weights of the network for `device`.
    pub fn new(mut model: LViT, target: &Target) -> Self {
        let overrides = model.overrides();
        let encoder = model.encoder.take().map(|encoder| Arc::new(PreparedText::of(encoder, target)));
        Self { encoder, net: Arc::new(Net::of(model, target)), overrides }
    }
}

impl Executor for Prepared {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        self.net.encode(image)
    }

    fn encode_text(&self, tokens: Tokens) -> TextStates {
        let Some(encoder) = &self.encoder else { panic!("this LViT has no text encoder and reads word vectors") };
        let last = encoder.forward(tokens.ids, tokens.mask.clone()).pop();
        let last = last.unwrap_or_else(|| unreachable!("an encoder returns the output of its embedding"));
        self.encode_vectors(word_vectors(last, tokens.mask, self.net.config.text_tokens))
    }

    fn encode_vectors(&self, vectors: Tensor<3>) -> TextStates {
        vec![self.net.read(vectors)]
    }

    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4> {
        self.net.decode(features, text).logits
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }

    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        Some(self)
    }
}

impl StagedExecutor for Prepared {
    fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    fn decode_with(&mut self, features: &Features, text: &TextStates, _overrides: &Overrides) -> Decoded {
        self.net.decode(features, text)
    }
}
