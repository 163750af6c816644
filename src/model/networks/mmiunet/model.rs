//! The complete network, which maps an image and a prompt to one logit per pixel.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::bridger::Bridger;
use super::config::{LEVELS, MmiUnetConfig, STAGES};
use super::prepared::Prepared;
use crate::model::Target;
use crate::model::blocks::conv_norm::batch_norm;
use crate::model::blocks::head::Head;
use crate::model::blocks::text_encoder::TextEncoder;
use crate::model::blocks::vision_encoder::{Stage, VisionEncoder};
use crate::model::config::ConfigError;
use crate::model::layers::{Conv2d, ConvShape, Upsample2};
use crate::model::network::{
    Attributor, Executor, Features, Inputs, Inspectable, Model, TextConditioned, TextStates, Tokens,
};
use crate::model::overrides::{Overrides, StageOverrides};
use crate::model::prepared::{to_planes, to_positions};
use crate::model::trace::Trace;

/// A decoder stage: a transposed convolution, the concatenation with the skip connection, and a convolution with batch
/// norm and ReLU.
#[derive(Module, Debug)]
pub struct DecoderStage {
    /// The transposed convolution from C to C/2, which doubles the side length.
    pub up: Upsample2,
    /// The convolution from C to C/2 over the concatenation of the upsampled features and the skip connection.
    pub conv: Conv2d,
    /// The batch norm after the convolution.
    pub norm: BatchNorm,
}

impl DecoderStage {
    fn new(channels: usize, device: &Device) -> Self {
        let half = channels / 2;
        let shape = ConvShape { input: channels, output: half, kernel: 3, stride: 1, padding: 1, groups: 1 };
        Self {
            up: Upsample2::new(channels, half, true, device),
            conv: Conv2d::new(shape, true, device),
            norm: BatchNormConfig::new(half).init(device),
        }
    }

    /// Maps features `[batch, C, n, n]` and the skip connection `[batch, C/2, 2n, 2n]` to `[batch, C/2, 2n, 2n]`.
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>, name: &str, trace: &mut Trace) -> Tensor<4> {
        let upsampled = self.up.forward(x);
        trace.record(format!("{name}.upsampled"), &upsampled);
        let x = batch_norm(&self.norm, self.conv.forward(Tensor::cat(vec![upsampled, skip], 1)), 0.0);
        trace.record(format!("{name}.decoded"), &x);
        x
    }
}

/// The complete network.
#[derive(Module, Debug)]
pub struct MmiUnet {
    /// The vision encoder.
    pub vision: VisionEncoder,
    /// The text encoder. The first Bridger reads its last layer.
    pub text: TextEncoder,
    /// The Bridgers behind the stages of the vision encoder, fine to coarse.
    pub bridgers: Vec<Bridger>,
    /// The decoder stages, coarse to fine.
    pub stages: Vec<DecoderStage>,
    /// The head, which maps features to logits.
    pub head: Head,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: MmiUnetConfig,
}

/// The values of a network with these sizes. Nothing can be overridden: the text does not enter the decoder's stages.
pub fn overrides_of(config: &MmiUnetConfig) -> Overrides {
    let stage =
        |index| StageOverrides { grid: config.stage_grid(index), sigma: None, is_filtered: false, betas: None };
    Overrides { stages: (0..STAGES).map(stage).collect(), groups: Vec::new(), order: Vec::new() }
}

/// Runs the vision encoder behind its first stage, and the Bridgers. `x` is the output of the first stage. Returns the
/// features, fine to coarse.
fn bridge(
    (encoder, bridgers): (&[Stage], &[Bridger]),
    mut x: Tensor<4>,
    text: &Tensor<3>,
    trace: &mut Trace,
) -> Vec<Tensor<4>> {
    let mut texts = text.clone();
    let mut features: Vec<Tensor<4>> = Vec::with_capacity(LEVELS);
    for (level, bridger) in bridgers.iter().enumerate() {
        let name = format!("stage{}", level + 1);
        if let Some(fused) = features.last() {
            // What goes on holds the features twice.
            x = x + fused.clone();
            trace.record(format!("{name}.input"), &x);
            x = encoder[level].forward(x);
            // The text that a Bridger returns holds the text that it got.
            texts = texts + text.clone();
        }
        let (fused, returned) = bridger.forward(x.clone(), texts, level + 1 == LEVELS, &name, trace);
        features.push(fused);
        texts = returned;
    }
    features
}

