//! The decoder made ready for prediction: the same numbers by fewer operations.
//!
//! In evaluation much of the decoder is linear and can be worked out once for a model:
//! - batch norms go into the convolutions before them;
//! - the spectrum filter of a stage is one `n²×n²` matrix;
//! - convolution, pixel shuffle, mean and 1×1 convolution of the head become one convolution to 16 channels, a shuffle
//!   and a mean over one channel instead of 24;
//! - everything stays channels-last, `[positions, channels]`, so that no step turns its input around.
//!
//! The reference tests hold both this and the plain network to the authors' numbers.

use burn::module::Param;
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, module};

use super::decoder::{DecoderStage, Guide, LEAK, UpBlock};
use super::head::{self, ENLARGE, Head};
use super::himix::{Decoded, HiMix};
use super::layers::{Attention, LayerNorm, Linear};

/// The decoder, folded.
#[derive(Debug)]
pub struct Prepared {
    stages: Vec<PreparedStage>,
    head: PreparedHead,
    /// σ of each stage, coarse to fine; none for a stage without filter.
    pub sigmas: Vec<Option<f32>>,
    /// `(layer, weight)` of what feeds each stage, coarse to fine.
    pub layer_weights: Vec<Vec<(usize, f32)>>,
}

#[derive(Debug)]
struct PreparedStage {
    guide: Option<PreparedGuide>,
    up: PreparedUp,
}

/// `x W + b` with W as `[in, out]`.
#[derive(Debug)]
struct Affine {
    weight: Tensor<2>,
    bias: Tensor<2>,
}

impl Affine {
    fn of(linear: &Linear) -> Self {
        Self::new(linear.weight.val(), linear.bias.val())
    }

    /// `weight` is `[out, in]`.
    fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self { weight: weight.transpose(), bias: bias.unsqueeze() }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }
}

#[derive(Debug)]
struct PreparedAttention {
    query: Affine,
    key: Affine,
    value: Affine,
    out: Affine,
    heads: usize,
}

impl PreparedAttention {
    fn of(attention: &Attention) -> Self {
        let [_, channels] = attention.in_proj_weight.dims();
        let part = |index: usize| {
            let rows = index * channels..(index + 1) * channels;
            Affine::new(
                attention.in_proj_weight.val().slice([rows.clone()]),
                attention.in_proj_bias.val().slice([rows]),
            )
        };
        Self {
            query: part(0),
            key: part(1),
            value: part(2),
            out: Affine::of(&attention.out_proj),
            heads: attention.heads(),
        }
    }

    fn forward(&self, query: Tensor<2>, key: Tensor<2>, value: Tensor<2>) -> Tensor<2> {
        let [length, channels] = query.dims();
        let split = |x: Tensor<2>| {
            let [length, _] = x.dims();
            x.reshape([1, length, self.heads, channels / self.heads]).swap_dims(1, 2)
        };
        let mixed = module::attention(
            split(self.query.forward(query)),
            split(self.key.forward(key)),
            split(self.value.forward(value)),
            None,
            None,
            AttentionModuleOptions::default(),
        );
        self.out.forward(mixed.swap_dims(1, 2).reshape([length, channels]))
    }
}

#[derive(Debug)]
struct PreparedGuide {
    source: Guide,
    /// `[n², n²]`, where the stage has a filter.
    filter: Option<Tensor<2>>,
    cross: PreparedAttention,
    this: PreparedAttention,
    lin1: Affine,
    lin2: Affine,
    scales: [Tensor<2>; 3],
    image_positions: Tensor<2>,
    text_positions: Tensor<2>,
}

impl PreparedGuide {
    fn of(guide: &Guide) -> Self {
        let scale = |beta: &Param<Tensor<1>>| beta.val().unsqueeze::<2>();
        Self {
            filter: guide.spectrum.as_ref().map(|filter| filter.matrix()),
            cross: PreparedAttention::of(&guide.cross_attn),
            this: PreparedAttention::of(&guide.self_attn),
            lin1: Affine::of(&guide.lin1),
            lin2: Affine::of(&guide.lin2),
            scales: [scale(&guide.scale1), scale(&guide.scale2), scale(&guide.scale3)],
            image_positions: guide.image_positions().squeeze_dim(0),
            text_positions: guide.text_positions().squeeze_dim(0),
            source: guide.clone(),
        }
    }

