//! Starting and ending the study of robustness.

use std::path::PathBuf;

use super::{Robustness, RobustnessCommand};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::State;
use crate::engine::jobs::StudyForms;
use crate::engine::{Failure, Slot};
use crate::infer::robustness::{RobustnessSettings, Style, in_order_of_study};

impl Robustness {
    /// Returns the folder of the data set; `None` if neither one is named nor a folder is open.
    pub fn folder(&self, state: &State) -> Option<PathBuf> {
        match self.folder.trim() {
            "" => state.worklist.as_ref().map(|list| list.folder.clone()),
            folder => Some(folder.into()),
        }
    }
}

impl HimixApp {
    /// Carries out a command about the study of robustness.
    pub(in crate::app) fn apply_robustness(&mut self, command: RobustnessCommand) {
        let robustness = &mut self.state.robustness;
        match command {
            RobustnessCommand::Folder(folder) => robustness.folder = folder,
            RobustnessCommand::Split(split) => robustness.split = split,
            RobustnessCommand::Out(out) => robustness.out = out,
            RobustnessCommand::Form(form, true) => {
                robustness.forms.push(form);
                robustness.forms = in_order_of_study(&robustness.forms);
            }
            RobustnessCommand::Form(form, false) => robustness.forms.retain(|other| *other != form),
            RobustnessCommand::Seed(seed) => robustness.seed = seed,
            RobustnessCommand::Start => self.start_robustness(),
            RobustnessCommand::Cancel => robustness.pending.cancel(),
        }
    }

    fn start_robustness(&mut self) {
        let state = &mut self.state;
        let Some(folder) = state.robustness.folder(state) else { return };
        let Some(model) = &state.model else { return };
        let robustness = &mut state.robustness;
        let settings = RobustnessSettings {
            forms: in_order_of_study(&robustness.forms),
            seed: robustness.seed,
            threshold: state.settings.threshold,
            style: Style::Paper,
        };
        let out = Some(robustness.out.trim()).filter(|out| !out.is_empty()).map(PathBuf::from);
        let (source, split) = (model.source.clone(), robustness.split.trim().to_owned());
        let job = StudyForms { source, folder: folder.clone(), split, settings, out };
        robustness.found = None;
        self.engine.ask_model(Slot::Primary, &mut robustness.pending, folder, job);
    }

    /// Takes what a study found.
    pub(in crate::app) fn take_robustness(&mut self) {
        match self.state.robustness.pending.take() {
            Some(Ok(found)) => {
                let skipped = found.outcome.skipped.len();
                if let Some(first) = found.outcome.skipped.first() {
                    let text = format!("{skipped} images were left out of the study; the first: {first}");
                    self.state.notes.add(Kind::Warning, text);
                }
                self.state.robustness.found = Some(found);
            }
            Some(Err(Failure::Cancelled)) if !self.state.robustness.out.trim().is_empty() => {
                let text = "The study was stopped. Start it with the same settings to go on.";
                self.state.notes.add(Kind::Info, text);
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
    }
}
