//! Applies the commands of the Train tab.

use std::path::PathBuf;

use super::form::Form;
use super::{Closing, Preset, ResumableRun, TrainCommand};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::pane::Pane;
use crate::app::training::run::{Phase, Run};
use crate::engine::TrainingJob;
use crate::engine::jobs::{ReadText, Write};
use crate::engine::run::{Interrupted, RunControl};
use crate::infer::ModelSource;

impl HimixApp {
    /// Applies `command`.
    pub(in crate::app) fn apply_training(&mut self, command: TrainCommand) {
        let training = &mut self.state.training;
        match command {
            TrainCommand::AddData(path) => {
                if !training.form.data.contains(&path) {
                    training.form.data.push(path);
                }
                training.form.typed.clear();
                self.look_at_form();
            }
            TrainCommand::RemoveData(number) => {
                if number < training.form.data.len() {
                    training.form.data.remove(number);
                }
                self.look_at_form();
            }
            TrainCommand::TypeData(text) => training.form.typed = text,
            TrainCommand::Set(key, text) => {
                training.form.set(key, text);
                if !["out", "device"].contains(&key) {
                    training.preset = None;
                }
                self.look_at_form();
            }
            TrainCommand::Take(preset) => {
                let open = self.state.model.as_ref().map(|model| model.source.path().to_path_buf());
                training.form.take(preset.config(open.as_deref()));
                training.preset = Some(preset);
                self.look_at_form();
            }
            TrainCommand::LoadSettings(path) => {
                let sent = self.engine.ask(&mut self.state.jobs.text, path.clone(), ReadText { path });
                self.say_if_busy(sent);
            }
            TrainCommand::SaveSettings(path) => {
                if let Ok(config) = training.form.config() {
                    let bytes = config.to_toml().into_bytes();
                    let job = Write { path: path.clone(), bytes };
                    let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
                    self.say_if_busy(sent);
                }
            }
            TrainCommand::Start => {
                if let Ok(config) = training.form.config().cloned() {
                    let folder = config.out.clone();
                    self.begin(TrainingJob::New(Box::new(config)), folder);
                }
            }
            TrainCommand::Pause => self.ask_run(RunControl::Pause),
            TrainCommand::Continue => self.ask_run(RunControl::Run),
            TrainCommand::Stop => self.ask_run(RunControl::Stop),
            TrainCommand::Resume => {
                let stopped = training.run.as_ref().filter(|run| run.can_resume()).map(|run| run.folder.clone());
                let offered = training.offer.as_ref().filter(|_| stopped.is_none());
                if let Some(ResumableRun { run, .. }) = offered {
                    training.form = Form::of(&run.config);
                    training.preset = None;
                }
                let offered = training.offer.as_ref().map(|offer| offer.folder.clone());
                if let Some(folder) = stopped.or(offered) {
                    self.begin(TrainingJob::Resume(folder.clone()), folder);
                }
            }
            TrainCommand::Forget => {
                training.offer = None;
                self.state.settings.training = None;
            }
            TrainCommand::UseModel => {
                if let Some(model) = training.run.as_ref().and_then(|run| run.best.clone()) {
                    self.open_model(ModelSource::new(model));
                }
            }
            TrainCommand::Compare => self.compare(),
            TrainCommand::Smooth(share) => training.smoothing = share.clamp(0.0, 0.99),
            TrainCommand::LookAt(epoch) => {
                if let Some(run) = &mut training.run {
                    run.preview.look_at = epoch;
                }
            }
            TrainCommand::TypeStudy(..)
            | TrainCommand::StartStudy
            | TrainCommand::ContinueStudy
            | TrainCommand::ForgetStudy
            | TrainCommand::ChangeQueue(_) => self.apply_ablation(command),
            TrainCommand::KeepTraining => training.closing = Closing::No,
            TrainCommand::StopAndClose => {
                training.closing = Closing::AfterStop;
                self.ask_run(RunControl::Stop);
            }
            TrainCommand::CloseNow => training.closing = Closing::Now,
        }
    }

    /// Requests an estimate for the current settings and data on a background thread.
    pub(in crate::app) fn look_at_form(&mut self) {
        let ticket = self.ticket();
        let training = &mut self.state.training;
        training.form.check();
        training.has_new_pairs = false;
        // During a run, the measurement and the run would disturb each other.
        let config = training.form.config().ok().filter(|_| !training.goes_on()).cloned();
        if let Some(remembered) = training.form.remembered() {
            let usual = Form::of(&Preset::Small.config(None)).remembered();
            // The default settings need not be saved.
            let other = Some(&remembered) != usual.as_ref();
            self.state.settings.training_form = other.then(|| remembered.to_toml());
        }
        training.estimated = None;
        training.estimate.forget(ticket);
        if let Some(config) = config {
            self.engine.estimate(&mut training.estimate, config);
        }
    }

    /// Starts a run, or tells the user why it cannot be started.
    fn begin(&mut self, job: TrainingJob, folder: PathBuf) {
        let is_resumed = matches!(job, TrainingJob::Resume(_));
        match self.engine.train(job) {
            Ok(true) => {
                let training = &mut self.state.training;
                training.offer = None;
                let mut run = match training.run.take() {
                    Some(run) if is_resumed && run.folder == folder => run.again(),
                    _ => Run::new(folder.clone()),
                };
                run.has_checkpoint = is_resumed;
                training.run = Some(run);
                training.is_end_seen = false;
                let settings = &mut self.state.settings;
                settings.runs += u32::from(folder == settings.next_run_folder());
                settings.training = Some(folder);
                // The run must be saved in the settings in case of a crash.
                self.write_settings();
            }
            Ok(false) => self.state.notes.add(Kind::Error, "A training run is already under way. Stop it first."),
            Err(error) => {
                let text = format!("The training could not be started ({error}). Close other programs.");
                self.state.notes.add(Kind::Error, text);
            }
        }
    }

    fn ask_run(&mut self, control: RunControl) {
        if let Some(run) = self.state.training.run.as_mut().filter(|run| run.phase != Phase::Ended) {
            // A stop cannot be revoked.
            if run.control != RunControl::Stop {
                run.control = control;
            }
            self.engine.ask_training(control);
        }
    }

    /// Handles the answer about a run that an earlier session has saved.
    pub(in crate::app) fn take_interrupted(&mut self, folder: PathBuf, run: Option<Interrupted>) {
        if self.state.training.run.is_some() {
            return;
        }
        if run.is_none() {
            self.state.settings.training = None;
        }
        self.state.training.offer = run.map(|run| ResumableRun { folder, run });
    }

    fn compare(&mut self) {
        let Some(model) = self.state.training.run.as_ref().and_then(|run| run.best.clone()) else { return };
        self.compare_with(ModelSource::new(model));
        self.open_pane(Pane::COMPARISON, true);
    }
}
