//! The window: its state, the commands that change the state, and the panels that show it.
//!
//! Each frame handles what the threads report, converts keys to commands, draws the panels, which create more
//! commands, and applies all commands in one place. Nothing here computes, blocks or reads a file.

mod actions;
mod annotating;
mod apply;
mod arrivals;
mod boxed;
mod builder;
mod cases;
mod command;
mod comparison;
mod diagnostics;
mod dialogs;
mod export;
#[cfg(test)]
mod fixture;
mod frames;
mod graphics;
mod influence;
mod jobs;
mod judging;
mod keeping;
mod keyboard;
mod keys;
mod layout;
mod networks;
mod notes;
mod opening;
mod page;
mod pane;
mod panels;
mod picture;
mod preferences;
mod proposals;
mod record;
mod report;
mod robustness;
mod run;
mod saving;
mod session;
mod session_file;
mod settings;
mod settings_file;
mod stages;
mod state;
mod tab;
mod text;
mod theme;
mod training;
mod truth;
mod truth_answer;
mod typing;
mod uncertainty;
mod undo;
mod variants;
mod view;
mod worklist;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::{egui, wgpu};

pub use graphics::Adapters;
pub use run::{run, run_with};
pub use settings::{MINIMUM_SIZE, settings_folder};
pub use text::duration;

use crate::device::{DeviceChoice, Precision, precision};
use crate::engine::{Engine, Trainer, Wake, Worker};
use crate::infer::{ModelSource, OpenModel};
use crate::render::Picture;
use command::Command;
use dialogs::Dialogs;
use frames::Frames;
use keeping::Keeping;
use notes::Kind;
use session_file::RecoveryFile;
use settings::Settings;
use settings_file::SettingsFile;
use state::State;
use tab::Tab;
use training::TrainCommand;

/// How long the window waits for the settings, and for the annotation, to be written when it is closed.
const FAREWELL: Duration = Duration::from_secs(3);
/// The duration of one animation frame of the progress line.
const ANIMATION: Duration = Duration::from_millis(40);

/// The options that the window starts with.
#[derive(Clone, Debug)]
pub struct Start {
    /// Images, masks and models to open.
    pub files: Vec<PathBuf>,
    /// The prompt to start with; `None` starts with an empty one.
    pub prompt: Option<String>,
    /// The model to open; `None` opens the model that was open last.
    pub model: Option<ModelSource>,
    /// A model to compare with.
    pub against: Option<ModelSource>,
    /// The model to fall back to if there is no other.
    pub fallback: Option<ModelSource>,
    /// The compute device; `None` selects the device that was chosen last.
    pub device: Option<DeviceChoice>,
    /// The precision of predictions on a GPU; `None` selects the one that was chosen last.
    pub precision: Option<Precision>,
    /// The settings file; without a path, settings are not saved.
    pub settings: Option<PathBuf>,
    /// The device that draws the window, for diagnostics.
    pub graphics: String,
    /// The adapters that could draw the window.
    pub adapters: Adapters,
    /// The texture format of the window's surface.
    pub surface: wgpu::TextureFormat,
    /// The maximum side length of a texture, in pixels.
    pub texture_limit: usize,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            prompt: None,
            model: None,
            against: None,
            fallback: None,
            device: None,
            precision: None,
            settings: None,
            graphics: String::new(),
            adapters: Adapters::default(),
            surface: wgpu::TextureFormat::Rgba8Unorm,
            texture_limit: 8192,
        }
    }
}

/// The application.
pub struct HimixApp {
    state: State,
    engine: Engine,
    dialogs: Dialogs,
    commands: Vec<Command>,
    settings_file: SettingsFile,
    recovery_file: RecoveryFile,
    texture_limit: usize,
    fallback: Option<ModelSource>,
    frames: Frames,
    graphics: String,
}

