//! TransUNet prepared for the prediction of one image at a time: weights are standardised once, batch norms are folded
//! into the convolutions, and the transformer's products have packed weights.

use std::sync::Arc;

use burn::module::Module;
use burn::nn::GroupNorm;
use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;
use burn::tensor::{Int, Tensor, TensorData};

use super::model::TransUNet;
use super::resnet::{StandardisedConv, Unit, convolve};
use super::vit::Layer;
use crate::model::Target;
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::cpu::group_norm::GroupNormOf;
use crate::model::cpu::{self, Activation};
use crate::model::gpu;
use crate::model::network::Features;
use crate::model::prepared::{
    Affine, Conv3, EncoderDecoder, ImageEncoder, LastLayer, PreparedNorm, PreparedUp, Raise, SelfAttention, fold,
    max_pool, to_planes, to_positions, weight_and_bias,
};

/// A convolution with standardised weights.
#[derive(Debug)]
enum Convolution {
    /// 1×1; the step is the stride.
    One(Affine, usize),
    /// 3×3 with stride 1.
    Three(Conv3),
    /// Any other, by the library.
    Planes(Box<Tensor<4>>, usize),
}

impl Convolution {
    fn of(conv: &StandardisedConv, target: &Target) -> Self {
        let (weight, stride) = (conv.standardised(), conv.stride());
        let [output, _, kernel, _] = weight.dims();
        let none = || Tensor::zeros([output], &weight.device());
        match (kernel, stride) {
            (1, _) => Self::One(Affine::of_pixels((weight.clone(), none()), target), stride),
            (3, 1) => Self::Three(Conv3::new(weight.clone(), none(), target)),
            _ => Self::Planes(Box::new(weight.to_device(&target.device)), stride),
        }
    }

    /// Maps `[n², in]` to `[m², out]` and returns `m`.
    fn forward(&self, x: Tensor<2>, n: usize) -> (Tensor<2>, usize) {
        match self {
            Self::One(layer, 1) => (layer.forward(x, Activation::None), n),
            Self::One(layer, step) => {
                let m = n.div_ceil(*step);
                let places: Vec<i64> = (0..m * m).map(|at| (at / m * step * n + at % m * step) as i64).collect();
                let places = Tensor::<1, Int>::from_data(TensorData::new(places, [m * m]), &x.device());
                (layer.forward(x.select(0, places), Activation::None), m)
            }
            Self::Three(layer) => (layer.forward(x, n, Activation::None), n),
            Self::Planes(weight, stride) => planes(to_planes(x, n), weight, *stride),
        }
    }
}

fn planes(x: Tensor<4>, weight: &Tensor<4>, stride: usize) -> (Tensor<2>, usize) {
    let y = convolve(x, weight.clone(), stride);
    let [_, _, m, _] = y.dims();
    (to_positions(y), m)
}

/// A group norm.
#[derive(Debug)]
enum Norm {
    Cpu(GroupNormOf),
    Gpu(Box<GroupNorm>),
}

impl Norm {
    fn of(norm: GroupNorm, target: &Target) -> Self {
        if gpu::accepts(&target.device) {
            return Self::Gpu(Box::new(norm.to_device(&target.device)));
        }
        let channels = norm.num_channels;
        let values = |values: Option<burn::module::Param<Tensor<1>>>, other: f32| match values {
            Some(values) => values.val().into_data().iter::<f32>().collect(),
            None => vec![other; channels],
        };
        Self::Cpu(GroupNormOf {
            weight: values(norm.gamma, 1.0),
            bias: values(norm.beta, 0.0),
            groups: norm.num_groups,
            eps: norm.epsilon,
        })
    }

    /// Normalises `[n², C]`, adds `residual` and applies the ReLU if it `is_cut`.
    fn forward(&self, x: Tensor<2>, n: usize, residual: Option<Tensor<2>>, is_cut: bool) -> Tensor<2> {
        match self {
            Self::Cpu(norm) => cpu::group_norm(x, residual, norm, is_cut),
            Self::Gpu(norm) => {
                let y = to_positions(norm.forward(to_planes(x, n)));
                let y = residual.into_iter().fold(y, |y, residual| y + residual);
                if is_cut { relu(y) } else { y }
            }
        }
    }
}

#[derive(Debug)]
struct PreparedUnit {
    /// The three convolutions with their norms.
    path: [(Convolution, Norm); 3],
    shortcut: Option<(Convolution, Norm)>,
}

impl PreparedUnit {
    fn of(unit: Unit, target: &Target) -> Self {
        let pair =
            |conv: &StandardisedConv, norm: GroupNorm| (Convolution::of(conv, target), Norm::of(norm, target));
        let shortcut = unit.downsample.as_ref().zip(unit.gn_proj).map(|(conv, norm)| pair(conv, norm));
        let path = [pair(&unit.conv1, unit.gn1), pair(&unit.conv2, unit.gn2), pair(&unit.conv3, unit.gn3)];
        Self { path, shortcut }
    }

