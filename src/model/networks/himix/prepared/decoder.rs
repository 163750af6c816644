//! The layer fusion, decoder stages and head: everything after the two encoders, including what can be overridden.

use std::sync::Arc;

use super::super::config::HiMixConfig;
use super::super::decoder::DecoderStage;
use super::super::fusion::{FixedFusion, Fusion};
use super::StageTexts;
use super::stage::PreparedStage;
use crate::model::Target;
use crate::model::blocks::head::Head;
use crate::model::network::{Decoded, DecodedStage, Features, TextStates};
use crate::model::overrides::Overrides;
use crate::model::prepared::PreparedHead;

/// The decoder, prepared for prediction. Clones share the weights.
#[derive(Clone, Debug)]
pub struct PreparedDecoder {
    fusion: Fusion,
    /// The same with its weights as numbers.
    fixed_fusion: FixedFusion,
    stages: Vec<PreparedStage>,
    head: Arc<PreparedHead>,
    overrides: Overrides,
}

impl PreparedDecoder {
    /// Computes the filter matrices and folds the norms and scales into the weights.
    pub fn of(
        fusion: Fusion,
        stages: Vec<DecoderStage>,
        head: &Head,
        config: &HiMixConfig,
        overrides: Overrides,
        target: &Target,
    ) -> Self {
        let stages = stages
            .into_iter()
            .enumerate()
            .map(|(index, stage)| PreparedStage::of(stage, config.stage_grid(index), target))
            .collect();
        Self {
            fixed_fusion: fusion.fixed(),
            fusion,
            stages,
            head: Arc::new(PreparedHead::of(head, target)),
            overrides,
        }
    }

    /// The values with which the decoder runs.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Returns a decoder with the same weights but other values. `overrides` must be valid and match the shape of
    /// this network. Only what differs is computed again.
    pub fn with_overrides(&self, overrides: &Overrides) -> Self {
        let stages = self.stages.iter().zip(&self.overrides.stages).zip(&overrides.stages);
        let fusion = self.fusion.with_overrides(&overrides.groups, &overrides.order);
        Self {
            fixed_fusion: fusion.fixed(),
            fusion,
            stages: stages
                .map(|((stage, old), new)| if old == new { stage.clone() } else { stage.with_overrides(new) })
                .collect(),
            head: self.head.clone(),
            overrides: overrides.clone(),
        }
    }

    /// Maps the outputs of the text encoder's embedding and layers, each `[1, tokens, hidden]`, to the text of
    /// each stage.
    pub fn fuse(&self, states: &TextStates) -> StageTexts {
        let fused = self.fixed_fusion.forward(states);
        self.stages.iter().zip(fused).map(|(stage, text)| stage.project_text(text?)).collect()
    }

    /// Maps features and texts to logits and the intermediate results of the stages.
    pub fn decode(&self, features: &Features, texts: StageTexts) -> Decoded {
        let last = features.len() - 1;
        let mut x = features[last].clone();
        let mut stages = Vec::new();
        for (index, (stage, text)) in self.stages.iter().zip(texts).enumerate() {
            let input = x.clone();
            let (output, filtered) = stage.forward(x, text, features[last - 1 - index].clone());
            x = output.clone();
            stages.push(DecodedStage { input, filtered, output });
        }
        let n = x.dims()[0].isqrt();
        Decoded { logits: self.head.forward(x, n), stages }
    }
}
