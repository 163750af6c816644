//! The module of TransUNet, which maps an image to one logit per pixel.

use burn::module::{Initializer, Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::config::TransUNetConfig;
use super::prepared;
use super::resnet::{self, Block, Root};
use super::vit::Layer;
use crate::model::Target;
use crate::model::blocks::attribution::{Attributor, LevelDecoder};
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::config::ConfigError;
use crate::model::layers::{Conv2d, ConvShape, LayerNorm, double, drop_out};
use crate::model::network::{self, Executor, Inputs, Inspectable, Model};
use crate::model::overrides::Overrides;
use crate::model::trace::Trace;

/// A level of the decoder.
#[derive(Module, Debug)]
pub struct Level {
    /// The convolution after the skip connection was appended.
    pub conv1: ConvNorm,
    /// The convolution after it.
    pub conv2: ConvNorm,
}

/// The complete network.
#[derive(Module, Debug)]
pub struct TransUNet {
    /// The first layers of the ResNet.
    pub root: Root,
    /// The blocks of the ResNet, fine to coarse.
    pub blocks: Vec<Block>,
    /// The 1×1 convolution from the ResNet to the tokens.
    pub patches: Conv2d,
    /// The learned positions, `[1, n², hidden]`.
    pub positions: Param<Tensor<3>>,
    dropout: Dropout,
    /// The layers of the transformer.
    pub layers: Vec<Layer>,
    /// The norm after the last layer.
    pub norm: LayerNorm,
    /// The convolution with which the decoder begins.
    pub more: ConvNorm,
    /// The levels of the decoder, coarse to fine.
    pub decoder: Vec<Level>,
    /// The 3×3 convolution to the logits of the classes.
    pub head: Conv2d,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: TransUNetConfig,
}

impl TransUNet {
    /// Creates a network with random weights, which follow PyTorch's default initialisation. The positions are 0.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &TransUNetConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let (hidden, grid) = (config.hidden_size, config.grid());
        let deep = config.resnet.channels(super::config::BLOCKS - 1);
        let conv = |input, output| ConvNorm::new(input, output, false, config.batch_norm_eps, device);
        let plain = |input, output, kernel| {
            let shape = ConvShape { input, output, kernel, stride: 1, padding: kernel / 2, groups: 1 };
            Conv2d::new(shape, true, device)
        };
        let mut input = config.head_channels;
        let mut decoder = Vec::new();
        for (output, skip) in config.decoder_channels.iter().zip(&config.skip_channels) {
            decoder.push(Level { conv1: conv(input + skip, *output), conv2: conv(*output, *output) });
            input = *output;
        }
        Ok(Self {
            root: Root::new(&config.resnet, device),
            blocks: resnet::blocks(config, device),
            patches: plain(deep, hidden, 1),
            positions: Initializer::Zeros.init([1, grid * grid, hidden], device),
            dropout: DropoutConfig::new(config.dropout).init(),
            layers: (0..config.layers).map(|_| Layer::new(config, device)).collect(),
            norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
            more: conv(hidden, config.head_channels),
            decoder,
            head: plain(input, config.classes, 3),
            config: config.clone(),
        })
    }

    /// Runs the decoder from level `first` on (coarse to fine), which reads `x`. `skips` are ordered fine to coarse.
    fn decode(&self, first: usize, x: Tensor<4>, skips: &[Tensor<4>], trace: &mut Trace) -> Tensor<4> {
        let mut x = x;
        for (index, level) in self.decoder.iter().enumerate().skip(first) {
            let name = format!("decoder{index}");
            x = double(x);
            trace.record(format!("{name}.upsampled"), &x);
            if let Some(skip) = skips.len().checked_sub(index + 1).map(|place| skips[place].clone()) {
                x = Tensor::cat(vec![x, skip], 1);
            }
            x = level.conv2.forward(level.conv1.forward(x));
            trace.record(name.as_str(), &x);
            trace.record_stage(&name, &x);
        }
        let logits = self.head.forward(x);
        match self.config.classes {
            1 => logits,
            // The softmax of background and lesion is the sigmoid of their difference.
            _ => logits.clone().narrow(1, 1, 1) - logits.narrow(1, 0, 1),
        }
    }

    /// The values of its stages, of which none can be overridden.
    pub fn overrides(&self) -> Overrides {
        Overrides::nothing(self.config.levels().map(|level| level.grid))
    }
}

impl Model for TransUNet {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let root = self.root.forward(inputs.image, trace);
        trace.record("skip2", &root);
        let (deeper, x) = resnet::forward(&self.blocks, root.clone(), trace);
        let skips: Vec<Tensor<4>> = std::iter::once(root).chain(deeper).collect();
        let patches = self.patches.forward(x);
        trace.record("patches", &patches);
        let [batch, hidden, n, _] = patches.dims();
        let tokens = patches.reshape([batch, hidden, n * n]).swap_dims(1, 2) + self.positions.val();
        trace.record("embedded", &tokens);
        let mut x = drop_out(&self.dropout, tokens);
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, &format!("layer{index}"), trace);
        }
        let encoded = self.norm.forward(x);
        trace.record("encoded", &encoded);
        let x = self.more.forward(encoded.swap_dims(1, 2).reshape([batch, hidden, n, n]));
        trace.record("conv_more", &x);
        let logits = self.decode(0, x, &skips, trace);
        trace.record("logits", &logits);
        if trace.is_on() {
            trace.record("probability", &sigmoid(logits.clone()));
        }
        logits
    }

    fn prepare(self: Box<Self>, target: &Target) -> Box<dyn Executor> {
        Box::new(prepared::prepare(*self, target))
    }

    fn freeze_text(self: Box<Self>) -> Box<dyn Model> {
        self
    }

    fn inspectable(&self) -> Option<&dyn Inspectable> {
        Some(self)
    }
}

impl Inspectable for TransUNet {
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

impl LevelDecoder for TransUNet {
    fn rest(&self, level: usize, output: Tensor<4>, features: &[Tensor<4>]) -> Tensor<4> {
        // Behind the skip connections is the input of the decoder.
        self.decode(level + 1, output, &features[..features.len() - 1], &mut Trace::off())
    }
}
