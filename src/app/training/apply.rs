//! Commands of the tab, applied.

use std::path::PathBuf;

use super::compare::{ComparedInspection, Comparison, SIDE};
use super::form::Form;
use super::{Closing, EstimateState, Preset, ResumableRun, TrainCommand};
use crate::app::HimixApp;
use crate::app::layout::Pane;
use crate::app::notes::Kind;
use crate::app::state::Tab;
use crate::app::theme;
use crate::app::training::run::{Phase, Run};
use crate::engine::run::{Interrupted, RunControl};
use crate::engine::{FileCommand, ModelRequest, PredictRequest, Ticket, TrainingJob};
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
                let open = self.state.model.as_ref().map(|model| model.source.model.clone());
                training.form.take(preset.config(open.as_deref()));
                training.preset = Some(preset);
                self.look_at_form();
            }
            TrainCommand::LoadSettings(path) => {
                self.file(FileCommand::ReadText { path });
            }
            TrainCommand::SaveSettings(path) => {
                if let Ok(config) = training.form.config() {
                    let bytes = config.to_toml().into_bytes();
                    self.file(FileCommand::Save { path, bytes });
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
                    self.open_model(ModelSource { model, ..ModelSource::default() });
                }
            }
            TrainCommand::Compare => self.compare(),
            TrainCommand::CloseComparison => {
                training.comparison = None;
                self.state.stages.forget_other();
                self.engine.close_compared();
            }
            TrainCommand::Smooth(share) => training.smoothing = share.clamp(0.0, 0.99),
            TrainCommand::LookAt(epoch) => {
                if let Some(run) = &mut training.run {
                    run.preview.look_at = epoch;
                }
            }
            TrainCommand::KeepTraining => training.closing = Closing::No,
            TrainCommand::StopAndClose => {
                training.closing = Closing::AfterStop;
                self.ask_run(RunControl::Stop);
            }
            TrainCommand::CloseNow => training.closing = Closing::Now,
        }
    }

    /// Looks through the data of the settings as they are now, on a thread.
    pub(in crate::app) fn look_at_form(&mut self) {
        let ticket = self.ticket();
        let training = &mut self.state.training;
        training.form.check();
        // During a run the measurement would disturb it, and be disturbed.
        let config = training.form.config().ok().filter(|_| !training.goes_on()).cloned();
        if let Some(remembered) = training.form.remembered() {
            let usual = Form::of(&Preset::Small.config(None)).remembered();
            // That of the beginning need not be remembered.
            let other = Some(&remembered) != usual.as_ref();
            self.state.settings.training_form = other.then(|| remembered.to_toml());
        }
        training.estimate_state =
            if config.is_some() { EstimateState::Awaited(ticket) } else { EstimateState::None };
        if let Some(config) = config {
            self.engine.estimate(ticket, config);
        }
    }

    /// Begins a run, or says why it cannot.
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
                // A crash must find it remembered.
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
            // Nothing undoes a stop.
            if run.control != RunControl::Stop {
                run.control = control;
            }
            self.engine.ask_training(control);
        }
    }

    /// Takes in the answer on a run that an earlier session remembered.
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
        self.open_pane(Pane::Comparison, true);
    }

    /// Opens a model beside the one that is open.
    pub(in crate::app) fn compare_with(&mut self, source: ModelSource) {
        let ticket = self.ticket();
        let request = ModelRequest { ticket, source: source.clone(), device: self.state.device };
        self.state.stages.forget_other();
        match self.engine.open_compared(request) {
            Ok(()) => self.state.training.comparison = Some(Comparison::new(ticket, source)),
            Err(error) => {
                let text = format!("The comparison could not be started ({error}). Close other programs.");
                self.state.notes.add(Kind::Error, text);
            }
        }
    }

    /// Asks the compared model for the mask of what is shown now, if it is open.
    pub(in crate::app) fn request_compared(&mut self) {
        let ticket = self.ticket();
        let state = &mut self.state;
        let Some(comparison) = state.training.comparison.as_mut().filter(|other| other.info.is_some()) else {
            return;
        };
        comparison.newest = ticket;
        let Some(image) = &state.document.image else { return };
        let truth = state.truth_mask();
        let (seen, image, prompt) = (image.asked, image.image.clone(), state.document.prompt.clone());
        self.engine.predict_compared(PredictRequest { ticket, image, seen, prompt, truth });
    }

    /// Has the pictures of the comparison painted anew where they show something else by now.
    pub(in crate::app) fn paint_comparison(&mut self) {
        let Some(comparison) = self.state.training.comparison.as_ref().filter(|_| self.state.tab == Tab::Train)
        else {
            return;
        };
        let current = self.state.shown.as_ref().map(|shown| (shown.ticket, shown.prediction.clone()));
        let other = comparison.predicted.as_ref().map(|other| (other.ticket, other.prediction.clone()));
        for (place, prediction) in [current, other].into_iter().enumerate() {
            let settings = &self.state.settings;
            let (Some(image), Some((ticket, prediction))) = (&self.state.document.image, prediction) else {
                continue;
            };
            let truth = self.state.truth_mask().filter(|_| self.state.show_truth);
            let look = ComparedInspection {
                prediction: ticket,
                truth: truth.as_ref().map(|(ticket, _)| *ticket),
                threshold: settings.threshold,
                opacity: settings.opacity,
                draws: [settings.fill, settings.contour],
            };
            let is_asked = |asked: &(ComparedInspection, Ticket)| asked.0 == look;
            let is_known =
                |comparison: &Comparison| comparison.paintings[place].asked.as_ref().is_some_and(is_asked);
            if self.state.training.comparison.as_ref().is_none_or(is_known) {
                continue;
            }
            let command = FileCommand::Compose {
                ticket: self.tickets + 1,
                image: image.image.clone(),
                seen: image.painted(),
                prediction,
                truth: truth.map(|(_, mask)| mask),
                threshold: look.threshold,
                paint: theme::overlay_paint(settings),
                side: SIDE,
            };
            let ticket = self.ticket();
            // If the thread is busy, the next frame asks again.
            if self.engine.file(command).is_ok()
                && let Some(comparison) = &mut self.state.training.comparison
            {
                comparison.paintings[place].asked = Some((look, ticket));
            }
        }
    }
}
