//! The complete network, which maps an image and a prompt to one logit per pixel.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::config::{GuideDecoderConfig, STAGES};
use super::decoder::DecoderStage;
use super::prepared::Prepared;
use crate::model::Target;
use crate::model::blocks::head::Head;
use crate::model::blocks::text_encoder::TextEncoder;
use crate::model::blocks::vision_encoder::VisionEncoder;
use crate::model::config::ConfigError;
use crate::model::network::{
    Attributor, Executor, Features, Inputs, Inspectable, Model, TextConditioned, TextStates, Tokens,
};
use crate::model::overrides::{GroupOverrides, Overrides, StageOverrides};
use crate::model::prepared::{to_planes, to_positions};
use crate::model::trace::Trace;

/// The complete network.
#[derive(Module, Debug)]
pub struct GuideDecoder {
    /// The vision encoder, which computes image features at four resolutions.
    pub vision: VisionEncoder,
    /// The text encoder. The decoder reads its last layer.
    pub text: TextEncoder,
    /// The decoder stages, coarse to fine.
    pub stages: Vec<DecoderStage>,
    /// The head, which maps features to logits.
    pub head: Head,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: GuideDecoderConfig,
}

/// The name of a stage in the reference tensors. `stage3` is the coarsest.
fn stage_name(index: usize) -> String {
    format!("stage{}", STAGES - index)
}

/// Runs the stages from `first` on and the head. `features` are ordered fine to coarse, as returned by the vision encoder,
/// and `x` is the input of the first of these stages.
fn decode_from(
    (stages, head): (&[DecoderStage], &Head),
    first: usize,
    mut x: Tensor<4>,
    features: &[Tensor<4>],
    text: &Tensor<3>,
    trace: &mut Trace,
) -> Tensor<4> {
    let last = features.len() - 1;
    for (index, stage) in stages.iter().enumerate().skip(first) {
        x = stage.forward(x, text.clone(), features[last - 1 - index].clone(), &stage_name(index), trace);
    }
    head.forward(x, trace)
}

/// The values with which a network with these sizes runs, if it reads the text where `reads_text` says so. All groups have
/// the last layer of the text encoder, and each feeds one stage.
pub fn overrides_of(config: &GuideDecoderConfig, reads_text: impl Fn(usize) -> bool) -> Overrides {
    let stage =
        |index| StageOverrides { grid: config.stage_grid(index), sigma: None, is_filtered: false, betas: None };
    // The first group feeds the finest stage.
    let group = |index: usize| GroupOverrides {
        layers: vec![config.text.num_hidden_layers],
        alpha: None,
        is_used: reads_text(STAGES - 1 - index),
    };
    Overrides {
        stages: (0..STAGES).map(stage).collect(),
        groups: (0..STAGES).map(group).collect(),
        order: (1..=STAGES).rev().collect(),
    }
}

impl GuideDecoder {
    /// Creates a network with random weights.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &GuideDecoderConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            vision: VisionEncoder::new(&config.vision.encoder(), device),
            text: TextEncoder::new(&config.text, device),
            stages: (0..STAGES).map(|stage| DecoderStage::new(config, stage, device)).collect(),
            head: Head::with_equal_subpixels(config.vision.hidden_sizes[0], config.head.subpixel_channels, device),
            config: config.clone(),
        })
    }

    fn decode(&self, features: &[Tensor<4>], states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        let (x, text) = (features[features.len() - 1].clone(), &states[states.len() - 1]);
        let logits = decode_from((&self.stages, &self.head), 0, x, features, text, trace);
        trace.record("logits", &logits);
        logits
    }

    /// Returns the network without the guide layers of the stages that read no text with `overrides`.
    fn overridden(mut self, overrides: &Overrides) -> Self {
        for (stage, text) in self.stages.iter_mut().zip(overrides.layer_weights()) {
            stage.guide = stage.guide.take().filter(|_| !text.is_empty());
        }
        self
    }
}

impl Model for GuideDecoder {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let tokens = inputs.tokens.unwrap_or_else(|| panic!("GuideDecoder reads a prompt"));
        let features = self.vision.forward(inputs.image, trace);
        let states = self.text.forward(tokens.ids, tokens.mask, trace);
        let logits = self.decode(&features, &states, trace);
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

impl TextConditioned for GuideDecoder {
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>> {
        // The decoder reads the last layer only.
        self.text.forward(tokens.ids, tokens.mask, trace).pop().into_iter().collect()
    }

    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        let features = self.vision.forward(image, trace);
        self.decode(&features, states, trace)
    }
}

impl Inspectable for GuideDecoder {
    fn overrides(&self) -> Overrides {
        overrides_of(&self.config, |stage| self.stages[stage].guide.is_some())
    }

    fn with_overrides(&self, overrides: &Overrides) -> Box<dyn Model> {
        let mut model = self.clone().overridden(overrides);
        model.config.decoder.without_text = (0..STAGES)
            .filter(|stage| model.stages[*stage].guide.is_none())
            .map(|stage| self.config.stage_grid(stage))
            .collect();
        Box::new(model)
    }

    fn attributor(&self, overrides: &Overrides) -> Box<dyn Attributor> {
        // A frozen decoder keeps the statistics of its batch norms and computes no gradients of weights.
        let Self { stages, head, .. } = self.clone().overridden(overrides).freeze();
        Box::new(GuideAttributor { stages, head })
    }
}

/// A decoder that is differentiated with respect to its inputs, not its weights.
#[derive(Debug)]
struct GuideAttributor {
    stages: Vec<DecoderStage>,
    head: Head,
}

impl Attributor for GuideAttributor {
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2> {
        let planes = |x: &Tensor<2>| Tensor::<4>::from_inner(to_planes(x.clone(), x.dims()[0].isqrt()));
        let features: Vec<Tensor<4>> = features.iter().map(planes).collect();
        let text = Tensor::from_inner(text[text.len() - 1].clone());
        let output = planes(output).require_grad();
        let decoder = (self.stages.as_slice(), &self.head);
        let logits = decode_from(decoder, stage + 1, output.clone(), &features, &text, &mut Trace::off());
        let gradients = ((logits * chosen.clone()).sum() / chosen.clone().sum()).backward();
        let gradient = output.grad(&gradients).unwrap_or_else(|| output.clone().inner().zeros_like());
        to_positions(gradient)
    }
}
