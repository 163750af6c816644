//! Takes the events of the training threads into the state.

use std::path::Path;

use super::Closing;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::tab::Tab;
use crate::engine::TrainingUpdate;
use crate::engine::run::TrainConfig;

impl HimixApp {
    /// Handles the events of the run, and the results of requests made before a run.
    pub(in crate::app) fn take_training(&mut self) {
        for updates in self.engine.training_updates() {
            let is_end = matches!(updates, TrainingUpdate::Ended(_));
            if self.take_ablation_update(&updates) {
                continue;
            }
            if let Some(run) = &mut self.state.training.run {
                run.take(updates);
            }
            if is_end {
                self.run_ended();
            }
        }
        self.take_ablation();
        if let Some(outcome) = self.state.training.estimate.take() {
            // After a cancelled estimate, another one follows.
            self.state.training.estimated = match outcome {
                Ok(estimate) => Some(Ok(estimate)),
                Err(failure) => failure.message().map(Err),
            };
        }
        if let Some(outcome) = self.state.jobs.interrupted.take() {
            match (outcome, self.state.jobs.interrupted.asked().cloned()) {
                (Ok(run), Some(folder)) => self.take_interrupted(folder, run),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
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
        // A run that was stopped, interrupted by closing the window, or failed is offered again in the next
        // session.
        if is_well && training.closing == Closing::No {
            self.state.settings.training = None;
        }
        // The Train tab shows the outcome itself.
        if let Some((kind, text)) = note.filter(|_| self.state.tab != Tab::Train) {
            self.state.notes.add(kind, text);
        }
        // The next run gets a new folder, unless the user chooses the folders.
        let next = self.state.settings.next_run_folder();
        let training = &mut self.state.training;
        let used = training.run.as_ref().map(|run| run.folder.clone()).unwrap_or_default();
        if used.parent() == next.parent() && training.form.text("out") == used.display().to_string() {
            training.form.set("out", next.display().to_string());
        }
        self.look_at_form();
    }

    /// Handles the content of a settings file.
    pub(in crate::app) fn take_settings_text(&mut self, path: &Path, text: &str) {
        match TrainConfig::from_toml(text) {
            Ok(config) => {
                let training = &mut self.state.training;
                // Settings that the file does not contain keep the user's values.
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
}