    /// Maps `[n², in]` to `[m², out]` and returns `m`.
    fn forward(&self, x: Tensor<2>, n: usize) -> (Tensor<2>, usize) {
        let shortcut = match &self.shortcut {
            Some((conv, norm)) => {
                let (y, m) = conv.forward(x.clone(), n);
                norm.forward(y, m, None, false)
            }
            None => x.clone(),
        };
        let [first, second, third] = &self.path;
        let (mut x, mut n) = (x, n);
        for (conv, norm) in [first, second] {
            (x, n) = conv.forward(x, n);
            x = norm.forward(x, n, None, true);
        }
        (x, n) = third.0.forward(x, n);
        (third.1.forward(x, n, Some(shortcut), true), n)
    }
}

#[derive(Debug)]
struct PreparedLayer {
    attention_norm: PreparedNorm,
    attention: SelfAttention,
    norm: PreparedNorm,
    wide: Affine,
    narrow: Affine,
}

impl PreparedLayer {
    fn of(layer: Layer, target: &Target) -> Self {
        let heads = layer.heads();
        let parts = [layer.attn.query, layer.attn.key, layer.attn.value, layer.attn.out];
        Self {
            attention_norm: PreparedNorm::of(layer.attention_norm, target),
            attention: SelfAttention::of_parts(parts, heads, target),
            norm: PreparedNorm::of(layer.ffn_norm, target),
            wide: Affine::of(layer.ffn.fc1, target),
            narrow: Affine::of(layer.ffn.fc2, target),
        }
    }

    /// Maps `[n², hidden]` to the same shape.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let y = self.attention_norm.forward_to_product(x.clone());
        let x = self.attention.forward(y, None, Some(x)).summed();
        let wide = self.wide.forward_to_product(self.norm.forward_to_product(x.clone()), Activation::Gelu);
        self.narrow.forward_onto(wide, x)
    }
}

/// The ResNet, the transformer, and the convolution with which the decoder begins.
#[derive(Debug)]
struct Encoder {
    root: Tensor<4>,
    root_norm: Norm,
    blocks: Vec<Vec<PreparedUnit>>,
    patches: Affine,
    positions: Tensor<2>,
    layers: Vec<PreparedLayer>,
    norm: PreparedNorm,
    more: Conv3,
}

impl ImageEncoder for Encoder {
    fn forward(&self, image: Tensor<4>) -> Features {
        let (x, side) = planes(image, &self.root, 2);
        let root = self.root_norm.forward(x, side, None, true);
        let (mut x, mut n) = (max_pool(root.clone(), side, 3), (side - 3) / 2 + 1);
        let mut features = vec![root];
        for (index, block) in self.blocks.iter().enumerate() {
            for unit in block {
                (x, n) = unit.forward(x, n);
            }
            if index + 1 < self.blocks.len() {
                features.push(padded(x.clone(), n, side >> (index + 1)));
            }
        }
        let mut x = self.patches.forward(x, Activation::None) + self.positions.clone();
        for layer in &self.layers {
            x = layer.forward(x);
        }
        features.push(self.more.forward(self.norm.forward(x, None), n, Activation::Relu));
        features
    }
}

/// Adds lines of zeros at the bottom and on the right: `[n², C]` to `[m², C]`.
fn padded(x: Tensor<2>, n: usize, m: usize) -> Tensor<2> {
    let [_, channels] = x.dims();
    if n == m {
        return x;
    }
    let pad = [(0, m - n), (0, m - n), (0, 0)];
    x.reshape([n, n, channels]).pad(pad, PadMode::Constant(0.0)).reshape([m * m, channels])
}

/// Takes over the weights of the network for `device`.
pub fn prepare(model: TransUNet, target: &Target) -> EncoderDecoder {
    let overrides = model.overrides();
    let folded = |block: ConvNorm| fold(block.conv, &block.norm);
    let units = |units: Vec<Unit>| units.into_iter().map(|unit| PreparedUnit::of(unit, target)).collect();
    let (more, more_bias) = folded(model.more);
    let encoder = Encoder {
        root: model.root.conv.standardised().to_device(&target.device),
        root_norm: Norm::of(model.root.gn, target),
        blocks: model.blocks.into_iter().map(|block| units(block.units)).collect(),
        patches: Affine::of_pixels(weight_and_bias(model.patches), target),
        positions: model.positions.into_value().squeeze_dim::<2>(0).to_device(&target.device),
        layers: model.layers.into_iter().map(|layer| PreparedLayer::of(layer, target)).collect(),
        norm: PreparedNorm::of(model.norm, target),
        more: Conv3::new(more, more_bias, target),
    };
    let level = |level: super::model::Level| {
        PreparedUp::new(Raise::Bilinear, folded(level.conv1), Some(folded(level.conv2)), Activation::Relu, target)
    };
    let levels = model.decoder.into_iter().map(level).collect();
    let (mut weight, mut bias) = weight_and_bias(model.head);
    if model.config.classes == 2 {
        weight = weight.clone().narrow(0, 1, 1) - weight.narrow(0, 0, 1);
        bias = bias.clone().narrow(0, 1, 1) - bias.narrow(0, 0, 1);
    }
    let last = LastLayer::Three(Conv3::new(weight, bias, target));
    EncoderDecoder::new(Arc::new(encoder), levels, last, overrides)
}