/// Runs the decoder's stages from `first` on and the head. `features` are ordered fine to coarse, and `x` is the input of
/// the first of these stages.
fn decode_from(
    (stages, head): (&[DecoderStage], &Head),
    first: usize,
    mut x: Tensor<4>,
    features: &[Tensor<4>],
    trace: &mut Trace,
) -> Tensor<4> {
    for (index, stage) in stages.iter().enumerate().skip(first) {
        let skip = features[STAGES - 1 - index].clone();
        x = stage.forward(x, skip, &MmiUnetConfig::stage_key(index), trace);
    }
    head.forward(x, trace)
}

impl MmiUnet {
    /// Creates a network with random weights.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &MmiUnetConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            vision: VisionEncoder::new(&config.vision.encoder(), device),
            text: TextEncoder::new(&config.text, device),
            bridgers: (0..LEVELS).map(|level| Bridger::new(config, level, device)).collect(),
            stages: (0..STAGES).map(|stage| DecoderStage::new(config.stage_channels(stage), device)).collect(),
            head: Head::with_equal_subpixels(config.vision.hidden_sizes[0], config.head.subpixel_channels, device),
            config: config.clone(),
        })
    }

    fn compute(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        let stem = self.vision.embeddings.forward(image);
        trace.record("stem", &stem);
        let first = self.vision.stages[0].forward(stem);
        let text = &states[states.len() - 1];
        let features = bridge((&self.vision.stages, &self.bridgers), first, text, trace);
        let x = features[features.len() - 1].clone();
        let logits = decode_from((&self.stages, &self.head), 0, x, &features, trace);
        trace.record("logits", &logits);
        logits
    }
}

impl Model for MmiUnet {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let tokens = inputs.tokens.unwrap_or_else(|| panic!("MMI-UNet reads a prompt"));
        let states = self.text.forward(tokens.ids, tokens.mask, trace);
        let logits = self.compute(inputs.image, &states, trace);
        if trace.is_on() {
            trace.record("probability", &sigmoid(logits.clone()));
        }
        logits
    }

    fn prepare(self: Box<Self>, target: &Target) -> Box<dyn Executor> {
        Box::new(Prepared::new(*self, target))
    }

    fn freeze_text(self: Box<Self>) -> Box<dyn Model> {
        let model = *self;
        Box::new(Self { text: model.text.freeze(), ..model })
    }

    fn text_conditioned(&self) -> Option<&dyn TextConditioned> {
        Some(self)
    }

    fn inspectable(&self) -> Option<&dyn Inspectable> {
        Some(self)
    }
}

impl TextConditioned for MmiUnet {
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>> {
        // The first Bridger reads the last layer only.
        self.text.forward(tokens.ids, tokens.mask, trace).pop().into_iter().collect()
    }

    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        self.compute(image, states, trace)
    }
}

impl Inspectable for MmiUnet {
    fn overrides(&self) -> Overrides {
        overrides_of(&self.config)
    }

    fn with_overrides(&self, _: &Overrides) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn attributor(&self, _: &Overrides) -> Box<dyn Attributor> {
        // A frozen network keeps the statistics of its batch norms, applies no dropout and computes no gradients of
        // weights.
        let Self { vision, bridgers, stages, head, .. } = self.clone().freeze();
        Box::new(MmiAttributor { encoder: vision.stages, bridgers, stages, head })
    }
}

/// A decoder that is differentiated with respect to its inputs, not its weights. The skip connections depend on the text,
/// so that it has the encoder as well.
#[derive(Debug)]
struct MmiAttributor {
    encoder: Vec<Stage>,
    bridgers: Vec<Bridger>,
    stages: Vec<DecoderStage>,
    head: Head,
}

impl Attributor for MmiAttributor {
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2> {
        let planes = |x: &Tensor<2>| Tensor::<4>::from_inner(to_planes(x.clone(), x.dims()[0].isqrt()));
        let text = Tensor::from_inner(text[text.len() - 1].clone());
        let mut trace = Trace::off();
        let skips = bridge((&self.encoder, &self.bridgers), planes(&features[0]), &text, &mut trace);
        let output = planes(output).require_grad();
        let decoder = (self.stages.as_slice(), &self.head);
        let logits = decode_from(decoder, stage + 1, output.clone(), &skips, &mut trace);
        let gradients = ((logits * chosen.clone()).sum() / chosen.clone().sum()).backward();
        let gradient = output.grad(&gradients).unwrap_or_else(|| output.clone().inner().zeros_like());
        to_positions(gradient)
    }
}
