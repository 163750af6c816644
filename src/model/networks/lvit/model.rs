//! The module of LViT, which maps an image and the vectors of ten words to one logit per pixel.

use burn::module::{Initializer, Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use super::attribution::Attributor;
use super::config::{LEVELS, LViTConfig};
use super::prepared::Prepared;
use super::vit::{Block, Conv1d, ConvNorm1d, through};
use super::words::word_vectors;
use crate::model::Target;
use crate::model::blocks::conv_encoder::{self, Down};
use crate::model::blocks::conv_norm::{ConvNorm, batch_norm};
use crate::model::blocks::text_encoder::TextEncoder;
use crate::model::config::ConfigError;
use crate::model::layers::{Conv2d, ConvShape, Linear, drop_out, uniform};
use crate::model::network::{self, Executor, Inputs, Inspectable, Model, TextConditioned, Tokens};
use crate::model::overrides::Overrides;
use crate::model::remote::permuted;
use crate::model::trace::Trace;

/// The width between the two layers of the pixel attention.
const BOTTLENECK: usize = 6;

/// A level of the transformers on the way down.
#[derive(Module, Debug)]
pub struct DownVit {
    /// The convolution whose stride is its kernel, from a level of the CNN to patches.
    pub patch: Conv2d,
    /// The learned positions, `[1, patches, channels]`.
    pub positions: Param<Tensor<3>>,
    /// The transformer blocks.
    pub blocks: Vec<Block>,
    /// From words to patches; only the first level reads the text.
    pub text: Option<ConvNorm1d>,
    /// The convolution to half of the channels before the levels are joined; `None` in the first level.
    pub narrow: Option<ConvNorm1d>,
    dropout: Dropout,
}

/// A level of the transformers on the way up.
#[derive(Module, Debug)]
pub struct UpVit {
    /// The transformer blocks.
    pub blocks: Vec<Block>,
    /// The convolution of the coarser level's result to half of its channels; `None` in the last level.
    pub join: Option<ConvNorm1d>,
}

/// The way from patches to a level of the CNN: a 1×1 convolution with its norm.
#[derive(Module, Debug)]
pub struct Merge {
    /// The convolution.
    pub conv: Conv2d,
    /// The batch norm after it.
    pub norm: BatchNorm,
}

/// The pixel attention: one factor for each pixel of the skip connection, which is not bounded.
#[derive(Module, Debug)]
pub struct PixelAttention {
    /// The 1×1 convolution whose outputs are averaged over the channels.
    pub conv_avg: Conv2d,
    /// The 1×1 convolution of whose outputs the largest counts.
    pub conv_max: Conv2d,
    /// The first layer behind both.
    pub wide: Linear,
    /// The second layer, to the factor.
    pub narrow: Linear,
}

/// A level of the decoder.
#[derive(Module, Debug)]
pub struct Up {
    /// The attention over the skip connection.
    pub attention: PixelAttention,
    /// The two convolutions.
    pub convs: Vec<ConvNorm>,
}

/// The complete network.
#[derive(Module, Debug)]
pub struct LViT {
    /// The text encoder that makes the word vectors; `None` if they come from elsewhere.
    pub encoder: Option<TextEncoder>,
    /// The convolutions along the words, from the vectors' size to that of the first level.
    pub text: Vec<Conv1d>,
    /// The first level of the CNN, one convolution.
    pub inc: ConvNorm,
    /// The levels below, fine to coarse.
    pub down: Vec<Down>,
    /// The transformers on the way down, fine to coarse.
    pub down_vit: Vec<DownVit>,
    /// The transformers on the way up, fine to coarse.
    pub up_vit: Vec<UpVit>,
    /// The merges of transformers and CNN, fine to coarse.
    pub merge: Vec<Merge>,
    /// The levels of the decoder, coarse to fine.
    pub up: Vec<Up>,
    /// The 1×1 convolution to the logit.
    pub outc: Conv2d,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: LViTConfig,
}

fn conv1(input: usize, output: usize, has_bias: bool, device: &Device) -> Conv2d {
    let shape = ConvShape { input, output, kernel: 1, stride: 1, padding: 0, groups: 1 };
    Conv2d::new(shape, has_bias, device)
}

/// Enlarges `[batch, channels, n, n]` `factor` times by repeating every position.
pub fn repeated(x: Tensor<4>, factor: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch * channels, height, 1, width, 1])
        .expand([batch * channels, height, factor, width, factor])
        .reshape([batch, channels, factor * height, factor * width])
}

