//! The network assembled: image and prompt to a logit a pixel.
//!
//! Hwang, Sim, Kim: "HiMix: Hierarchical Visual-Textual Mixing Network for Lesion Segmentation", WACV 2026.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor};

use super::config::{ConfigError, ModelConfig};
use super::decoder::DecoderStage;
use super::fusion::Fusion;
use super::head::Head;
use super::overrides::Overrides;
use super::text_encoder::TextEncoder;
use super::trace::Trace;
use super::vision_encoder::VisionEncoder;

/// The whole network.
#[derive(Module, Debug)]
pub struct HiMix {
    /// Image to features at four sizes.
    pub vision: VisionEncoder,
    /// Prompt to token states of every layer.
    pub text: TextEncoder,
    /// Token states to the text of each stage.
    pub fusion: Fusion,
    /// Stages, coarse to fine.
    pub stages: Vec<DecoderStage>,
    /// Features to logits.
    pub head: Head,
}

/// What the decoder gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[batch, 1, side, side]`
    pub logits: Tensor<4>,
    /// Output of each stage, coarse to fine: `[batch, C/2, 2n, 2n]`
    pub stages: Vec<Tensor<4>>,
}

impl HiMix {
    /// A network with random weights. Fails where the configuration cannot be built.
    pub fn new(config: &ModelConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            vision: VisionEncoder::new(&config.vision, device),
            text: TextEncoder::new(&config.text, device),
            fusion: Fusion::new(config, device)?,
            stages: (0..config.stage_count()).map(|stage| DecoderStage::new(config, stage, device)).collect(),
            head: Head::new(config, device),
        })
    }

    /// Image features and text of each stage → logits and what the stages gave.
    ///
    /// `features` are fine to coarse as the vision encoder gives them, `text` coarse to fine as the fusion does.
    pub fn decode(&self, features: &[Tensor<4>], text: Vec<Option<Tensor<3>>>, trace: &mut Trace) -> Decoded {
        let last = features.len() - 1;
        let mut x = features[last].clone();
        let mut stages = Vec::with_capacity(self.stages.len());
        for (index, (stage, text)) in self.stages.iter().zip(text).enumerate() {
            let name = stage_name(self.stages.len(), index);
            if let Some(text) = &text {
                trace.record(format!("{name}.fused_text"), text);
            }
            x = stage.forward(x, text, features[last - 1 - index].clone(), &name, trace);
            stages.push(x.clone());
        }
        let logits = self.head.forward(x, trace);
        trace.record("logits", &logits);
        Decoded { logits, stages }
    }

    /// Image `[batch, 3, side, side]`, token numbers and mask `[batch, tokens]` → logits `[batch, 1, side, side]`.
    pub fn forward(
        &self,
        image: Tensor<4>,
        ids: Tensor<2, Int>,
        mask: Tensor<2, Int>,
        trace: &mut Trace,
    ) -> Tensor<4> {
        let features = self.vision.forward(image, trace);
        let states = self.text.forward(ids, mask, trace);
        let logits = self.decode(&features, self.fusion.forward(&states), trace).logits;
        if trace.is_on() {
            trace.record("probability", &sigmoid(logits.clone()));
        }
        logits
    }

    /// The values with which it runs; `config` is what it was built from.
    pub fn overrides(&self, config: &ModelConfig) -> Overrides {
        let stages = self.stages.iter().enumerate();
        Overrides {
            stages: stages.map(|(index, stage)| stage.overrides(config.stage_grid(index))).collect(),
            groups: self.fusion.group_overrides(),
            order: self.fusion.order().to_vec(),
        }
    }

    /// The same weights with other values; a filter that is switched off becomes one that passes everything.
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

    /// σ of each stage, coarse to fine; none for a stage without filter.
    pub fn sigmas(&self) -> Vec<Option<f32>> {
        self.stages
            .iter()
            .map(|stage| {
                let filter = stage.guide.as_ref()?.spectrum.as_ref()?;
                filter.sigma.val().into_data().iter::<f32>().next()
            })
            .collect()
    }
}

/// Name of a stage in the reference tensors: `stage3` is the coarsest of three.
pub fn stage_name(count: usize, index: usize) -> String {
    format!("stage{}", count - index)
}
