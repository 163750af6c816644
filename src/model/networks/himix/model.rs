//! The complete network, which maps an image and a prompt to one logit per pixel.
//!
//! Hwang, Sim, Kim: "HiMix: Hierarchical Visual-Textual Mixing Network for Lesion Segmentation", WACV 2026.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::attribution::Attributor;
use super::config::HiMixConfig;
use super::decoder::DecoderStage;
use super::fusion::Fusion;
use super::prepared::Prepared;
use crate::model::Target;
use crate::model::blocks::head::Head;
use crate::model::blocks::text_encoder::TextEncoder;
use crate::model::blocks::vision_encoder::VisionEncoder;
use crate::model::config::ConfigError;
use crate::model::network::{self, Executor, Inputs, Inspectable, Model, TextConditioned, Tokens};
use crate::model::overrides::Overrides;
use crate::model::trace::Trace;

/// The complete network.
#[derive(Module, Debug)]
pub struct HiMix {
    /// The vision encoder, which computes image features at four resolutions.
    pub vision: VisionEncoder,
    /// The text encoder, which computes the token states of every layer.
    pub text: TextEncoder,
    /// The layer fusion, which mixes the token states to the text of each stage.
    pub fusion: Fusion,
    /// The decoder stages, coarse to fine.
    pub stages: Vec<DecoderStage>,
    /// The head, which maps features to logits.
    pub head: Head,
    /// The configuration from which the network was built.
    #[module(skip)]
    pub config: HiMixConfig,
}

impl HiMix {
    /// Creates a network with random weights.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub fn new(config: &HiMixConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            vision: VisionEncoder::new(&config.vision, device),
            text: TextEncoder::new(&config.text, device),
            fusion: Fusion::new(config, device)?,
            stages: (0..config.stage_count()).map(|stage| DecoderStage::new(config, stage, device)).collect(),
            head: Head::new(config.vision.hidden_sizes[0], config.decoder.subpixel_channels, device),
            config: config.clone(),
        })
    }

    /// Maps the image features and the text of each stage to logits.
    ///
    /// `features` are ordered fine to coarse, as returned by the vision encoder, and `text` coarse to fine, as
    /// returned by the fusion.
    fn decode(&self, features: &[Tensor<4>], text: Vec<Option<Tensor<3>>>, trace: &mut Trace) -> Tensor<4> {
        let last = features.len() - 1;
        let mut x = features[last].clone();
        for (index, (stage, text)) in self.stages.iter().zip(text).enumerate() {
            let name = stage_name(self.stages.len(), index);
            if let Some(text) = &text {
                trace.record(format!("{name}.fused_text"), text);
            }
            x = stage.forward(x, text, features[last - 1 - index].clone(), &name, trace);
        }
        let logits = self.head.forward(x, trace);
        trace.record("logits", &logits);
        logits
    }

    /// The values with which the network runs.
    pub fn overrides(&self) -> Overrides {
        let stages = self.stages.iter().enumerate();
        Overrides {
            stages: stages.map(|(index, stage)| stage.overrides(self.config.stage_grid(index))).collect(),
            groups: self.fusion.group_overrides(),
            order: self.fusion.order().to_vec(),
        }
    }

    /// Returns the network with the same weights but other values. A disabled filter becomes one that passes
    /// everything.
    pub fn with_overrides(self, overrides: &Overrides) -> Self {
        let fusion = self.fusion.with_overrides(&overrides.groups, &overrides.order);
        let stages = self
            .stages
            .into_iter()
            .zip(&overrides.stages)
            .map(|(stage, overrides)| stage.with_overrides(overrides))
            .collect();
        Self { fusion, stages, ..self }
    }
}

impl Model for HiMix {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let tokens = inputs.tokens.unwrap_or_else(|| panic!("HiMix reads a prompt"));
        let features = self.vision.forward(inputs.image, trace);
        let states = self.text.forward(tokens.ids, tokens.mask, trace);
        let logits = self.decode(&features, self.fusion.forward(&states), trace);
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

impl TextConditioned for HiMix {
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>> {
        self.text.forward(tokens.ids, tokens.mask, trace)
    }

    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4> {
        let features = self.vision.forward(image, trace);
        self.decode(&features, self.fusion.forward(states), trace)
    }
}

impl Inspectable for HiMix {
    fn overrides(&self) -> Overrides {
        Self::overrides(self)
    }

    fn with_overrides(&self, overrides: &Overrides) -> Box<dyn Model> {
        let mut model = Self::with_overrides(self.clone(), overrides);
        model.config = self.config.with_overrides(overrides);
        // A stage without text has no guide block in files either.
        for (stage, number) in model.stages.iter_mut().zip(&overrides.order) {
            stage.guide = stage.guide.take().filter(|_| overrides.groups[number - 1].is_used);
        }
        Box::new(model)
    }

    fn attributor(&self, overrides: &Overrides) -> Box<dyn network::Attributor> {
        Box::new(Attributor::of(self.clone(), overrides))
    }
}

/// The name of a stage in the reference tensors. `stage3` is the coarsest of three.
pub fn stage_name(count: usize, index: usize) -> String {
    format!("stage{}", count - index)
}
