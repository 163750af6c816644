//! The one place where commands change the state.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use eframe::egui;

use super::HimixApp;
use super::command::Command;
use super::dialogs::{Answer, DialogKind};
use super::notes::Kind;
use super::stages::{self, StagesCommand};
use super::state::{Awaited, file_name};
use super::theme::{self, Colours, Scheme};
use super::training::TrainCommand;
use crate::engine::{FileCommand, ModelRequest, PredictRequest, Ticket};
use crate::infer::ModelSource;

impl HimixApp {
    /// Does what `command` says.
    pub(super) fn change(&mut self, ctx: &egui::Context, command: Command) {
        let state = &mut self.state;
        match command {
            Command::OpenDialog(kind) => self.ask(kind),
            Command::OpenPaths(paths) => {
                let has_image = state.image.is_some();
                self.file(FileCommand::Sort { paths, has_image });
            }
            Command::OpenImage(path) => self.open_image(path),
            Command::OpenFolder(folder) => self.open_folder(folder),
            Command::OpenItem(place) => self.open_item(place),
            Command::StepItem(by) => self.step_item(by),
            Command::SearchList(text) => {
                if let Some(list) = &mut state.worklist {
                    list.search(text);
                }
            }
            Command::OpenPane(pane, is_open) => self.open_pane(pane, is_open),
            Command::ResetLayout => self.reset_layout(),
            Command::KeepLayout => state.settings.layouts = state.layouts.stored(),
            Command::Rebind(awaited) => state.rebinding = awaited,
            Command::Bind(action, place, chord) => self.bind(action, place, chord),
            Command::Unbind(action, place) => state.settings.keys.unbind(action, place),
            Command::ResetKeys(action) => state.settings.keys.reset(action),
            Command::MakeThumbnails(request) => self.engine.make_thumbnails(request),
            Command::OpenSample(sample) => self.open_sample(sample),
            Command::OpenTruth(paths) => self.open_truth(paths),
            Command::AnswerTruth(answer) => self.answer_truth(answer),
            Command::ChooseLabels(choice) => self.choose_labels(choice),
            Command::CloseTruth => {
                state.truth = None;
                state.truth_question = None;
                self.request_compared();
            }
            Command::OpenModel(source) => self.open_model(source),
            Command::SetDevice(device) => {
                state.device = device;
                state.settings.device = device.to_string();
                let opening = state.awaited_model.as_ref().map(|awaited| &awaited.what);
                if let Some(source) = opening.or(state.model.as_ref().map(|model| &model.source)).cloned() {
                    self.open_model(source);
                }
            }
            Command::SaveMask(path) => self.save_mask(path),
            Command::SaveOverlay(path) => self.save_overlay(path),
            Command::SetPrompt(prompt) => {
                if prompt != state.prompt {
                    state.prompt = prompt;
                    self.remember_edit();
                    self.request_prediction();
                }
            }
            Command::Favourite(prompt, is_on) => state.settings.favour(prompt, is_on),
            Command::Recall(id) => self.recall(id),
            Command::ShowPalette(typed) => state.palette = typed,
            Command::FocusPrompt => state.focus_prompt = true,
            Command::SetThreshold(threshold) => state.settings.set_threshold(threshold),
            Command::MoveThreshold(by) => state.settings.set_threshold(state.settings.threshold + by),
            Command::SetOpacity(opacity) => state.settings.opacity = opacity.clamp(0.0, 1.0),
            Command::MoveOpacity(by) => state.settings.opacity = (state.settings.opacity + by).clamp(0.0, 1.0),
            Command::ShowOverlay(show) => state.show_overlay = show,
            Command::HoldOverlay(hold) => state.overlay_held = hold,
            Command::ShowTruth(show) => state.show_truth = show,
            Command::Fill(fill) => state.settings.fill = fill,
            Command::Contour(contour) => state.settings.contour = contour,
            Command::Smooth(smooth) => state.settings.smooth = smooth,
            Command::Zoom(factor, pointer) => state.view.zoom_by(factor, pointer),
            Command::Pan(points) => state.view.pan_by(points),
            Command::Fit => state.view.fit(),
            Command::ActualSize => state.view.actual_size(),
            Command::ShowSlice(slice) => self.show_slice(slice),
            Command::StepSlice(by) => self.step_slice(by),
            Command::Play(play) => state.playing = play.then(Instant::now),
            Command::SetWindow(window) => self.set_window(window),
            Command::PresetWindow(number) => self.preset_window(number),
            Command::Invert(inverted) => {
                if let Some(open) = &mut state.image {
                    open.seen.is_inverted = inverted != open.volume.is_inverted;
                }
            }
            Command::UseWindow => self.use_window(),
            Command::Ruler(ends) => state.ruler = ends,
            Command::CancelOpening => state.cancel.store(true, Ordering::Relaxed),
            Command::ShowIdentifiers(show) => state.show_identifiers = show,
            Command::Upright(upright) => self.set_upright(upright),
            Command::ShowPatient(show) => state.settings.show_patient = show,
            Command::Heat(heat) => state.settings.heat = heat,
            Command::UseColours(scheme) => state.settings.colours.scheme = scheme,
            Command::SetColours(own) => state.settings.colours = Colours { scheme: Scheme::Own, own },
            Command::SetPresets(kind, presets) => {
                state.settings.presets.insert(kind, presets);
            }
            Command::SetTheme(choice) => {
                state.settings.theme = choice;
                theme::apply(ctx, choice);
            }
            Command::TextSize(size) => ctx.set_zoom_factor(size),
            Command::Present(is_on) => self.present(ctx, is_on),
            Command::ShowTab(tab) => self.show_tab(tab),
            Command::Stages(command) => self.apply_stages(command),
            Command::Train(command) => self.apply_training(command),
            Command::ShowPage(page) => {
                state.page = page;
                state.rebinding = None;
            }
            Command::Undo => self.step_look(true),
            Command::Redo => self.step_look(false),
            Command::Dismiss(note) => state.notes.dismiss(note),
            Command::DismissAll => state.notes.dismiss_all(),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    /// The next number for a question.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    pub(super) fn file(&mut self, command: FileCommand) -> bool {
        let sent = self.engine.file(command);
        if let Err(busy) = &sent {
            self.state.notes.add(Kind::Error, busy.to_string());
        }
        sent.is_ok()
    }

    fn ask(&mut self, kind: DialogKind) {
        let image = self.state.image.as_ref().map(|image| image.path.clone());
        let stem =
            image.as_ref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
        let name = |kind: &str| stem.map(|stem| format!("{stem}_{kind}.png"));
        let name = match kind {
            DialogKind::SaveMask => name("mask"),
            DialogKind::SaveOverlay => name("overlay"),
            DialogKind::SaveSettings => Some("training.toml".into()),
            DialogKind::SaveFigure(kind) => {
                let kind = format!("{kind:?}").to_lowercase();
                Some(name("").map_or(format!("{kind}.png"), |name| name.replace("_.png", &format!("_{kind}.png"))))
            }
            DialogKind::SaveTurned => {
                self.state.model.as_ref().map(|model| stages::turned_name(&model.source.model))
            }
            _ => None,
        };
        let folder = match kind {
            DialogKind::ModelFolder
            | DialogKind::ModelFile
            | DialogKind::StartModel
            | DialogKind::CompareModel
            | DialogKind::SaveTurned => {
                self.state.model.as_ref().and_then(|model| model.source.model.parent().map(PathBuf::from))
            }
            _ => image
                .or_else(|| self.state.settings.recent.first().cloned())
                .and_then(|mut path| path.pop().then_some(path)),
        };
        // A sample case and the bundled model lie in no folder.
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        if let Err(error) = self.dialogs.ask(kind, folder, name) {
            self.state.notes.add(Kind::Error, format!("No file dialog could be opened ({error})."));
        }
    }

    pub(super) fn take_dialog_answer(&mut self) {
        let Some((kind, answer)) = self.dialogs.answer() else { return };
        let path = match answer {
            Answer::Picked(path) => path,
            Answer::Cancelled => return,
            Answer::Unavailable => {
                let text = "The system showed no file dialog (on Linux it needs a desktop portal or zenity). \
                            Drop the file on the window, or name it on the command line.";
                return self.state.notes.add(Kind::Error, text);
            }
        };
        self.commands.push(match kind {
            DialogKind::Image => Command::OpenImage(path),
            DialogKind::Folder => Command::OpenPaths(vec![path]),
            DialogKind::Truth => Command::OpenTruth(vec![path]),
            DialogKind::CompareModel => Command::Stages(StagesCommand::CompareWith(ModelSource::new(path))),
            DialogKind::SaveTurned => Command::Stages(StagesCommand::SaveTurned(path)),
            DialogKind::FitData => Command::Stages(StagesCommand::Fit(path)),
            DialogKind::FitComparedData => Command::Stages(StagesCommand::FitCompared(path)),
            DialogKind::SaveFigure(kind) => Command::Stages(StagesCommand::SaveFigure(kind, path)),
            DialogKind::ModelFolder | DialogKind::ModelFile => {
                Command::OpenModel(ModelSource { model: path, ..ModelSource::default() })
            }
            DialogKind::SaveMask => Command::SaveMask(path),
            DialogKind::SaveOverlay => Command::SaveOverlay(path),
            DialogKind::TrainData => Command::Train(TrainCommand::AddData(path)),
            DialogKind::RunFolder => Command::Train(TrainCommand::Set("out", path.display().to_string())),
            DialogKind::StartModel => Command::Train(TrainCommand::Set("start", path.display().to_string())),
            DialogKind::LoadSettings => Command::Train(TrainCommand::LoadSettings(path)),
            DialogKind::SaveSettings => Command::Train(TrainCommand::SaveSettings(path)),
        });
    }

    pub(super) fn open_model(&mut self, source: ModelSource) {
        let ticket = self.ticket();
        self.state.awaited_model = Some(Awaited { ticket, what: source.clone(), since: Instant::now() });
        self.engine.open_model(ModelRequest { ticket, source, device: self.state.device });
    }

    /// Asks for the mask of what is shown now, if there is all that it takes.
    pub(super) fn request_prediction(&mut self) {
        // Somebody who types on waits since the first edit that has no answer yet.
        let since = self.state.awaited_prediction.as_ref().map_or_else(Instant::now, |awaited| awaited.since);
        let ticket = self.forget_prediction();
        self.request_compared();
        let state = &mut self.state;
        let (Some(image), Some(_)) = (&state.image, &state.model) else { return };
        let truth = state.truth_mask();
        let (seen, image, prompt) = (image.asked, image.image.clone(), state.prompt.clone());
        state.awaited_prediction = Some(Awaited { ticket, what: (), since });
        self.engine.predict(PredictRequest { ticket, image, seen, prompt, truth });
    }

    /// Waits for no mask any more: what is shown has changed. Returns the number of the question that is to come.
    pub(super) fn forget_prediction(&mut self) -> Ticket {
        let ticket = self.ticket();
        let state = &mut self.state;
        state.newest_request = ticket;
        state.awaited_prediction = None;
        state.due = None;
        self.engine.forget_request();
        ticket
    }

    fn save_mask(&mut self, path: PathBuf) {
        let Some(shown) = &self.state.shown else { return };
        let (prediction, threshold) = (shown.prediction.clone(), self.state.settings.threshold);
        self.file(FileCommand::SaveMask { path, prediction, threshold });
    }

    fn save_overlay(&mut self, path: PathBuf) {
        let state = &self.state;
        let (Some(shown), Some(image)) = (&state.shown, &state.image) else { return };
        let settings = &state.settings;
        let command = FileCommand::SaveOverlay {
            path,
            image: image.image.clone(),
            seen: image.painted(),
            prediction: shown.prediction.clone(),
            truth: state.truth_mask().filter(|_| state.show_truth).map(|(_, mask)| mask),
            threshold: settings.threshold,
            paint: theme::overlay_paint(settings),
        };
        self.file(command);
    }

    /// Says that a file was written.
    pub(super) fn say_saved(&mut self, path: &std::path::Path) {
        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        self.state.notes.add(Kind::Info, format!("Saved {} in {folder}", file_name(path)));
    }
}
