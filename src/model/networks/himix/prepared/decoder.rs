//! Layer fusion, decoder stages and head: everything after the two encoders, and what of it can be turned.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::conv::PreparedHead;
use super::stage::PreparedStage;
use super::{Decoded, Features, StageTexts};
use crate::model::config::ModelConfig;
use crate::model::fusion::Fusion;
use crate::model::himix::HiMix;
use crate::model::overrides::Overrides;

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
    pub fn of(model: &HiMix, config: &ModelConfig) -> Self {
        let stages: Vec<PreparedStage> = model
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| PreparedStage::of(stage, config.stage_grid(index)))
            .collect();
        let head = Arc::new(PreparedHead::of(&model.head));
        Self { fusion: model.fusion.clone(), stages, head, overrides: model.overrides(config) }
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
    pub fn fuse(&self, states: &[Tensor<3>]) -> StageTexts {
        let fused = self.fusion.forward(states);
        self.stages.iter().zip(fused).map(|(stage, text)| stage.project_text(text?)).collect()
    }

    /// Features and texts → logits and what the stages gave.
    pub fn decode(&self, features: &Features, texts: StageTexts) -> Decoded {
        let last = features.len() - 1;
        let mut x = features[last].clone();
        let (mut stages, mut filters) = (Vec::new(), Vec::new());
        for (index, (stage, text)) in self.stages.iter().zip(texts).enumerate() {
            let (output, filtered) = stage.forward(x, text, features[last - 1 - index].clone());
            x = output.clone();
            stages.push(output);
            filters.push(filtered);
        }
        let n = x.dims()[0].isqrt();
        Decoded { logits: self.head.forward(x, n), stages, filtered: filters }
    }
}
