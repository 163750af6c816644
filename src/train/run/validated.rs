//! The validation of the weights and, if there is one, of their average.

use super::Run;
use super::gpu::give_way;
use crate::model::Model;
use crate::train::RunControl;
use crate::train::loss::LossTerms;
use crate::train::validate::{Validation, Validator, validate};

/// The results of a validation.
pub(super) struct Validated {
    /// Those of the weights.
    pub(super) own: Validation,
    /// Those of the averaged weights; `None` if no average is kept.
    pub(super) average: Option<ValidatedAverage>,
}

/// The averaged weights and their results.
pub(super) struct ValidatedAverage {
    pub(super) model: Box<dyn Model>,
    pub(super) validation: Validation,
}

impl Run<'_> {
    /// Scores the weights and their average; `None` if the run is stopped before the end.
    pub(super) fn validate(&mut self) -> Option<Validated> {
        let own = self.validate_own()?;
        let average =
            self.average.as_ref().zip(self.model.as_deref()).map(|(average, model)| average.model(model));
        let average = match average {
            Some(model) => {
                let validation = self.validation_of(Some(model.as_ref()))?;
                Some(ValidatedAverage { model, validation })
            }
            None => None,
        };
        Some(Validated { own, average })
    }

    /// Scores the weights alone.
    pub(super) fn validate_own(&mut self) -> Option<Validation> {
        self.validation_of(None)
    }

    /// Scores `other`, or the weights of the run.
    fn validation_of(&mut self, other: Option<&dyn Model>) -> Option<Validation> {
        let model = other.or(self.model.as_deref())?;
        let control = self.control;
        let (is_gpu, name, plain) = (self.is_gpu, &self.device_name, &self.plain);
        let is_wanted = || {
            give_way(is_gpu, name, plain);
            control.wait() != RunControl::Stop
        };
        let with = Validator {
            cases: &self.validation,
            form: &self.form,
            preview: &self.preview,
            terms: LossTerms::of(self.config),
            device: &self.plain,
            shards: self.shards.as_ref(),
            gpu_pass: self.is_gpu.then(|| self.pass.min(self.train.len())),
        };
        validate(model, &with, self.kept.as_mut(), &is_wanted)
    }
}