impl HimixApp {
    /// Starts the threads and requests what `start` specifies. `open` opens models and `trainer` trains models,
    /// both on background threads. Fails if a thread cannot be started.
    pub fn new(ctx: &egui::Context, open: OpenModel, trainer: Arc<dyn Trainer>, start: Start) -> io::Result<Self> {
        let (settings, damage) = match &start.settings {
            Some(path) => Settings::load(path),
            None => (Settings::default(), None),
        };
        Self::with_settings(ctx, open, trainer, start, settings, damage)
    }

    /// Like [`Self::new`], with settings that have already been read.
    fn with_settings(
        ctx: &egui::Context,
        open: OpenModel,
        trainer: Arc<dyn Trainer>,
        start: Start,
        settings: Settings,
        damage: Option<String>,
    ) -> io::Result<Self> {
        theme::install(ctx);
        theme::apply(ctx, settings.theme);
        ctx.set_zoom_factor(settings.zoom);
        let wake: Wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint())
        };
        let remembered = settings.device.parse();
        let device = start.device.or(remembered.clone().ok()).unwrap_or(DeviceChoice::Auto);
        let engine = Engine::start(open, trainer, wake.clone())?;
        let keeping = start.settings.clone();
        let settings_folder = start.settings.as_ref().and_then(|path| path.parent()).map(PathBuf::from);
        let mut app = Self {
            recovery_file: RecoveryFile::new(&engine, start.settings.as_ref()),
            engine,
            dialogs: Dialogs::new(wake),
            commands: Vec::new(),
            settings_file: SettingsFile::new(start.settings, settings.clone()),
            texture_limit: start.texture_limit,
            fallback: start.fallback.clone(),
            frames: Frames::from_environment(),
            graphics: start.graphics,
            state: State::new(settings, device, panels::infos(), Picture::new(start.surface)),
        };
        app.state.keeping = Keeping::new(keeping.as_ref());
        app.state.cases.settings_folder = settings_folder;
        app.state.display_adapters = start.adapters.names;
        app.state.precision = start.precision.unwrap_or(app.state.settings.precision);
        precision::choose(app.state.precision);
        app.state.document.prompt = start.prompt.unwrap_or_default();
        for message in damage.into_iter().chain(start.adapters.notice) {
            app.state.notes.add(Kind::Warning, message);
        }
        if let Err(message) = remembered.map(|_: DeviceChoice| ()) {
            app.state.notes.add(Kind::Warning, format!("The remembered device is not used: {message}."));
        }
        app.read_codes();
        let remembered = app.state.settings.model.clone();
        let model = start.model.or(remembered).or(start.fallback);
        app.commands.extend(model.map(Command::OpenModel));
        app.commands.extend(start.against.map(Command::CompareWith));
        if !start.files.is_empty() {
            app.commands.push(Command::OpenPaths(start.files));
        }
        if let Some(folder) = app.state.settings.training.clone() {
            app.engine.look_for_interrupted(&mut app.state.jobs.interrupted, folder);
        }
        app.look_for_ablation();
        app.apply_commands(ctx);
        Ok(app)
    }

    /// Draws one frame into `ui`, which covers the whole window.
    pub fn show(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        self.take_arrivals(&ctx);
        self.play();
        self.show_labels();
        keyboard::collect(&ctx, &self.state, &mut self.commands);
        self.take_drops(&ctx);
        panels::show(ui, &mut self.state, &mut self.commands);
        self.apply_commands(&ctx);
        self.follow_edits();
        self.finish_typing_when_due();
        self.request_when_due();
        self.paint_comparison();
        self.paint_influence();
        self.paint_networks();
        self.request_inspection();
        self.request_variants();
        self.request_uncertainty();
        self.read_report();
        self.measure();
        if let Some(rest) = self.continue_tools() {
            ctx.request_repaint_after(rest);
        }
        self.score_annotation();
        self.measure_labels();
        self.judge();
        self.view_as_network();
        self.keep_annotations(&ctx);
        self.guard_close(&ctx);
        self.guard_unsaved(&ctx);
        self.schedule(&ctx);
        self.keep_settings(&ctx);
        self.keep_session(&ctx);
    }

    /// Returns the number of textures that have been uploaded for the image so far.
    pub fn texture_uploads(&self) -> u64 {
        self.state.picture.uploads()
    }

    fn apply_commands(&mut self, ctx: &egui::Context) {
        let commands = std::mem::take(&mut self.commands);
        if !commands.is_empty() {
            // The effect of a command is drawn in the next frame.
            ctx.request_repaint();
        }
        for command in commands {
            self.apply(ctx, command);
        }
    }

    fn take_drops(&mut self, ctx: &egui::Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        let is_session = |path: &PathBuf| {
            path.extension().is_some_and(|end| end.eq_ignore_ascii_case(crate::engine::session::EXTENSION))
        };
        if self.state.tab == Tab::Train && !dropped.iter().any(is_session) {
            self.commands.extend(dropped.into_iter().map(|path| {
                let is_settings = path.extension().is_some_and(|end| end == "toml");
                let command = if is_settings { TrainCommand::LoadSettings } else { TrainCommand::AddData };
                Command::Train(command(path))
            }));
        } else if !dropped.is_empty() {
            self.commands.push(Command::OpenDropped(dropped));
        }
    }

    /// Requests repaints for changes that happen without user input.
    fn schedule(&mut self, ctx: &egui::Context) {
        let kept = self.keep_prediction();
        if let Some(awaited) = self.state.jobs.prediction.pending() {
            let until_seen = state::STALE_AFTER.saturating_sub(awaited.since.elapsed());
            ctx.request_repaint_after(until_seen.max(ANIMATION));
        }
        if let Some(rest) = kept {
            ctx.request_repaint_after(rest);
        }
        if let Some(rest) = self.state.until_typed().into_iter().chain(self.until_pins_typed()).min() {
            ctx.request_repaint_after(rest);
        }
        if let Some(due) = self.state.due {
            ctx.request_repaint_after(due.saturating_duration_since(Instant::now()));
        }
        if self.state.playing.is_some() {
            ctx.request_repaint_after(picture::PLAY_STEP);
        }
        if let Some(change) = self.state.notes.next_change() {
            ctx.request_repaint_after(change);
        }
    }

    /// Writes the settings once they have stopped changing.
    fn keep_settings(&mut self, ctx: &egui::Context) {
        // Changes made by the presentation are not saved.
        if self.state.presentation.is_none() {
            let zoom = ctx.zoom_factor();
            if let Some(window) = ctx.input(|input| input.viewport().inner_rect) {
                // The window is opened before the text size is set, so its size is stored without it. Otherwise a
                // window with large text would be smaller at every start.
                self.state.settings.window = (window.size() * zoom).round().into();
            }
            self.state.settings.zoom = zoom;
        }
        if let Some(rest) = self.settings_file.keep(&self.engine, &self.state.settings) {
            ctx.request_repaint_after(rest);
        }
    }

    /// Keeps what is open for the case that the program ends without being closed.
    fn keep_session(&mut self, ctx: &egui::Context) {
        let jobs = &self.state.jobs;
        // What is being opened belongs to it and is not known yet.
        let is_coming = jobs.image.pending().is_some() || jobs.truth.pending().is_some();
        if !self.recovery_file.is_kept() || is_coming || jobs.model.pending().is_some() {
            return;
        }
        let session = (!self.state.is_blank()).then(|| self.state.session());
        if let Some(rest) = self.recovery_file.keep(&self.engine, session) {
            ctx.request_repaint_after(rest);
        }
        if self.recovery_file.is_written() {
            self.discard_restored();
        }
    }

    /// Writes the settings now.
    fn write_settings(&mut self) {
        self.settings_file.write(&self.engine, &self.state.settings);
    }
}

impl eframe::App for HimixApp {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.frames.begin();
        self.show(ui);
    }

    /// Returns the background colour of the panels, which then need not be filled.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        theme::palette(visuals).panel.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self) {
        self.frames.write();
        self.write_settings();
        self.recovery_file.end(&self.engine);
        self.finish_annotations(FAREWELL);
        self.discard_restored();
        self.engine.wait_for(Worker::Storage, FAREWELL);
        if self.settings_file.take().is_some() {
            tracing::error!("the last settings could not be saved");
        }
    }
}
