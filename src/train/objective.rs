//! What a step minimises: the loss of the mask and, if wanted, of the decoder stages.

use burn::tensor::{Device, Gradients, Tensor};

use super::batches::Batch;
use super::config::TrainConfig;
use super::error::TrainError;
use super::loss::LossTerms;
use super::stage_heads::StageHeads;
use super::text_states::TextStates;
use super::validate::{Tensors, logits_traced};
use crate::model::network::StageShape;
use crate::model::{Model, Trace};

/// The settings of the loss, and the heads of the stages.
pub struct Objective {
    terms: LossTerms,
    /// The heads of the auxiliary losses; `None` without them.
    pub stages: Option<StageHeads>,
    is_by_case: bool,
}

/// The value of the objective for a batch.
pub struct Value {
    /// What is minimised, the mean over the images, `[1]`.
    pub total: Tensor<1>,
    /// The loss of the mask of every image, in the order of the batch, if it is wanted.
    pub by_case: Option<Vec<f32>>,
}

impl Objective {
    /// The objective that the settings describe, for a network with these stages on a device with gradients.
    ///
    /// # Errors
    /// The weights of the stages do not fit the network.
    pub fn new(config: &TrainConfig, stages: &[StageShape], device: &Device) -> Result<Self, TrainError> {
        let weights = &config.stage_losses;
        let heads = || StageHeads::new(weights, stages, config.weight_decay, device);
        let stages = (!weights.is_empty()).then(heads).transpose()?;
        Ok(Self { terms: LossTerms::of(config), stages, is_by_case: config.hard_examples > 0.0 })
    }

    /// Computes the objective for a batch.
    pub fn value(
        &self,
        model: &dyn Model,
        tensors: &Tensors,
        batch: &Batch,
        kept: Option<&mut TextStates>,
    ) -> Value {
        let mut trace = if self.stages.is_some() { StageHeads::trace() } else { Trace::off() };
        let logits = logits_traced(model, tensors, batch, kept, &mut trace);
        let by_case = self.is_by_case.then(|| self.by_case(&logits, &tensors.target));
        let mut total = self.terms.loss(logits, tensors.target.clone()).total;
        if let Some(more) =
            self.stages.as_ref().and_then(|stages| stages.loss(&self.terms, trace, &tensors.target))
        {
            total = total + more;
        }
        Value { total, by_case }
    }

    /// The loss of every image by itself.
    fn by_case(&self, logits: &Tensor<4>, target: &Tensor<4>) -> Vec<f32> {
        let (logits, target) = (logits.clone().inner(), target.clone().inner());
        let [batch, ..] = logits.dims();
        let one = |image: usize| {
            let image = |tensor: &Tensor<4>| tensor.clone().narrow(0, image, 1);
            self.terms.loss(image(&logits), image(&target)).total
        };
        Tensor::cat((0..batch).map(one).collect(), 0).into_data().iter::<f32>().collect()
    }

    /// Takes the gradients of what is no part of the network out of those of a pass.
    pub fn collect(&mut self, gradients: &mut Gradients) {
        if let Some(stages) = &mut self.stages {
            stages.collect(gradients);
        }
    }

    /// Updates what is no part of the network with the gradients that were collected.
    pub fn step(&mut self, rate: f64) {
        if let Some(stages) = &mut self.stages {
            stages.step(rate);
        }
    }
}
