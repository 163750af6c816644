//! What the threads report of training, taken into the state.

use std::path::Path;
use std::sync::Arc;

use super::{Closing, EstimateState};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::Tab;
use crate::engine::run::{Estimate, TrainConfig};
use crate::engine::{DisplayPixels, Event, Predicted, Ticket, TrainingUpdate};

impl HimixApp {
    /// Takes in what the run has said, and the newest prediction of the compared model.
    pub(in crate::app) fn take_training(&mut self) {
        for updates in self.engine.training_updates() {
            let is_end = matches!(updates, TrainingUpdate::Ended(_));
            if let Some(run) = &mut self.state.training.run {
                run.take(updates);
            }
            if is_end {
                self.run_ended();
            }
        }
        if let Some(predicted) = self.engine.take_compared() {
            self.take_compared_prediction(predicted);
        }
        let training = &mut self.state.training;
        training.is_end_seen |= self.state.tab == Tab::Train;
        if training.goes_on() {
            training.is_end_seen = false;
        }
    }

    fn run_ended(&mut self) {
        let training = &self.state.training;
        let Some(run) = &training.run else { return };
        let is_well = matches!(run.outcome, Some(Ok(_))) && !run.can_resume();
        let note = match &run.outcome {
            Some(Err(message)) => Some((Kind::Error, format!("The training failed: {message}"))),
            _ if run.best.is_some() => {
                Some((Kind::Info, format!("{}. Its best weights can be used now.", run.end_in_short())))
            }
            _ => None,
        };
        // Whoever closes the window or stops the run finds it offered the next time, and after a failure too.
        if is_well && training.closing == Closing::No {
            self.state.settings.training = None;
        }
        // The tab says it itself.
        if let Some((kind, text)) = note.filter(|_| self.state.tab != Tab::Train) {
            self.state.notes.add(kind, text);
        }
        // The next run gets a folder of its own, unless the user chooses the folders.
        let next = self.state.settings.next_run_folder();
        let training = &mut self.state.training;
        let used = training.run.as_ref().map(|run| run.folder.clone()).unwrap_or_default();
        if used.parent() == next.parent() && training.form.text("out") == used.display().to_string() {
            training.form.set("out", next.display().to_string());
        }
        self.look_at_form();
    }

    pub(in crate::app) fn take_estimate(&mut self, ticket: Ticket, result: Result<Estimate, String>) {
        let training = &mut self.state.training;
        if matches!(training.estimate_state, EstimateState::Awaited(awaited) if awaited == ticket) {
            training.estimate_state = match result {
                Ok(estimate) => EstimateState::Known(estimate),
                Err(message) => EstimateState::Impossible(message),
            };
        }
    }

    /// Takes in a settings file.
    pub(in crate::app) fn take_settings_text(&mut self, path: &Path, text: &str) {
        match TrainConfig::from_toml(text) {
            Ok(config) => {
                let training = &mut self.state.training;
                // What the file does not name stays the user's own.
                let mut form = super::form::Form::of(&config);
                if form.data.is_empty() {
                    form.data.clone_from(&training.form.data);
                }
                if form.text("out").is_empty() {
                    form.set("out", training.form.text("out").to_owned());
                }
                training.form = form;
                training.preset = None;
                self.look_at_form();
            }
            Err(message) => {
                let text = format!("The settings cannot be used: {message}. Mend the file: {}", path.display());
                self.state.notes.add(Kind::Error, text);
            }
        }
    }

    /// Takes in what the thread of the compared model reports.
    pub(in crate::app) fn take_compared(&mut self, event: Event) {
        let Some(comparison) = &mut self.state.training.comparison else { return };
        match event {
            Event::ModelOpened { ticket, info, .. } if ticket == comparison.ticket => {
                comparison.info = Some(info);
                self.state.settings.list_model(comparison.source.clone().into());
                self.request_compared();
            }
            Event::ModelFailed { ticket, message } if ticket == comparison.ticket => {
                comparison.error = Some(message);
            }
            Event::ModelUpdated(info) => comparison.info = Some(info),
            Event::ModelLost { message } => {
                comparison.info = None;
                comparison.error = Some(message);
            }
            Event::PredictionFailed { ticket, message } if ticket == comparison.newest => {
                comparison.error = Some(message);
            }
            _ => {}
        }
    }

    fn take_compared_prediction(&mut self, predicted: Predicted) {
        let Some(comparison) = &mut self.state.training.comparison else { return };
        // An answer about an image that was shown before says nothing about this one.
        if self.state.document.image.as_ref().is_some_and(|open| Arc::ptr_eq(&open.image, &predicted.image)) {
            comparison.error = None;
            comparison.predicted = Some(predicted);
        }
    }

    pub(in crate::app) fn take_painting(&mut self, ticket: Ticket, picture: DisplayPixels) {
        let Some(comparison) = &mut self.state.training.comparison else { return };
        for painting in &mut comparison.paintings {
            if painting.asked.as_ref().is_some_and(|(_, asked)| *asked == ticket) {
                painting.fresh = Some(picture.clone());
            }
        }
    }
}
