//! The ResNet of the encoder: convolutions with standardised weights, and group norms.
//!
//! Kolesnikov et al.: "Big Transfer (BiT): General Visual Representation Learning", ECCV 2020.

use burn::module::{Module, Param};
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, module};

use super::config::{BLOCKS, ResNetConfig, TransUNetConfig};
use crate::model::layers::uniform;
use crate::model::trace::Trace;

/// A convolution without bias whose weights are standardised for every output channel.
#[derive(Module, Debug)]
pub struct StandardisedConv {
    /// The weight as it is trained, `[out, in, k, k]`.
    pub weight: Param<Tensor<4>>,
    #[module(skip)]
    stride: usize,
    #[module(skip)]
    eps: f64,
}

impl StandardisedConv {
    fn new([input, output, kernel]: [usize; 3], stride: usize, eps: f64, device: &Device) -> Self {
        let bound = 1.0 / ((input * kernel * kernel) as f64).sqrt();
        Self { weight: uniform([output, input, kernel, kernel], bound, device), stride, eps }
    }

    /// The weight minus its mean, over the square root of its variance, for every output channel.
    pub fn standardised(&self) -> Tensor<4> {
        let weight = self.weight.val();
        let shape @ [output, input, height, width] = weight.dims();
        let rows = weight.reshape([output, input * height * width]);
        let rows = rows.clone() - rows.mean_dim(1);
        let variance = rows.clone().square().mean_dim(1);
        (rows / (variance + self.eps).sqrt()).reshape(shape)
    }

    /// The stride.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Maps `[batch, in, n, n]` to `[batch, out, n', n']`. The padding is half of the kernel.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        convolve(x, self.standardised(), self.stride)
    }
}

/// A convolution without bias with zeros around the image for half of the kernel.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, stride: usize) -> Tensor<4> {
    let padding = weight.dims()[3] / 2;
    module::conv2d(x, weight, None, ConvOptions::new([stride, stride], [padding, padding], [1, 1], 1))
}

/// The first layers: a 7×7 convolution, a group norm and a ReLU.
#[derive(Module, Debug)]
pub struct Root {
    /// The convolution, which halves the grid.
    pub conv: StandardisedConv,
    /// The norm.
    pub gn: GroupNorm,
}

/// A unit with a bottleneck.
#[derive(Module, Debug)]
pub struct Unit {
    /// The 1×1 convolution to the middle width.
    pub conv1: StandardisedConv,
    /// The 3×3 convolution, which may halve the grid.
    pub conv2: StandardisedConv,
    /// The 1×1 convolution to the output width.
    pub conv3: StandardisedConv,
    /// The norm after the first convolution.
    pub gn1: GroupNorm,
    /// The norm after the second convolution.
    pub gn2: GroupNorm,
    /// The norm after the third convolution.
    pub gn3: GroupNorm,
    /// The 1×1 convolution of the shortcut; `None` if the input is the shortcut.
    pub downsample: Option<StandardisedConv>,
    /// The norm after it, which normalises every channel alone.
    pub gn_proj: Option<GroupNorm>,
}

impl Unit {
    fn new(
        input: usize,
        output: usize,
        stride: usize,
        is_first: bool,
        config: &ResNetConfig,
        device: &Device,
    ) -> Self {
        let conv = |sizes, stride| StandardisedConv::new(sizes, stride, config.weight_standardisation_eps, device);
        let norm = |groups, channels, eps| GroupNormConfig::new(groups, channels).with_epsilon(eps).init(device);
        let of_groups = |channels| norm(config.group_norm_groups, channels, config.group_norm_eps);
        let middle = output / 4;
        Self {
            conv1: conv([input, middle, 1], 1),
            conv2: conv([middle, middle, 3], stride),
            conv3: conv([middle, output, 1], 1),
            gn1: of_groups(middle),
            gn2: of_groups(middle),
            gn3: of_groups(output),
            downsample: is_first.then(|| conv([input, output, 1], stride)),
            gn_proj: is_first.then(|| norm(output, output, config.projection_norm_eps)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match (&self.downsample, &self.gn_proj) {
            (Some(conv), Some(norm)) => norm.forward(conv.forward(x.clone())),
            _ => x.clone(),
        };
        let y = relu(self.gn1.forward(self.conv1.forward(x)));
        let y = relu(self.gn2.forward(self.conv2.forward(y)));
        relu(shortcut + self.gn3.forward(self.conv3.forward(y)))
    }
}

/// A block of units; the first may halve the grid.
#[derive(Module, Debug)]
pub struct Block {
    /// The units.
    pub units: Vec<Unit>,
}

impl Root {
    /// Creates the first layers.
    pub fn new(config: &ResNetConfig, device: &Device) -> Self {
        let norm =
            GroupNormConfig::new(config.group_norm_groups, config.width).with_epsilon(config.group_norm_eps);
        Self {
            conv: StandardisedConv::new([3, config.width, 7], 2, config.weight_standardisation_eps, device),
            gn: norm.init(device),
        }
    }

    /// Maps images `[batch, 3, side, side]` to `[batch, width, side/2, side/2]`.
    pub fn forward(&self, image: Tensor<4>, trace: &mut Trace) -> Tensor<4> {
        let x = self.conv.forward(image);
        trace.record("root.conv", &x);
        relu(self.gn.forward(x))
    }
}

/// Creates the blocks.
pub fn blocks(config: &TransUNetConfig, device: &Device) -> Vec<Block> {
    let resnet = &config.resnet;
    let block = |block: usize| {
        let output = resnet.channels(block);
        let first = if block == 0 { resnet.width } else { resnet.channels(block - 1) };
        let unit = |unit: usize| {
            let stride = if block > 0 && unit == 0 { 2 } else { 1 };
            Unit::new(if unit == 0 { first } else { output }, output, stride, unit == 0, resnet, device)
        };
        Block { units: (0..resnet.units[block]).map(unit).collect() }
    };
    (0..BLOCKS).map(block).collect()
}

/// Maps the output of the root to the outputs of all blocks but the last, fine to coarse, which become skip connections,
/// and that of the last.
pub fn forward(blocks: &[Block], root: Tensor<4>, trace: &mut Trace) -> (Vec<Tensor<4>>, Tensor<4>) {
    let [_, _, side, _] = root.dims();
    let mut x = module::max_pool2d(root, MaxPoolOptions::new([3, 3]).with_stride([2, 2]));
    let mut skips = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        for (unit, layer) in block.units.iter().enumerate() {
            x = layer.forward(x);
            trace.record(format!("block{}.unit{}", index + 1, unit + 1), &x);
        }
        if index + 1 < blocks.len() {
            // The pooling leaves a line less than the decoder's grid; only the skip connection is padded.
            let [_, _, n, _] = x.dims();
            let missing = (side >> (index + 1)) - n;
            let pad = [(0, 0), (0, 0), (0, missing), (0, missing)];
            let skip = if missing > 0 { x.clone().pad(pad, PadMode::Constant(0.0)) } else { x.clone() };
            trace.record(format!("skip{}", blocks.len() - 2 - index), &skip);
            skips.push(skip);
        }
    }
    (skips, x)
}
