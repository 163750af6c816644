//! Saving the results of a run: the row of an epoch, the best weights and checkpoints.

use std::path::Path;
use std::time::Instant;

use super::Run;
use crate::model::config::ModelConfig;
use crate::train::error::TrainError;
use crate::train::event::{Epoch, Event};
use crate::train::schedule::learning_rate;
use crate::train::validate::Validation;

impl Run<'_> {
    /// Saves the results of an epoch.
    pub(super) fn finish(
        &mut self,
        number: usize,
        validation: &Validation,
        seconds: f64,
    ) -> Result<(), TrainError> {
        let scores = &validation.scores;
        let best = self.progress.best().map(|best| best.validation_loss);
        let losses = std::mem::take(&mut self.progress.losses);
        let Some(model) = &self.model else { return Ok(()) };
        let overrides = model.inspectable().map(|model| model.overrides()).unwrap_or_default();
        let epoch = Epoch {
            number: number + 1,
            train_loss: losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64,
            validation_loss: scores.loss(),
            pooled_dice: scores.pooled_dice(),
            pooled_iou: scores.pooled_iou(),
            per_image_dice: scores.per_image_dice(),
            per_image_iou: scores.per_image_iou(),
            learning_rate: learning_rate(self.config, number),
            sigma: overrides.stages.iter().map(|stage| stage.sigma).collect(),
            layer_weights: overrides.layer_weights(),
            images: self.train.len() - self.progress.skipped,
            skipped: self.progress.skipped,
            seconds,
            waiting: self.waiting,
            is_best: best.is_none_or(|best| scores.loss() < best),
        };
        if epoch.is_best {
            let described = self.described(&epoch);
            let model = model.without_gradients();
            self.folder.keep_best(&described, model.as_ref(), self.vocabulary.as_deref())?;
        }
        self.progress.history.push(epoch.clone());
        self.progress.step = 0;
        self.progress.skipped = 0;
        self.folder.log(&format!(
            "epoch {}: loss {:.4}, validation {:.4}",
            epoch.number, epoch.train_loss, epoch.validation_loss
        ));
        (self.report)(Event::Epoch(epoch));
        (self.report)(Event::Preview { epoch: number + 1, masks: validation.masks.clone() });
        self.checkpoint()
    }

    pub(super) fn checkpoint(&mut self) -> Result<(), TrainError> {
        // Losses that are still on a GPU belong to the checkpoint too, and one that is not finite forbids it.
        self.look_at_losses(self.progress.history.len(), true)?;
        let Some(model) = &self.model else { return Ok(()) };
        let described = match self.progress.history.last() {
            Some(epoch) => self.described(epoch),
            None => self.model_config.clone(),
        };
        let (model, moments) = (model.without_gradients(), self.optimiser.to_arrays());
        let vocabulary = self.vocabulary.as_deref();
        self.folder.checkpoint(&described, model.as_ref(), vocabulary, moments, &self.progress)?;
        self.saved = Instant::now();
        (self.report)(Event::Checkpoint);
        Ok(())
    }

    /// The configuration of the bundle with the scores of an epoch.
    fn described(&self, epoch: &Epoch) -> ModelConfig {
        let mut config = self.model_config.clone();
        let mut data: Vec<String> = self.config.data.iter().map(|path| file_name(path)).collect();
        if self.config.phantoms > 0 {
            data.push(format!("{} phantoms an epoch", self.config.phantoms));
        }
        config.provenance.description = format!(
            "Trained on {} (split {}), epoch {}; validation Dice {:.3} pooled, {:.3} per image.",
            data.join(", "),
            self.config.train_split,
            epoch.number,
            epoch.pooled_dice,
            epoch.per_image_dice
        );
        config
    }
}

/// The last component of a path, which names a data set or a model.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}
