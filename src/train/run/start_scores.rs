//! The scores of the weights that a run starts from. Training on few cases may gain nothing, which only a comparison with
//! them shows.

use super::{Outcome, Run};
use crate::train::error::TrainError;
use crate::train::event::{Event, StartScores};

impl Run<'_> {
    /// Scores the weights of the bundle that the run starts from, once and before its first step.
    ///
    /// # Errors
    /// The loss of these weights is not finite.
    pub(super) fn score_start(&mut self) -> Result<Outcome, TrainError> {
        let Some(bundle) = &self.config.start else { return Ok(Outcome::Done) };
        let is_begun = !self.progress.history.is_empty() || self.progress.step > 0;
        if self.progress.start.is_none() && !is_begun {
            (self.report)(Event::Preparing("scoring the weights that the run starts from".into()));
            let Some(validation) = self.validate_own() else { return Ok(Outcome::Stopped) };
            let scores = validation.scores;
            if !scores.loss().is_finite() {
                return Err(TrainError::Config(format!(
                    "{}: the validation loss of these weights is not finite; start from others",
                    bundle.display()
                )));
            }
            self.progress.start = Some(StartScores {
                validation_loss: scores.loss(),
                pooled_dice: scores.pooled_dice(),
                per_image_dice: scores.per_image_dice(),
            });
            (self.report)(Event::Preview { epoch: 0, masks: validation.masks });
        }
        if let Some(scores) = &self.progress.start {
            self.folder.log(&format!("start: validation {:.4}", scores.validation_loss));
            (self.report)(Event::Start(scores.clone()));
        }
        Ok(Outcome::Done)
    }

    /// What to say if no epoch was better than the start.
    pub(super) fn nothing_gained(&self) -> Option<String> {
        let (start, best) = (self.progress.start.as_ref()?, self.progress.best()?);
        let criterion = self.config.criterion;
        if best.cost(criterion) < start.cost(criterion) {
            return None;
        }
        let name = self.config.start.as_ref().map_or_else(String::new, |path| path.display().to_string());
        Some(format!(
            "no epoch had a better {} than the weights that the run started from ({name}: validation loss {:.4}, Dice {:.3} \
             pooled, {:.3} per image); keep using these, or train with a lower learning rate or with more cases",
            criterion.words(),
            start.validation_loss,
            start.pooled_dice,
            start.per_image_dice
        ))
    }
}