    /// `[n², C]` and projected text `[1, L, C]` → `[n², C]`
    fn forward(&self, x: Tensor<2>, text: Tensor<3>) -> Tensor<2> {
        let text: Tensor<2> = text.squeeze_dim(0);
        let norm = |norm: &LayerNorm, x: Tensor<2>| norm.forward(x);
        let guide = &self.source;
        let x = match &self.filter {
            Some(filter) => filter.clone().matmul(x),
            None => x,
        };
        let query = norm(&guide.norm2, x.clone()) + self.image_positions.clone();
        let key = text.clone() + self.text_positions.clone();
        let mixed = norm(&guide.cross_attn_norm, self.cross.forward(query, key, text));
        let x = x + mixed * self.scales[0].clone();
        let value = norm(&guide.norm1, x.clone());
        let query = value.clone() + self.image_positions.clone();
        let mixed = norm(&guide.self_attn_norm, self.this.forward(query.clone(), query, value));
        let x = x + mixed * self.scales[1].clone();
        let wide = relu(self.lin1.forward(x.clone()));
        x + self.lin2.forward(wide) * self.scales[2].clone()
    }
}

/// A 3×3 convolution over channels-last positions, zeros around.
#[derive(Debug)]
struct Conv3 {
    /// One `[in, out]` for each place of the kernel, row-major.
    taps: Vec<Tensor<2>>,
    bias: Tensor<2>,
}

impl Conv3 {
    /// `weight` is `[out, in, 3, 3]`.
    fn new(weight: Tensor<4>, bias: Tensor<1>) -> Self {
        let [output, input, _, _] = weight.dims();
        let places = weight.permute([2, 3, 1, 0]).reshape([9, input, output]);
        let taps = (0..9).map(|place| places.clone().slice([place..place + 1]).squeeze_dim(0)).collect();
        Self { taps, bias: bias.unsqueeze() }
    }

    /// `[n·n, in]` → `[n·n, out]`
    ///
    /// The grid is laid out with zeros around it, so that the input of every place of the kernel is one run of rows
    /// and nothing is copied. Each row of the grid then ends in two results that belong to no pixel and are cut off.
    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        let [_, input] = x.dims();
        let wide = n + 2;
        // One row more below: the last run reads two rows beyond the padded grid.
        let padded = x
            .reshape([1, n, n, input])
            .pad([(0, 0), (1, 2), (1, 1), (0, 0)], burn::tensor::ops::PadMode::Constant(0.0))
            .reshape([(n + 3) * wide, input]);
        let mut sum: Option<Tensor<2>> = None;
        for (place, tap) in self.taps.iter().enumerate() {
            let start = (place / 3) * wide + place % 3;
            let term = padded.clone().slice([start..start + n * wide]).matmul(tap.clone());
            sum = Some(match sum {
                Some(sum) => sum + term,
                None => term,
            });
        }
        let [_, output] = self.bias.dims();
        let sum = sum.unwrap_or_else(|| unreachable!("a 3×3 kernel has nine places"));
        let inner = sum.reshape([n, wide, output]).slice([0..n, 0..n]).reshape([n * n, output]);
        inner + self.bias.clone()
    }
}

#[derive(Debug)]
struct PreparedUp {
    /// `[C, 4·C/2]`: the four places of the transposed convolution side by side.
    upsample: Tensor<2>,
    conv1: Conv3,
    conv2: Conv3,
}

/// A convolution with the batch norm after it: `[out, in, 3, 3]` and bias `[out]`.
fn fold(conv: &super::layers::Conv2d, norm: &burn::nn::BatchNorm) -> (Tensor<4>, Tensor<1>) {
    let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
    let bias = norm.beta.val() - norm.running_mean.value() * scale.clone();
    let [output] = scale.dims();
    (conv.weight.val() * scale.reshape([output, 1, 1, 1]), bias)
}

impl PreparedUp {
    fn of(up: &UpBlock) -> Self {
        let [input, output, _, _] = up.transp_conv.weight.dims();
        let upsample = up.transp_conv.weight.val().permute([0, 2, 3, 1]).reshape([input, 4 * output]);
        let conv = |(weight, bias)| Conv3::new(weight, bias);
        Self {
            upsample,
            conv1: conv(fold(&up.conv1, &up.norm1)),
            conv2: conv(fold(&up.conv2, &up.norm2)),
        }
    }

