//! Commands and requests about the map of the uncertainty.

use std::sync::Arc;

use super::UncertaintyCommand;
use crate::app::HimixApp;
use crate::app::annotating::Looked;
use crate::app::influence::Examined;
use crate::app::state::State;
use crate::engine::Slot;
use crate::engine::jobs::MeasureUncertainty;
use crate::infer::{LARGEST_DEVIATION, Uncertainty};
use crate::render::ProbabilityLayer;

impl HimixApp {
    /// Applies `command`.
    pub(in crate::app) fn apply_uncertainty(&mut self, command: UncertaintyCommand) {
        match command {
            UncertaintyCommand::Show(is_on) => {
                self.state.uncertainty.is_on = is_on;
                self.forget_uncertainty();
            }
            UncertaintyCommand::Compute => self.forget_uncertainty(),
            UncertaintyCommand::Cancel => self.state.uncertainty.request.cancel(),
        }
    }

    /// Forgets the newest request, so that the map is computed again if it is shown.
    fn forget_uncertainty(&mut self) {
        let ticket = self.engine.ticket();
        self.state.uncertainty.request.forget(ticket);
        self.state.uncertainty.error = None;
    }

    /// Requests the map of what is shown, if it is wanted and nothing else is waited for. Called once per frame.
    pub(in crate::app) fn request_uncertainty(&mut self) {
        let now = self.state.uncertain_now();
        let uncertainty = &mut self.state.uncertainty;
        if !uncertainty.is_on {
            return;
        }
        // What does not belong to the picture any more need not be finished.
        if uncertainty.request.pending().is_some() && uncertainty.request.asked() != now.as_ref() {
            uncertainty.request.cancel();
        }
        let Some(of) = now.filter(|of| uncertainty.request.asked() != Some(of)) else { return };
        let is_known = uncertainty.found.as_ref().is_some_and(|(known, ..)| *known == of);
        let state = &self.state;
        if is_known || state.predicted_now().is_err() || state.until_typed().is_some() || state.playing.is_some() {
            return;
        }
        let Some(open) = &state.document.image else { return };
        let job = MeasureUncertainty { image: open.image.clone(), seen: open.asked, prompt: of.prompt.clone() };
        self.state.uncertainty.error = None;
        self.engine.ask_model(Slot::Primary, &mut self.state.uncertainty.request, of, job);
    }

    /// Takes the map into the state.
    pub(in crate::app) fn take_uncertainty(&mut self) {
        let uncertainty = &mut self.state.uncertainty;
        match (uncertainty.request.take(), uncertainty.request.asked().cloned()) {
            (Some(Ok(found)), Some(of)) => {
                let layer = layer(&found, self.engine.ticket());
                uncertainty.found = Some((of, found, layer));
            }
            (Some(Err(failure)), _) => uncertainty.error = failure.message(),
            (Some(Ok(_)), None) | (None, _) => {}
        }
    }
}

/// The layer that draws the standard deviation, its largest value as 1.
fn layer(found: &Uncertainty, key: u64) -> ProbabilityLayer {
    let map = &found.deviation;
    let values = map.values.iter().map(|value| (value / LARGEST_DEVIATION).min(1.0)).collect();
    ProbabilityLayer { key, size: [map.width, map.height], values: Arc::new(values) }
}

impl State {
    /// Returns what a map of the uncertainty would be of now; `None` without an image or a model. It depends neither on the ground truth
    /// nor on the threshold.
    fn uncertain_now(&self) -> Option<Examined> {
        let prompt = self.sent_prompt().into_owned();
        Some(Examined { truth: None, threshold: 0, prompt, ..self.examined()? })
    }

    /// Returns the map of the uncertainty of what is shown, if it is to be shown.
    pub fn uncertainty(&self) -> Option<(&Uncertainty, &ProbabilityLayer)> {
        let (of, found, layer) = self.uncertainty.found.as_ref().filter(|_| self.uncertainty.is_on)?;
        let is_shown = self.looked() == Looked::Prediction && self.shown.is_some();
        (is_shown && self.uncertain_now().as_ref() == Some(of)).then_some((found, layer))
    }
}
