//! Saving the results of a run: the row of an epoch, the best weights and checkpoints.

use std::path::Path;
use std::time::Instant;

use super::Run;
use super::validated::{Validated, ValidatedAverage};
use crate::model::Model;
use crate::model::config::ModelConfig;
use crate::train::error::TrainError;
use crate::train::event::{AverageScores, Epoch, Event};
use crate::train::folder::{AVERAGE, OPTIMISER, Progress, STAGES};
use crate::train::schedule::rate_of_step;

impl Run<'_> {
    /// Saves the results of an epoch.
    ///
    /// # Errors
    /// The loss is not finite, or the folder cannot be written.
    pub(super) fn finish(&mut self, number: usize, mut validated: Validated) -> Result<(), TrainError> {
        // A last step may have spoilt the weights, which shows only now. Those of the last checkpoint are kept.
        if !validated.own.scores.loss().is_finite() {
            return Err(self.not_a_number(number));
        }
        let is_spoilt = |average: &mut ValidatedAverage| !average.validation.scores.loss().is_finite();
        if validated.average.take_if(is_spoilt).is_some() {
            let note = format!(
                "epoch {}: the loss of the averaged weights is NaN; only the weights themselves are kept",
                number + 1
            );
            self.folder.log(&note);
            (self.report)(Event::Warning(note));
        }
        let seconds = self.seconds();
        let scores = &validated.own.scores;
        let criterion = self.config.criterion;
        let best = self.progress.best().map(|best| best.cost(criterion));
        let losses = std::mem::take(&mut self.progress.losses);
        let Some(model) = &self.model else { return Ok(()) };
        let overrides = model.inspectable().map(|model| model.overrides());
        let overrides = overrides.filter(|overrides| !overrides.is_nothing()).unwrap_or_default();
        let average = validated.average.as_ref().map(|average| Box::new(self.scores_of_average(average)));
        let mut epoch = Epoch {
            number: number + 1,
            train_loss: losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64,
            validation_loss: scores.loss(),
            pooled_dice: scores.pooled_dice(),
            pooled_iou: scores.pooled_iou(),
            per_image_dice: scores.per_image_dice(),
            per_image_iou: scores.per_image_iou(),
            // At the last step.
            learning_rate: rate_of_step(self.config, number, 0, 1),
            sigma: overrides.stages.iter().map(|stage| stage.sigma).collect(),
            layer_weights: overrides.layer_weights(),
            // On a GPU, the first cases of an epoch fill its last pass up and may be skipped twice.
            images: self.train.len().saturating_sub(self.progress.skipped),
            skipped: self.progress.skipped,
            seconds,
            waiting: self.waiting,
            is_best: false,
            is_average: false,
            empty: Some(Box::new(scores.empty())),
            average,
        };
        let cost = epoch.cost(criterion);
        epoch.is_best = best.is_none_or(|best| cost < best);
        epoch.is_average = epoch.is_best && cost < criterion.cost(epoch.validation_loss, epoch.per_image_dice);
        let vocabulary = self.vocabulary.as_deref();
        let averaged = validated.average.as_ref().map(|average| average.model.as_ref());
        if epoch.is_best {
            let described = self.described(&epoch, epoch.is_average);
            let own = model.without_gradients();
            let kept = averaged.filter(|_| epoch.is_average).unwrap_or(own.as_ref());
            self.folder.keep_best(&described, kept, vocabulary)?;
        }
        if let Some(model) = averaged.filter(|_| epoch.average.as_ref().is_some_and(|average| average.is_best)) {
            self.folder.keep_average(&self.described(&epoch, true), model, vocabulary)?;
        }
        self.progress.history.push(epoch.clone());
        self.progress.step = 0;
        self.progress.skipped = 0;
        self.begun = Instant::now();
        self.progress.seconds = 0.0;
        self.progress.case_losses.begin_epoch();
        self.folder.log(&format!(
            "epoch {}: loss {:.4}, validation {:.4}",
            epoch.number, epoch.train_loss, epoch.validation_loss
        ));
        (self.report)(Event::Epoch(epoch));
        (self.report)(Event::Preview { epoch: number + 1, masks: validated.own.masks });
        self.checkpoint()
    }

    pub(super) fn checkpoint(&mut self) -> Result<(), TrainError> {
        // Losses that are still on a GPU belong to the checkpoint too, and one that is not finite forbids it.
        self.look_at_losses(self.progress.history.len(), true)?;
        let number = self.progress.history.len();
        let Some(model) = &self.model else { return Ok(()) };
        // The loss of a step is that before its update, which may have spoilt the weights.
        if !is_finite(model.as_ref()) {
            return Err(self.not_a_number(number));
        }
        let described = match self.progress.history.last() {
            Some(epoch) => self.described(epoch, false),
            None => self.model_config.clone(),
        };
        let model = model.without_gradients();
        let mut arrays = vec![(OPTIMISER, self.optimiser.to_arrays())];
        arrays.extend(self.average.as_ref().map(|average| (AVERAGE, average.to_arrays())));
        arrays.extend(self.stages.as_ref().map(|stages| (STAGES, stages.to_arrays())));
        let vocabulary = self.vocabulary.as_deref();
        let progress = Progress { seconds: self.seconds(), ..self.progress.clone() };
        self.folder.checkpoint(&described, model.as_ref(), vocabulary, arrays, &progress)?;
        self.saved = Instant::now();
        (self.report)(Event::Checkpoint);
        Ok(())
    }

    /// The seconds spent on the current epoch, with those before the run was resumed.
    fn seconds(&self) -> f64 {
        self.progress.seconds + self.begun.elapsed().as_secs_f64()
    }

    /// The error that ends the run after the last step of epoch `number`, counted from 0.
    fn not_a_number(&self, number: usize) -> TrainError {
        let error = TrainError::NotANumber { epoch: number + 1, step: self.progress.step.max(1) };
        self.folder.log(&error.to_string());
        error
    }

    /// The scores of the averaged weights. They are kept if no average was better.
    fn scores_of_average(&self, average: &ValidatedAverage) -> AverageScores {
        let scores = &average.validation.scores;
        let criterion = self.config.criterion;
        let before = self.progress.history.iter().filter_map(|epoch| epoch.average.as_ref());
        let best = before.map(|average| average.cost(criterion)).fold(f64::INFINITY, f64::min);
        let scores = AverageScores {
            validation_loss: scores.loss(),
            pooled_dice: scores.pooled_dice(),
            per_image_dice: scores.per_image_dice(),
            is_best: false,
        };
        AverageScores { is_best: scores.cost(criterion) < best, ..scores }
    }

    /// The configuration of the bundle with the scores of an epoch, or of its averaged weights.
    fn described(&self, epoch: &Epoch, is_average: bool) -> ModelConfig {
        let mut config = self.model_config.clone();
        let mut data: Vec<String> = self.config.data.iter().map(|path| file_name(path)).collect();
        if self.config.phantoms > 0 {
            data.push(format!("{} phantoms an epoch", self.config.phantoms));
        }
        let start = self.config.start.as_ref();
        let start = start.map_or_else(String::new, |start| format!(" from {}", file_name(start)));
        let average = epoch.average.as_ref().filter(|_| is_average);
        let (pooled, per_image) = average.map_or((epoch.pooled_dice, epoch.per_image_dice), |average| {
            (average.pooled_dice, average.per_image_dice)
        });
        config.provenance.description = format!(
            "Trained on {} (split {}){start}, epoch {}{}; validation Dice {pooled:.3} pooled, {per_image:.3} per image.",
            data.join(", "),
            self.config.train_split,
            epoch.number,
            if average.is_some() { ", averaged weights" } else { "" },
        );
        config
    }
}

/// Whether all weights are finite.
fn is_finite(model: &dyn Model) -> bool {
    let mut is_finite = true;
    model.visit_parameters(&mut |_, parameter| {
        is_finite = is_finite && parameter.values().iter().all(|value| value.is_finite());
    });
    is_finite
}

/// The last component of a path, which names a data set or a model.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}
