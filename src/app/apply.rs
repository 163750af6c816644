//! Applies commands: the only place where a command changes the state.

use std::path::{Path, PathBuf};
use std::time::Instant;

use eframe::egui;

use super::HimixApp;
use super::cases::{CasesCommand, PairCommand};
use super::command::Command;
use super::diagnostics;
use super::dialogs::{Answer, DialogKind, OverlaySize};
use super::export::{BatchCommand, ExportCommand};
use super::keeping::KeepCommand;
use super::networks::{NetworksCommand, NetworksField};
use super::notes::Kind;
use super::robustness::RobustnessCommand;
use super::session_file::SessionCommand;
use super::stages::{self, StagesCommand};
use super::tab::Tab;
use super::text::file_name;
use super::theme::{self, Colours, Scheme};
use super::training::TrainCommand;
use super::worklist::Worklist;
use crate::device::{DeviceChoice, Precision, precision};
use crate::engine::jobs::{ClearGpuCache, SaveMask, SaveOverlay, SortPaths};
use crate::engine::{AsksFor, Busy, PredictRequest, Slot, Ticket};
use crate::infer::ModelSource;

impl HimixApp {
    /// Executes `command`.
    pub(super) fn change(&mut self, ctx: &egui::Context, command: Command) {
        if !command.continues_stroke() {
            self.finish_stroke();
        }
        let state = &mut self.state;
        match command {
            Command::OpenDialog(kind) => self.ask(kind),
            Command::OpenPaths(paths) => self.open_paths(paths, AsksFor::Nothing),
            Command::OpenDropped(paths) => {
                let is_drawn_on = state.tab == Tab::Annotate;
                let asks = if is_drawn_on { AsksFor::Labels } else { AsksFor::Segmentations };
                self.open_paths(paths, asks);
            }
            Command::OpenImage(path) => self.open_image(path),
            Command::OpenFolder(folder) => self.open_folder(folder),
            Command::OpenItem(place) => self.open_item(place),
            Command::StepItem(by) => self.step_item(by),
            Command::MarkItem => state.worklist.iter_mut().for_each(Worklist::mark),
            Command::SearchList(text) => {
                if let Some(list) = &mut state.worklist {
                    list.search(text);
                }
            }
            Command::Cases(command) => self.apply_cases(command),
            Command::OpenPane(pane, is_open) => self.open_pane(pane, is_open),
            Command::ResetLayout => self.reset_layout(),
            Command::KeepLayout => state.settings.layouts = state.layouts.stored(),
            Command::Rebind(awaited) => state.rebinding = awaited,
            Command::Bind(action, place, chord) => self.bind(action, place, chord),
            Command::Unbind(action, place) => self.unbind(action, place),
            Command::ResetKeys(action) => self.reset_keys(action),
            Command::MakeThumbnails(request) => self.engine.make_thumbnails(request),
            Command::OpenSample(sample) => self.open_sample(sample),
            Command::OpenTruth(paths) => self.open_truth(paths),
            Command::AnswerTruth(answer) => self.answer_truth(answer),
            Command::ChooseLabels(choice) => self.choose_labels(choice),
            Command::CloseTruth => {
                state.document.truth = None;
                state.truth_question = None;
                state.notes.leave_truth();
                self.prepare_slices();
                self.request_compared();
            }
            Command::CompareWith(source) => self.compare_with(source),
            Command::EndComparison => self.end_comparison(),
            Command::OpenModel(source) => self.open_model(source),
            Command::SetDevice(device) => {
                state.device = device;
                state.settings.device = device.to_string();
                self.open_model_again();
            }
            Command::SetPrecision(precision) => self.set_precision(precision),
            Command::SetDisplayAdapter(name) => {
                if state.settings.display_adapter != name {
                    state.settings.display_adapter = name;
                    let text = "The window changes over to the graphics adapter when HiMix is started again.";
                    state.notes.add(Kind::Info, text);
                }
            }
            Command::SetGpuTuning(effort) => {
                if state.settings.gpu_tuning != effort {
                    state.settings.gpu_tuning = effort;
                    state.notes.add(Kind::Info, "The GPU is tuned this way from the next start on.");
                }
            }
            Command::ClearGpuCache => {
                let sent = self.engine.ask(&mut state.jobs.clearing, (), ClearGpuCache);
                let _ = self.say_if_busy(sent);
            }
            Command::SaveMask(path) => self.save_mask(path),
            Command::SaveOverlay(path, size) => self.save_overlay(path, size),
            Command::SetPrompt(prompt) => {
                self.end_difference();
                self.set_prompt(prompt);
            }
            Command::TypePrompt(prompt) => {
                self.end_difference();
                self.type_prompt(prompt);
            }
            Command::EndTyping => self.finish_typing(),
            Command::Box(command) => self.apply_box(command),
            Command::DrawWithoutPrompt(draws) => {
                state.settings.draws_without_prompt = draws;
                if state.sent_prompt().trim().is_empty() {
                    self.request_prediction();
                }
            }
            Command::Favourite(prompt, is_on) => state.settings.favour(prompt, is_on),
            Command::Recall(id) => self.recall(id),
            Command::ShowPalette(typed) => state.palette = typed,
            Command::FocusPrompt => state.focus_prompt = true,
            Command::SetThreshold(threshold) => state.settings.set_threshold(threshold),
            Command::UseModelThreshold(threshold) => state.settings.use_threshold(Some(threshold)),
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
                if let Some(open) = &mut state.document.image {
                    open.seen.is_inverted = inverted != open.volume.is_inverted;
                }
            }
            Command::UseWindow => self.use_window(),
            Command::Ruler(ends) => state.ruler = ends,
            Command::CancelOpening => state.jobs.image.cancel(),
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
            Command::SetMemoryLimit(gib) => state.settings.memory_limit_gib = gib,
            Command::Present(is_on) => self.present(ctx, is_on),
            Command::ShowTab(tab) => self.show_tab(tab),
            Command::Stages(command) => self.apply_stages(command),
            Command::Influence(command) => self.apply_influence(command),
            Command::Networks(command) => self.apply_networks(command),
            Command::Uncertainty(command) => self.apply_uncertainty(command),
            Command::Robustness(command) => self.apply_robustness(command),
            Command::Proposals(command) => self.apply_proposals(command),
            Command::Variants(command) => self.apply_variants(command),
            Command::Annotate(command) => self.apply_annotating(command),
            Command::Keep(command) => self.apply_keeping(command),
            Command::Export(command) => self.apply_export(command),
            Command::SetUndoMemory(mib) => {
                state.settings.undo_memory_mib = mib;
                state.history.set_limit(state.settings.undo_memory());
            }
            Command::Builder(command) => self.apply_builder(command),
            Command::Report(command) => self.apply_report(command),
            Command::Session(command) => self.apply_session(command),
            Command::Train(command) => self.apply_training(command),
            Command::ShowPage(page) => {
                state.page = page;
                state.rebinding = None;
            }
            Command::CopyDiagnostics => {
                ctx.copy_text(diagnostics::text(state, &self.graphics));
                let text = "Diagnostics copied. They hold no names, paths, prompts or images.";
                state.notes.add(Kind::Info, text);
            }
            Command::Undo => self.step_to(0, true),
            Command::Redo => self.step_to(0, false),
            Command::Dismiss(note) => state.notes.dismiss(note),
            Command::DismissAll => state.notes.dismiss_all(),
            Command::HideNotes => state.notes.hide_case(),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    fn open_paths(&mut self, paths: Vec<PathBuf>, asks: AsksFor) {
        let paths = self.take_found(paths);
        if paths.is_empty() {
            return;
        }
        let state = &mut self.state;
        let has_image = state.document.image.is_some();
        let job = SortPaths { paths, has_image, asks };
        let sent = self.engine.ask_beside(&mut state.jobs.sorting, (), job);
        self.say_if_busy(sent);
    }

    /// Returns the next request number.
    pub(super) fn ticket(&self) -> Ticket {
        self.engine.ticket()
    }

    /// Returns the number of the request if it was sent; otherwise tells the user that the thread is busy.
    pub(super) fn say_if_busy(&mut self, sent: Result<Ticket, Busy>) -> Option<Ticket> {
        if let Err(busy) = &sent {
            self.state.notes.add(Kind::Error, busy.to_string());
        }
        sent.ok()
    }

    fn ask(&mut self, kind: DialogKind) {
        let image = self.state.document.image.as_ref().map(|image| image.path.clone());
        let name = match kind {
            DialogKind::SaveMask => self.state.suggested_name("mask"),
            DialogKind::SaveOverlay(_) => self.state.suggested_name("overlay"),
            DialogKind::SaveAnnotation => self.state.suggested_annotation_name(),
            DialogKind::SaveSettings => Some("training.toml".into()),
            DialogKind::SaveAgreement => Some("agreement.csv".into()),
            DialogKind::SaveFigure(kind) => {
                let kind = format!("{kind:?}").to_lowercase();
                Some(self.state.suggested_name(&kind).unwrap_or(format!("{kind}.png")))
            }
            DialogKind::Export => self.state.export.form.as_ref().map(|form| file_name(Path::new(&form.path))),
            DialogKind::SaveModified => {
                self.state.model.as_ref().map(|model| stages::turned_name(model.source.path()))
            }
            _ => self.state.suggested_session_name(kind),
        };
        let folder = match kind {
            DialogKind::ModelFolder
            | DialogKind::ModelFile
            | DialogKind::StartModel
            | DialogKind::CompareModel
            | DialogKind::FindFolder(_)
            | DialogKind::SaveModified => {
                self.state.model.as_ref().and_then(|model| model.source.path().parent().map(PathBuf::from))
            }
            _ => image
                .or_else(|| self.state.settings.recent.first().cloned())
                .and_then(|mut path| path.pop().then_some(path)),
        };
        // Sample cases and the bundled model are not stored in a folder.
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        if let Err(error) = self.dialogs.ask(kind, folder, name) {
            self.state.notes.add(Kind::Error, format!("No file dialog could be opened ({error})."));
        }
    }

    pub(super) fn take_dialog_answer(&mut self) {
        let Some((kind, answer)) = self.dialogs.answer() else { return };
        let path = match answer {
            Answer::Picked(path) => path,
            // A save that did not happen is noticed where the window closes.
            Answer::Cancelled => return,
            Answer::Exists(path) => {
                let text = format!(
                    "{} exists already, and nothing was saved. Choose it by its whole name to replace it.",
                    path.display()
                );
                return self.state.notes.add(Kind::Error, text);
            }
            Answer::Unavailable => {
                let text = "The system showed no file dialog (on Linux it needs a desktop portal or zenity). \
                            Drop the file on the window, or name it on the command line.";
                return self.state.notes.add(Kind::Error, text);
            }
        };
        let typed = |field: NetworksField, path: &Path| {
            Command::Networks(NetworksCommand::Type(field, path.display().to_string()))
        };
        self.commands.push(match kind {
            DialogKind::Image => Command::OpenImage(path),
            DialogKind::Folder => Command::OpenPaths(vec![path]),
            DialogKind::Truth => Command::OpenTruth(vec![path]),
            DialogKind::CompareModel => Command::CompareWith(ModelSource::new(path)),
            DialogKind::SaveModified => Command::Stages(StagesCommand::SaveModified(path)),
            DialogKind::FitData => Command::Stages(StagesCommand::Fit(path)),
            DialogKind::FitComparedData => Command::Stages(StagesCommand::FitCompared(path)),
            DialogKind::SaveFigure(kind) => Command::Stages(StagesCommand::SaveFigure(kind, path)),
            DialogKind::ModelFolder | DialogKind::ModelFile => Command::OpenModel(ModelSource::new(path)),
            DialogKind::SaveMask => Command::SaveMask(path),
            DialogKind::OpenAnnotation => Command::Keep(KeepCommand::Open(path)),
            DialogKind::SaveAnnotation => Command::Keep(KeepCommand::SaveAs(path)),
            DialogKind::SaveOverlay(size) => Command::SaveOverlay(path, size),
            DialogKind::Annotation => Command::Export(ExportCommand::OpenLabels(path)),
            DialogKind::Export => Command::Export(ExportCommand::Picked(path)),
            DialogKind::SegmentCodes => Command::Export(ExportCommand::Codes(Some(path))),
            DialogKind::BatchFolder => {
                Command::Export(ExportCommand::Batch(BatchCommand::Out(path.display().to_string())))
            }
            DialogKind::NetworkFolder => typed(NetworksField::Path, &path),
            DialogKind::NetworksData => typed(NetworksField::Folder, &path),
            DialogKind::NetworksKept => typed(NetworksField::Kept, &path),
            DialogKind::SaveNetworks => Command::Networks(NetworksCommand::Save(path)),
            DialogKind::StudyData => Command::Robustness(RobustnessCommand::Folder(path.display().to_string())),
            DialogKind::StudyResults => Command::Robustness(RobustnessCommand::Out(path.display().to_string())),
            DialogKind::TrainData => Command::Train(TrainCommand::AddData(path)),
            DialogKind::PairsFolder => {
                Command::Cases(CasesCommand::Pair(PairCommand::Folder(path.display().to_string())))
            }
            DialogKind::SaveAgreement => Command::Cases(CasesCommand::SaveAgreement(path)),
            DialogKind::RunFolder => Command::Train(TrainCommand::Set("out", path.display().to_string())),
            DialogKind::StartModel => Command::Train(TrainCommand::Set("start", path.display().to_string())),
            DialogKind::LoadSettings => Command::Train(TrainCommand::LoadSettings(path)),
            DialogKind::SaveSettings => Command::Train(TrainCommand::SaveSettings(path)),
            DialogKind::OpenSession => Command::Session(SessionCommand::Open(path)),
            DialogKind::SaveSession => Command::Session(SessionCommand::Save(path)),
            DialogKind::SaveVariants => Command::Session(SessionCommand::SaveVariants(path)),
            DialogKind::FindFile(part) | DialogKind::FindFolder(part) => {
                Command::Session(SessionCommand::Found(part, path))
            }
        });
    }

    pub(super) fn open_model(&mut self, source: ModelSource) {
        let device = self.state.device;
        if let Err(error) = self.engine.open_model(Slot::Primary, &mut self.state.jobs.model, source, device) {
            let text = format!("The model could not be opened ({error}). Close other programs.");
            self.state.notes.add(Kind::Error, text);
        }
    }

    /// Opens the model that is open or being opened once more, for another device or precision.
    fn open_model_again(&mut self) {
        let state = &self.state;
        let opening = state.jobs.model.pending().map(|awaited| &awaited.what);
        if let Some(source) = opening.or(state.model.as_ref().map(|model| &model.source)).cloned() {
            self.open_model(source);
        }
    }

    fn set_precision(&mut self, precision: Precision) {
        if self.state.precision == precision {
            return;
        }
        self.state.precision = precision;
        self.state.settings.precision = precision;
        precision::choose(precision);
        // The CPU has one precision.
        if self.state.device != DeviceChoice::Cpu {
            self.open_model_again();
        }
    }

    /// Requests the mask of the slice that is shown, if an image and a model are open.
    pub(super) fn request_prediction(&mut self) {
        // While the user keeps typing, the wait is measured from the first edit that has not been answered yet.
        let since = self.state.jobs.prediction.pending().map_or_else(Instant::now, |awaited| awaited.since);
        let ticket = self.forget_prediction();
        if self.request_difference(ticket) {
            return;
        }
        self.request_compared();
        let state = &mut self.state;
        if state.is_without_prompt() {
            state.shown = None;
            return;
        }
        let (Some(image), Some(_)) = (&state.document.image, &state.model) else { return };
        let truth = state.truth_mask();
        let (seen, image, prompt) = (image.asked, image.image.clone(), state.sent_prompt().into_owned());
        let request = PredictRequest { ticket, image, seen, prompt, truth };
        self.engine.predict(Slot::Primary, &mut state.jobs.prediction, request);
        state.jobs.prediction.waits_since(since);
    }

    /// Stops waiting for a mask because what is shown has changed. Returns the number of the request that follows.
    pub(super) fn forget_prediction(&mut self) -> Ticket {
        let ticket = self.ticket();
        let state = &mut self.state;
        state.jobs.prediction.forget(ticket);
        state.due = None;
        self.engine.forget_request(Slot::Primary);
        ticket
    }

    fn save_mask(&mut self, path: PathBuf) {
        let Some(mask) = self.state.mask_to_save() else { return };
        let job = SaveMask { path: path.clone(), mask };
        let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
        self.say_if_busy(sent);
    }

    fn save_overlay(&mut self, path: PathBuf, size: OverlaySize) {
        let state = &self.state;
        let (Some(mask), Some(image)) = (state.mask_to_save(), &state.document.image) else { return };
        let settings = &state.settings;
        let job = SaveOverlay {
            path: path.clone(),
            frame: state.overlay_frame(size),
            image: image.image.clone(),
            seen: image.painted(),
            mask,
            truth: state.reference_to_save(),
            paint: settings.overlay_paint(),
        };
        let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
        self.say_if_busy(sent);
    }

    /// Tells the user that a file was written.
    pub(super) fn say_saved(&mut self, path: &std::path::Path) {
        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        self.state.notes.add(Kind::Info, format!("Saved {} in {folder}", file_name(path)));
    }
}
