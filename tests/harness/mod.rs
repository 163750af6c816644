//! The window of a test, found by accessibility label.

// Each test uses its part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use himix::app::{HimixApp, Start};
use himix::engine::Trainer;
use himix::infer::OpenModel;
use serde_json::Value;

use crate::fake::{HEIGHT, WIDTH};

pub type Window = Harness<'static, Option<HimixApp>>;

/// The left half of the picture is lesion to the fake network, the upper half to the truth.
pub struct Files {
    pub folder: tempfile::TempDir,
}

impl Files {
    pub fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let grey = image::GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([100]));
        grey.save(files.image()).expect("an image is written");
        let truth = image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |_, y| {
            image::Luma([if (y as usize) < HEIGHT / 2 { 255 } else { 0 }])
        });
        std::fs::create_dir(files.folder.path().join("truth")).expect("a folder");
        truth.save(files.truth()).expect("a mask is written");
        let small = image::GrayImage::from_pixel(10, 12, image::Luma([255]));
        small.save(files.small_truth()).expect("a mask is written");
        files
    }

    pub fn image(&self) -> PathBuf {
        self.folder.path().join("chest.png")
    }

    pub fn truth(&self) -> PathBuf {
        self.folder.path().join("truth/mask_chest.png")
    }

    pub fn small_truth(&self) -> PathBuf {
        self.folder.path().join("mask_small.png")
    }
}

/// A window that starts in its first frame. It draws a mask even while the prompt is empty, unless the settings say
/// otherwise, because most tests need a mask and no prompt.
pub fn open(model: OpenModel, trainer: Arc<dyn Trainer>, mut start: Start) -> Window {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = start.settings.get_or_insert_with(|| folder.path().join("settings.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    // What is not JSON is for the program to find.
    if let Ok(Value::Object(mut settings)) = serde_json::from_str(&text) {
        settings.entry("draws_without_prompt").or_insert(Value::Bool(true));
        std::fs::write(&path, Value::Object(settings).to_string()).expect("settings are written");
    }
    open_with(folder, model, trainer, start)
}

/// A window with the default settings.
pub fn open_as_new(model: OpenModel, trainer: Arc<dyn Trainer>, start: Start) -> Window {
    open_with(tempfile::tempdir().expect("a temporary folder"), model, trainer, start)
}

/// A window that keeps `folder` while it is open.
fn open_with(folder: tempfile::TempDir, model: OpenModel, trainer: Arc<dyn Trainer>, start: Start) -> Window {
    let mut first = Some((model, trainer, start));
    let frame = move |ui: &mut egui::Ui, app: &mut Option<HimixApp>| {
        let _kept = &folder;
        if let Some((model, trainer, start)) = first.take() {
            *app = Some(HimixApp::new(ui.ctx(), model, trainer, start).expect("threads start"));
        }
        if let Some(app) = app {
            app.show(ui);
        }
    };
    // Threads wake the window for what they have done, some frames one after the other; a window that never rests takes more.
    let mut window = Harness::builder().with_size([1280.0, 800.0]).with_max_steps(40).build_ui_state(frame, None);
    window.set_render_cursor(false);
    window
}

/// Steps until `is_so`, which must be soon.
#[track_caller]
pub fn wait(window: &mut Window, what: &str, is_so: impl Fn(&Window) -> bool) {
    let start = Instant::now();
    while !is_so(window) {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
        window.step();
    }
    // Answers of other threads may still arrive and move what is clicked next.
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(10));
        window.step();
    }
    window.run();
}

/// Whether some label contains `text`.
pub fn says(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

/// Drops a file on the window.
pub fn drop_file(window: &mut Window, path: &Path) {
    #[derive(Debug)]
    struct Dropped(PathBuf);
    impl egui::DroppedFile for Dropped {
        fn path(&self) -> &Path {
            &self.0
        }
        fn bytes(&self) -> Result<Vec<u8>, String> {
            Err("the window reads no file itself".into())
        }
    }
    window.input_mut().dropped_files.push(Arc::new(Dropped(path.to_owned())));
    window.step();
}
