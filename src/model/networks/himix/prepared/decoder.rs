//! Layer fusion, decoder stages and head: everything after the two encoders, and what of it can be overridden.

use std::sync::Arc;

use super::super::fusion::Fusion;
use super::super::model::HiMix;
use super::StageTexts;
use super::stage::PreparedStage;
use crate::model::network::{Decoded, DecodedStage, Features, TextStates};
use crate::model::overrides::Overrides;
use crate::model::prepared::PreparedHead;

/// The decoder, folded. A clone shares the weights.
#[derive(Clone, Debug)]
pub struct PreparedDecoder {
    fusion: Fusion,
    stages: Vec<PreparedStage>,
    head: Arc<PreparedHead>,
    overrides: Overrides,
}

impl PreparedDecoder {
    /// Works out filters, norms and scales.
    pub fn of(model: &HiMix) -> Self {
        let stages: Vec<PreparedStage> = model
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| PreparedStage::of(stage, model.config.stage_grid(index)))
            .collect();
        let head = Arc::new(PreparedHead::of(&model.head));
        Self { fusion: model.fusion.clone(), stages, head, overrides: model.overrides() }
    }

    /// The values with which it runs.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The same weights with other values; `overrides` must be valid and of this network's shape. Only what differs is worked out
    /// again.
    pub fn with_overrides(&self, overrides: &Overrides) -> Self {
        let stages = self.stages.iter().zip(&self.overrides.stages).zip(&overrides.stages);
        Self {
            fusion: self.fusion.with_overrides(&overrides.groups, &overrides.order),
            stages: stages
                .map(|((stage, old), new)| if old == new { stage.clone() } else { stage.with_overrides(new) })
                .collect(),
            head: self.head.clone(),
            overrides: overrides.clone(),
        }
    }

    /// Outputs of the text encoder's embedding and layers, each `[1, tokens, hidden]` → what the stages read.
    pub fn fuse(&self, states: &TextStates) -> StageTexts {
        let fused = self.fusion.forward(states);
        self.stages.iter().zip(fused).map(|(stage, text)| stage.project_text(text?)).collect()
    }

    /// Features and texts → logits and what the stages gave.
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
