//! Layer fusion, decoder stages and head: everything after the two encoders, and what of it can be turned.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::conv::PreparedHead;
use super::stage::PreparedStage;
use super::{Decoded, Features, StageTexts};
use crate::model::config::ModelConfig;
use crate::model::dials::Dials;
use crate::model::fusion::Fusion;
use crate::model::himix::HiMix;

/// The decoder, folded. A clone shares the weights.
#[derive(Clone, Debug)]
pub struct PreparedDecoder {
    fusion: Fusion,
    stages: Vec<PreparedStage>,
    head: Arc<PreparedHead>,
    dials: Dials,
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
        Self { fusion: model.fusion.clone(), stages, head, dials: model.dials(config) }
    }

    /// The values with which it runs.
    pub fn dials(&self) -> &Dials {
        &self.dials
    }

    /// The same weights with other values; `dials` must be valid and of this network's shape. Only what differs is worked out
    /// again.
    pub fn turned(&self, dials: &Dials) -> Self {
        let stages = self.stages.iter().zip(&self.dials.stages).zip(&dials.stages);
        Self {
            fusion: self.fusion.turned(&dials.groups, &dials.order),
            stages: stages
                .map(|((stage, old), new)| if old == new { stage.clone() } else { stage.turned(new) })
                .collect(),
            head: self.head.clone(),
            dials: dials.clone(),
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
