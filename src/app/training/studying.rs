//! Applies the commands about a study, and takes its events.

use std::path::PathBuf;

use super::TrainCommand;
use super::run::{Phase, Run};
use super::study::StudyOffer;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::jobs::{ChangeQueue, LookForQueue, QueueChange};
use crate::engine::run::Plan;
use crate::engine::{AblationJob, TrainingUpdate};

impl HimixApp {
    /// Applies a command about a study.
    pub(in crate::app) fn apply_ablation(&mut self, command: TrainCommand) {
        let training = &mut self.state.training;
        match command {
            TrainCommand::TypeStudy(field, text) => training.study.set(field, text),
            TrainCommand::StartStudy => {
                let config = training.form.config().cloned();
                let plan = config.and_then(|config| Ok((config.out.clone(), training.study.plan(&config)?)));
                match plan {
                    Ok((folder, plan)) => self.begin_ablation(folder, Some(plan)),
                    Err(message) => self.state.notes.add(Kind::Error, message),
                }
            }
            TrainCommand::ContinueStudy => {
                let shown = training.study.view.as_ref().map(|view| view.folder.clone());
                let offered = training.study.offer.as_ref().map(|offer| offer.folder.clone());
                if let Some(folder) = shown.or(offered) {
                    self.begin_ablation(folder, None);
                }
            }
            TrainCommand::ForgetStudy => {
                training.study.offer = None;
                self.state.settings.study = None;
            }
            TrainCommand::ChangeQueue(change) => self.change_queue(change),
            _ => {}
        }
    }

    fn begin_ablation(&mut self, folder: PathBuf, plan: Option<Plan>) {
        match self.engine.begin_ablation(AblationJob { folder: folder.clone(), plan: plan.map(Box::new) }) {
            Ok(true) => {
                let training = &mut self.state.training;
                training.study.offer = None;
                training.study.error = None;
                training.study.is_active = true;
                training.run = Some(Run::new(folder.clone()));
                training.is_end_seen = false;
                let settings = &mut self.state.settings;
                settings.runs += u32::from(folder == settings.next_run_folder());
                settings.study = Some(folder);
                // The study must be found again after a crash.
                self.write_settings();
            }
            Ok(false) => self.state.notes.add(Kind::Error, "A training run is already under way. Stop it first."),
            Err(error) => {
                let text = format!("The study could not be started ({error}). Close other programs.");
                self.state.notes.add(Kind::Error, text);
            }
        }
    }

    fn change_queue(&mut self, change: QueueChange) {
        let Some(queue) = self.engine.queue() else {
            self.state.notes.add(Kind::Warning, "The queue is not being worked on. Continue the study first.");
            return;
        };
        let job = ChangeQueue { queue, change: change.clone() };
        let sent = self.engine.ask_beside(&mut self.state.training.study.changing, change, job);
        self.say_if_busy(sent);
    }

    /// Looks for the study that an earlier session recorded as unfinished.
    pub(in crate::app) fn look_for_ablation(&mut self) {
        if let Some(folder) = self.state.settings.study.clone() {
            let job = LookForQueue { folder: folder.clone() };
            let sent = self.engine.ask(&mut self.state.training.study.looking, folder, job);
            self.say_if_busy(sent);
        }
    }

    /// Takes the answers to requests about a study.
    pub(in crate::app) fn take_ablation(&mut self) {
        let study = &mut self.state.training.study;
        for (_, outcome) in study.changing.take() {
            match outcome {
                Ok(view) => self.state.training.study.view = Some(view),
                Err(failure) => self.say_failure(failure),
            }
        }
        let study = &mut self.state.training.study;
        match (study.looking.take(), study.looking.asked().cloned()) {
            (Some(Ok(Some(runs))), Some(folder)) if !study.is_active => {
                study.offer = Some(StudyOffer { folder, runs });
            }
            (Some(Ok(None)), _) => self.state.settings.study = None,
            (Some(Err(failure)), _) => self.say_failure(failure),
            _ => {}
        }
    }

    /// Takes an update of a study. Returns whether it concerns the study rather than its run.
    pub(in crate::app) fn take_ablation_update(&mut self, update: &TrainingUpdate) -> bool {
        let training = &mut self.state.training;
        match update {
            TrainingUpdate::Begun(folder) => {
                let mut run = Run::new(folder.clone());
                // The commands go to the whole study.
                if let Some(before) = &training.run {
                    run.control = before.control;
                }
                training.run = Some(run);
                true
            }
            TrainingUpdate::Queue(view) => {
                training.study.view = Some((**view).clone());
                true
            }
            TrainingUpdate::Ended(outcome) if training.study.is_active => {
                training.study.is_active = false;
                training.study.error = outcome.as_ref().err().cloned();
                if let Some(run) = training.run.as_mut().filter(|run| run.phase != Phase::Ended) {
                    run.phase = Phase::Ended;
                }
                if outcome.is_ok() && !training.study.can_continue() {
                    self.state.settings.study = None;
                }
                false
            }
            _ => false,
        }
    }
}
