//! The module of the U-Net, which maps an image to one logit per pixel.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::config::{LEVELS, UNetConfig};
use super::prepared;
use crate::model::Target;
use crate::model::blocks::attribution::{Attributor, LevelDecoder};
use crate::model::blocks::conv_encoder::{Down, encode, through};
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::config::ConfigError;
use crate::model::layers::{Conv2d, ConvShape, Upsample2};
use crate::model::network::{self, Executor, Inputs, Inspectable, Model};
use crate::model::overrides::Overrides;
use crate::model::trace::Trace;

/// A level of the decoder.
#[derive(Module, Debug)]
pub struct Up {
    /// The transposed convolution, which keeps the channels.
    pub raise: Upsample2,
    /// The two convolutions after the skip connection was appended.
    pub convs: Vec<ConvNorm>,
}

/// The complete network.
#[derive(Module, Debug)]
pub struct UNet {
    /// The first level, one convolution.
    pub inc: ConvNorm,
    /// The levels below, fine to coarse.
    pub down: Vec<Down>,
    /// The levels of the decoder, coarse to fine.
    pub up: Vec<Up>,
    /// The 1×1 convolution to the logit.
    pub outc: Conv2d,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: UNetConfig,
}

impl Up {
    /// Maps `[batch, C, n, n]` and the skip connection `[batch, C, 2n, 2n]` to `[batch, out, 2n, 2n]`.
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>, name: &str, trace: &mut Trace) -> Tensor<4> {
        let raised = self.raise.forward(x);
        trace.record(format!("{name}.upsampled"), &raised);
        through(&self.convs, Tensor::cat(vec![raised, skip], 1))
    }
}

impl UNet {
    /// Creates a network with random weights, which follow PyTorch's default initialisation.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &UNetConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let conv = |input, output| ConvNorm::new(input, output, true, config.batch_norm_eps, device);
        let pair = |input, output| vec![conv(input, output), conv(output, output)];
        let one = ConvShape {
            input: config.base_channels,
            output: config.classes,
            kernel: 1,
            stride: 1,
            padding: 0,
            groups: 1,
        };
        let up = config.levels().enumerate().map(|(index, level)| {
            let channels = config.channels(LEVELS - 1 - index);
            let raise = Upsample2::new(channels, channels, true, device);
            Up { raise, convs: pair(2 * channels, level.channels) }
        });
        Ok(Self {
            inc: conv(config.in_channels, config.base_channels),
            down: (1..=LEVELS)
                .map(|level| Down { convs: pair(config.channels(level - 1), config.channels(level)) })
                .collect(),
            up: up.collect(),
            outc: Conv2d::new(one, true, device),
            config: config.clone(),
        })
    }

    /// Runs the decoder from level `first` on (coarse to fine), which reads `x`. `features` are the outputs of the
    /// encoder's levels, fine to coarse.
    fn decode(&self, first: usize, x: Tensor<4>, features: &[Tensor<4>], trace: &mut Trace) -> Tensor<4> {
        let mut x = x;
        for (index, level) in self.up.iter().enumerate().skip(first) {
            let number = LEVELS - index;
            let name = format!("d{number}");
            x = level.forward(x, features[number - 1].clone(), &name, trace);
            trace.record(name.as_str(), &x);
            trace.record_stage(&name, &x);
        }
        self.outc.forward(x)
    }

    /// The values of its stages, of which none can be overridden.
    pub fn overrides(&self) -> Overrides {
        Overrides::nothing(self.config.levels().map(|level| level.grid))
    }
}

impl Model for UNet {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let features = encode(&self.inc, &self.down, inputs.image, trace);
        let logits = self.decode(0, features[LEVELS].clone(), &features, trace);
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

impl Inspectable for UNet {
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

impl LevelDecoder for UNet {
    fn rest(&self, level: usize, output: Tensor<4>, features: &[Tensor<4>]) -> Tensor<4> {
        self.decode(level + 1, output, features, &mut Trace::off())
    }
}