impl DownVit {
    fn new(config: &LViTConfig, level: usize, device: &Device) -> Self {
        let (channels, side) = (config.channels(level), config.patch_sizes[level]);
        let shape =
            ConvShape { input: channels, output: channels, kernel: side, stride: side, padding: 0, groups: 1 };
        let along = |input, output| ConvNorm1d::new(input, output, config.batch_norm_eps, device);
        Self {
            patch: Conv2d::new(shape, true, device),
            positions: Initializer::Zeros.init([1, config.patches, channels], device),
            blocks: (0..config.vit_depth).map(|_| Block::new(config, channels, device)).collect(),
            text: (level == 0).then(|| along(config.text_tokens, config.patches)),
            narrow: (level > 0).then(|| along(channels, channels / 2)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    fn embed(&self, x: Tensor<4>) -> Tensor<3> {
        let x = self.patch.forward(x);
        let [batch, channels, height, width] = x.dims();
        let x = x.reshape([batch, channels, height * width]).swap_dims(1, 2) + self.positions.val();
        drop_out(&self.dropout, x)
    }
}

impl PixelAttention {
    fn new(channels: usize, device: &Device) -> Self {
        let narrow_bound = 1.0 / (BOTTLENECK as f64).sqrt();
        Self {
            conv_avg: conv1(channels, channels, false, device),
            conv_max: conv1(channels, channels, false, device),
            wide: Linear::new(3, BOTTLENECK, device),
            narrow: Linear {
                weight: uniform([1, BOTTLENECK], narrow_bound, device),
                bias: uniform([1], narrow_bound, device),
            },
        }
    }

    fn forward(&self, skip: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = skip.dims();
        let average = relu(self.conv_avg.forward(skip.clone())).mean_dim(1);
        let largest = relu(self.conv_max.forward(skip.clone())).max_dim(1);
        let three = Tensor::cat(vec![average.clone(), largest.clone(), average + largest], 1);
        let three = permuted(three, [0, 2, 3, 1]).reshape([batch, height * width, 3]);
        let factor = self.narrow.forward(relu(self.wide.forward(three)));
        skip * factor.reshape([batch, 1, height, width])
    }
}

impl Up {
    /// Maps `[batch, C, n, n]` and the skip connection `[batch, C, 2n, 2n]` to `[batch, out, 2n, 2n]`.
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>, name: &str, trace: &mut Trace) -> Tensor<4> {
        let attended = self.attention.forward(skip);
        trace.record(format!("{name}.skip_attended"), &attended);
        let raised = repeated(x, 2);
        trace.record(format!("{name}.upsampled"), &raised);
        conv_encoder::through(&self.convs, Tensor::cat(vec![attended, raised], 1))
    }
}

impl LViT {
    /// Creates a network with random weights, which follow PyTorch's default initialisation; the positions begin
    /// with 0.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &LViTConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let conv = |input, output| ConvNorm::new(input, output, true, config.batch_norm_eps, device);
        let pair = |input, output| vec![conv(input, output), conv(output, output)];
        let sizes: Vec<usize> = std::iter::once(config.text_size)
            .chain((0..LEVELS).rev().map(|level| config.channels(level)))
            .collect();
        let up_vit = |level: usize| UpVit {
            blocks: (0..config.vit_depth).map(|_| Block::new(config, config.channels(level), device)).collect(),
            join: (level + 1 < LEVELS).then(|| {
                ConvNorm1d::new(2 * config.channels(level), config.channels(level), config.batch_norm_eps, device)
            }),
        };
        let merge = |level: usize| Merge {
            conv: conv1(config.channels(level), config.channels(level), true, device),
            norm: BatchNormConfig::new(config.channels(level)).with_epsilon(config.batch_norm_eps).init(device),
        };
        let up = config.decoder().enumerate().map(|(index, level)| {
            let channels = config.channels(LEVELS - 1 - index);
            Up { attention: PixelAttention::new(channels, device), convs: pair(2 * channels, level.channels) }
        });
        Ok(Self {
            encoder: config.text_encoder.as_ref().map(|encoder| TextEncoder::new(&encoder.sizes, device)),
            text: sizes.windows(2).map(|sizes| Conv1d::new(sizes[0], sizes[1], device)).collect(),
            inc: conv(config.in_channels, config.base_channels),
            down: (1..=LEVELS)
                .map(|level| Down { convs: pair(config.channels(level - 1), config.channels(level)) })
                .collect(),
            down_vit: (0..LEVELS).map(|level| DownVit::new(config, level, device)).collect(),
            up_vit: (0..LEVELS).map(up_vit).collect(),
            merge: (0..LEVELS).map(merge).collect(),
            up: up.collect(),
            outc: conv1(config.base_channels, config.classes, true, device),
            config: config.clone(),
        })
    }

    /// Maps tokens to the vectors of words, `[batch, words, size]`.
    fn vectors(&self, tokens: Tokens, trace: &mut Trace) -> Tensor<3> {
        let Some(encoder) = &self.encoder else { panic!("this LViT has no text encoder and reads word vectors") };
        let last = encoder.forward(tokens.ids, tokens.mask.clone(), trace).pop();
        let last = last.unwrap_or_else(|| unreachable!("an encoder returns the output of its embedding"));
        let vectors = word_vectors(last, tokens.mask, self.config.text_tokens);
        trace.record("text.words", &vectors);
        vectors
    }

    /// Maps word vectors, `[batch, words, size]`, to what is added to the patches, `[batch, patches, base]`.
    fn text_to_patches(&self, vectors: Tensor<3>, trace: &mut Trace) -> Tensor<3> {
        let mut text = vectors;
        for (index, conv) in self.text.iter().enumerate() {
            text = conv.forward_middle(text);
            trace.record(format!("text{}", LEVELS - index), &text);
        }
        let Some(layer) = &self.down_vit[0].text else { unreachable!("the first level reads the text") };
        let patches = layer.forward(text);
        trace.record("text_to_patches", &patches);
        patches
    }

    /// The levels of the CNN, fine to coarse.
    fn encode(&self, image: Tensor<4>, trace: &mut Trace) -> Vec<Tensor<4>> {
        conv_encoder::encode(&self.inc, &self.down, image, trace)
    }

    /// The first part of the transformers: the embedded patches of the first level, and what the other levels add to
    /// the joint patches. Neither depends on the text.
    fn embed(&self, levels: &[Tensor<4>], trace: &mut Trace) -> Vec<Tensor<3>> {
        let mut parts = Vec::with_capacity(LEVELS);
        for (index, (vit, x)) in self.down_vit.iter().zip(levels).enumerate() {
            let name = format!("down{}", index + 1);
            let mut part = vit.embed(x.clone());
            trace.record(format!("{name}.embedded"), &part);
            if let Some(narrow) = &vit.narrow {
                trace.record(format!("{name}.block_in"), &part);
                part = through(&vit.blocks, part);
                trace.record(format!("{name}.block_out"), &part);
                part = narrow.forward_middle(part);
            }
            parts.push(part);
        }
        parts
    }

    /// The second part: from these patches and the text to what is added to each level of the CNN, fine to coarse.
    pub(super) fn residuals(&self, parts: &[Tensor<3>], text: Tensor<3>, trace: &mut Trace) -> Vec<Tensor<4>> {
        let first = parts[0].clone() + text;
        trace.record("down1.block_in", &first);
        let mut y = through(&self.down_vit[0].blocks, first);
        trace.record("down1.block_out", &y);
        let mut joint = vec![y.clone()];
        for part in &parts[1..] {
            y = Tensor::cat(vec![part.clone(), y], 2);
            joint.push(y.clone());
        }
        joint.iter().enumerate().for_each(|(index, y)| trace.record(format!("y{}", index + 1), y));
        let mut found = Vec::with_capacity(LEVELS);
        let mut coarser: Option<Tensor<3>> = None;
        for (index, (vit, y)) in self.up_vit.iter().zip(joint).enumerate().rev() {
            let mut z = through(&vit.blocks, y);
            trace.record(format!("up{}.block_out", index + 1), &z);
            if let (Some(join), Some(coarser)) = (&vit.join, coarser) {
                z = z + join.forward_middle(coarser);
            }
            trace.record(format!("z{}", index + 1), &z);
            found.push(self.merge[index].forward(z.clone(), self.config.patch_sizes[index]));
            coarser = Some(z);
        }
        found.reverse();
        found.iter().enumerate().for_each(|(index, r)| trace.record(format!("r{}", index + 1), r));
        found
    }

    /// Runs the decoder from level `first` on (coarse to fine), which reads `x`. `skips` are the merged levels, fine to
    /// coarse.
    pub(super) fn decode(&self, first: usize, x: Tensor<4>, skips: &[Tensor<4>], trace: &mut Trace) -> Tensor<4> {
        let mut x = x;
        for (index, level) in self.up.iter().enumerate().skip(first) {
            let number = LEVELS - index;
            let name = format!("d{number}");
            x = level.forward(x, skips[number - 1].clone(), &name, trace);
            trace.record(name.as_str(), &x);
            trace.record_stage(&name, &x);
        }
        self.outc.forward(x)
    }

    fn run(&self, image: Tensor<4>, vectors: Tensor<3>, trace: &mut Trace) -> Tensor<4> {
        let text = self.text_to_patches(vectors, trace);
        let levels = self.encode(image, trace);
        let parts = self.embed(&levels, trace);
        let residuals = self.residuals(&parts, text, trace);
        let skips: Vec<Tensor<4>> =
            levels.iter().zip(residuals).map(|(x, residual)| x.clone() + residual).collect();
        let logits = self.decode(0, levels[LEVELS].clone(), &skips, trace);
        trace.record("logits", &logits);
        if trace.is_on() {
            trace.record("probability", &sigmoid(logits.clone()));
        }
        logits
    }

    /// The values of its stages, of which none can be overridden.
    pub fn overrides(&self) -> Overrides {
        Overrides::nothing(self.config.decoder().map(|level| level.grid))
    }
}

impl Merge {
    /// Maps patches, `[batch, patches, C]`, to `[batch, C, n, n]` with `factor` pixels along the side of a patch.
    ///
    /// The authors enlarge first. All pixels of a patch are equal then, so that convolution, norm (with the same
    /// statistics) and ReLU give the same for each of them.
    fn forward(&self, z: Tensor<3>, factor: usize) -> Tensor<4> {
        let [batch, patches, channels] = z.dims();
        let n = patches.isqrt();
        let z = z.swap_dims(1, 2).reshape([batch, channels, n, n]);
        repeated(batch_norm(&self.norm, self.conv.forward(z), 0.0), factor)
    }
}

impl Model for LViT {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let vectors = match (inputs.vectors, inputs.tokens) {
            (Some(vectors), _) => vectors,
            (None, Some(tokens)) => self.vectors(tokens, trace),
            (None, None) => panic!("LViT reads a prompt"),
        };
        self.run(inputs.image, vectors, trace)
    }

    fn prepare(self: Box<Self>, target: &Target) -> Box<dyn Executor> {
        Box::new(Prepared::new(*self, target))
    }

    fn freeze_text(self: Box<Self>) -> Box<dyn Model> {
        let model = *self;
        Box::new(Self { encoder: model.encoder.map(Module::freeze), ..model })
    }

    fn text_conditioned(&self) -> Option<&dyn TextConditioned> {
        self.encoder.is_some().then_some(self)
    }

    fn inspectable(&self) -> Option<&dyn Inspectable> {
        Some(self)
    }
}

impl TextConditioned for LViT {
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>> {
        vec![self.vectors(tokens, trace)]
    }

    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        self.run(image, states[0].clone(), trace)
    }
}

impl Inspectable for LViT {
    fn overrides(&self) -> Overrides {
        Self::overrides(self)
    }

    fn with_overrides(&self, _overrides: &Overrides) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn attributor(&self, _overrides: &Overrides) -> Box<dyn network::Attributor> {
        // A frozen decoder keeps the statistics of its batch norms and computes no gradients of weights.
        Box::new(Attributor(self.clone().freeze()))
    }
}