    /// `[n², C]` and skip `[4n², C/2]` → `[4n², C/2]`
    fn forward(&self, x: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
        let [_, half] = skip.dims();
        let raised = x
            .matmul(self.upsample.clone())
            .reshape([n, n, 2, 2, half])
            .permute([0, 2, 1, 3, 4])
            .reshape([4 * n * n, half]);
        let x = Tensor::cat(vec![raised, skip], 1);
        let x = leaky_relu(self.conv1.forward(x, 2 * n), LEAK);
        leaky_relu(self.conv2.forward(x, 2 * n), LEAK)
    }
}

#[derive(Debug)]
struct PreparedHead {
    conv: Conv3,
    bias: Tensor<1>,
}

impl PreparedHead {
    fn of(head: &Head) -> Self {
        let weight = head.conv.weight.val();
        let [wide, input, _, _] = weight.dims();
        let (places, channels) = (ENLARGE * ENLARGE, wide / (ENLARGE * ENLARGE));
        let out = head.out.weight.val().reshape([1, channels]);
        // The mean over 4×4 and the 1×1 convolution commute, and the latter mixes what the shuffle puts in one place.
        let mixed = out.clone().matmul(weight.reshape([channels, places * input * 9]));
        let weight = mixed.reshape([places, input, 3, 3]);
        let bias = match &head.conv.bias {
            Some(bias) => out.matmul(bias.val().reshape([channels, places])).reshape([places]),
            None => Tensor::zeros([places], &weight.device()),
        };
        let last = match &head.out.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([1], &weight.device()),
        };
        Self { conv: Conv3::new(weight, bias), bias: last }
    }

    /// `[n², C]` → logits `[1, 1, 4n, 4n]`
    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<4> {
        let fine = self
            .conv
            .forward(x, n)
            .reshape([n, n, ENLARGE, ENLARGE])
            .permute([0, 2, 1, 3])
            .reshape([1, 1, ENLARGE * n, ENLARGE * n]);
        head::blur(fine) + self.bias.clone().reshape([1, 1, 1, 1])
    }
}

impl PreparedStage {
    fn of(stage: &DecoderStage) -> Self {
        Self { guide: stage.guide.as_ref().map(PreparedGuide::of), up: PreparedUp::of(&stage.up) }
    }
}

/// `[1, C, n, n]` → `[n², C]`
fn to_rows(x: Tensor<4>) -> Tensor<2> {
    let [_, channels, height, width] = x.dims();
    x.reshape([channels, height * width]).transpose()
}

/// `[n², C]` → `[1, C, n, n]`
fn to_planes(x: Tensor<2>, side: usize) -> Tensor<4> {
    let [_, channels] = x.dims();
    x.transpose().reshape([1, channels, side, side])
}

impl Prepared {
    /// Works out everything that does not depend on image and prompt.
    pub fn new(model: &HiMix) -> Self {
        Self {
            stages: model.stages.iter().map(PreparedStage::of).collect(),
            head: PreparedHead::of(&model.head),
            sigmas: model.sigmas(),
            layer_weights: model.fusion.layer_weights(),
        }
    }

    /// Fused text of each stage `[1, tokens, hidden]` → what the stage reads of it, `[1, L, C]`.
    pub fn project_text(&self, fused: Vec<Option<Tensor<3>>>) -> Vec<Option<Tensor<3>>> {
        self.stages
            .iter()
            .zip(fused)
            .map(|(stage, text)| Some(stage.guide.as_ref()?.source.text_project.forward(text?)))
            .collect()
    }

    /// Image features (fine to coarse, batch of one) and projected text (coarse to fine) → logits and stage outputs.
    pub fn decode(&self, features: &[Tensor<4>], text: Vec<Option<Tensor<3>>>) -> Decoded {
        let last = features.len() - 1;
        let [_, _, mut n, _] = features[last].dims();
        let mut x = to_rows(features[last].clone());
        let mut stages = Vec::with_capacity(self.stages.len());
        for (index, (stage, text)) in self.stages.iter().zip(text).enumerate() {
            if let (Some(guide), Some(text)) = (&stage.guide, text) {
                x = guide.forward(x, text);
            }
            x = stage.up.forward(x, to_rows(features[last - 1 - index].clone()), n);
            n *= 2;
            stages.push(to_planes(x.clone(), n));
        }
        Decoded { logits: self.head.forward(x, n), stages }
    }
}
