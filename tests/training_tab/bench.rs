//! A window with the Train tab, and the actions of its tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::{InferError, ModelSource, OpenModel};

use crate::fake::FakeModel;
use crate::fake_trainer::FakeTrainer;
use crate::harness::{Files, Window, open, says, wait};

/// A window with the Train tab, and its initial files.
pub struct Bench {
    pub window: Window,
    pub trainer: FakeTrainer,
    pub model: FakeModel,
    pub opened: Arc<Mutex<Vec<PathBuf>>>,
    pub files: Files,
}

impl Bench {
    pub fn new(trainer: FakeTrainer) -> Self {
        let files = Files::new();
        Self::with(trainer, files, true, None)
    }

    pub fn with(trainer: FakeTrainer, files: Files, has_image: bool, settings: Option<PathBuf>) -> Self {
        let model = FakeModel::default();
        let opened = Arc::<Mutex<Vec<PathBuf>>>::default();
        let (inner, list) = (model.opener(), opened.clone());
        let opener: OpenModel = Arc::new(move |source, device| {
            list.lock().map_err(|error| InferError::Refused(error.to_string()))?.push(source.path().to_path_buf());
            inner(source, device)
        });
        let start = Start {
            files: if has_image { vec![files.image(), files.truth()] } else { Vec::new() },
            model: Some(ModelSource::new("demo")),
            device: Some(DeviceChoice::Cpu),
            settings,
            ..Start::default()
        };
        let mut window = open(opener, Arc::new(trainer.clone()), start);
        if has_image {
            wait(&mut window, "the scores", |window| says(window, "Dice"));
        }
        window.run();
        window.get_by_label("Train").click();
        window.run();
        Self { window, trainer, model, opened, files }
    }

    /// Adds a data set and names a run folder.
    pub fn filled(trainer: FakeTrainer) -> Self {
        let mut bench = Self::new(trainer);
        bench.fill();
        bench
    }

    pub fn fill(&mut self) {
        self.enter("Or path", "data/qata");
        let out = self.run_folder().display().to_string();
        self.enter("Run folder", &out);
        self.until("the pairs", |window| says(window, "1\u{2009}400 pairs to train on"));
    }

    pub fn run_folder(&self) -> PathBuf {
        self.files.folder.path().join("run")
    }

    /// Replaces the text of the field with this label by `text`, and leaves the field.
    pub fn enter(&mut self, label: &str, text: &str) {
        self.window.get_by_role_and_label(Role::TextInput, label).focus();
        self.window.run();
        self.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.window.run();
        self.window.get_by_role_and_label(Role::TextInput, label).type_text(text);
        self.window.run();
        self.window.key_press(Key::Enter);
        self.window.run();
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.step();
        self.window.step();
    }

    pub fn until(&mut self, what: &str, is_so: impl Fn(&Window) -> bool) {
        wait(&mut self.window, what, is_so);
    }

    pub fn finish(&mut self) {
        self.click("Start training");
        self.until("the end", |window| says(window, "Training has finished"));
    }

    pub fn has(&self, label: &str) -> bool {
        self.window.query_all_by_label(label).next().is_some()
    }

    pub fn is_enabled(&self, label: &str) -> bool {
        !self.window.get_by_label(label).accesskit_node().is_disabled()
    }

    /// Asks the window to close, like its frame; returns whether it refuses.
    pub fn close(&mut self) -> bool {
        let root = self.window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        root.events.push(ViewportEvent::Close);
        self.window.step();
        self.said(&ViewportCommand::CancelClose)
    }

    pub fn said(&self, command: &ViewportCommand) -> bool {
        self.window.output().viewport_output.values().any(|output| output.commands.contains(command))
    }

    /// Steps until the window closes itself.
    pub fn closes(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            self.window.step();
            if self.said(&ViewportCommand::Close) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}
