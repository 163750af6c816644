//! The real window under Xvfb, driven by mouse and keyboard as somebody would: open a folder, type, move the threshold, compare, go on to the
//! next case, undo. What the program then remembers of it in its settings says whether it was done.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Desk {
    display: String,
    folder: tempfile::TempDir,
    _server: Process,
}

impl Desk {
    /// A screen of its own; none where Xvfb or xdotool are not installed.
    fn new() -> Option<Self> {
        let display = format!(":{}", 120 + std::process::id() % 800);
        let server = Command::new("Xvfb")
            .args([&display, "-screen", "0", "1280x800x24"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            println!("skipped: Xvfb is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Self { display, folder, _server: Process(server) };
        let start = Instant::now();
        while !desk.tool(&["getmouselocation"]) {
            if start.elapsed() > Duration::from_secs(10) {
                println!("skipped: xdotool finds no screen");
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(desk)
    }

    fn tool(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("xdotool");
        command.args(arguments).env("DISPLAY", &self.display).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn key(&self, key: &str) {
        assert!(self.tool(&["key", key]), "xdotool key {key}");
        std::thread::sleep(Duration::from_millis(120));
    }

    fn settings(&self) -> Value {
        let path = self.folder.path().join("config/himix/settings.json");
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Waits until the settings say so.
    #[track_caller]
    fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        let start = Instant::now();
        while !is_so(&self.settings()) {
            assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}: {:#}", self.settings());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Two cases in the authors' layout.
fn cases(root: &Path) {
    for part in ["train/Images", "train/GTs", "prompt"] {
        std::fs::create_dir_all(root.join(part)).expect("a folder");
    }
    for name in ["a", "b"] {
        let grey = image::GrayImage::from_fn(96, 96, |x, y| image::Luma([((x * 2) ^ y) as u8]));
        grey.save(root.join(format!("train/Images/{name}.png"))).expect("written");
        let mask = image::GrayImage::from_fn(96, 96, |x, _| image::Luma([if x < 40 { 255 } else { 0 }]));
        mask.save(root.join(format!("train/GTs/mask_{name}.png"))).expect("written");
    }
    let table = "Image,Description\na.png,left lung\nb.png,right lung\n";
    std::fs::write(root.join("prompt/train.csv"), table).expect("written");
}

fn prompts(settings: &Value) -> Vec<String> {
    let list = settings["prompts"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|prompt| prompt.as_str().map(str::to_owned)).collect()
}

#[test]
fn a_case_is_read_from_opening_to_undo() {
    let Some(desk) = Desk::new() else { return };
    let root = desk.folder.path().join("cases");
    cases(&root);
    let run = desk.folder.path().join("run");
    std::fs::create_dir(&run).expect("a folder");
    std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("permissions");
    let program = Command::new(env!("CARGO_BIN_EXE_himix"))
        .arg(&root)
        .args(["--device", "cpu"])
        .env("DISPLAY", &desk.display)
        .env_remove("WAYLAND_DISPLAY")
        .env("XDG_RUNTIME_DIR", &run)
        .env("XDG_CONFIG_HOME", desk.folder.path().join("config"))
        .env("XDG_DATA_HOME", desk.folder.path().join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let _program = Process(program);

    // Open: the folder's first case is segmented by its own sentence, and that is remembered.
    desk.wait("the first mask", |settings| prompts(settings).contains(&"left lung".to_owned()));
    assert!(desk.tool(&["search", "--sync", "--onlyvisible", "--name", "HiMix", "windowfocus"]));

    // Threshold, by key; comparison in other colours.
    for _ in 0..10 {
        desk.key("bracketright");
    }
    desk.key("c");
    desk.wait("the threshold", |settings| {
        (settings["threshold"].as_f64().unwrap_or_default() - 0.6).abs() < 1e-4
            && settings["colours"]["scheme"] == "safe"
    });

    // Type: the field gets the letters, C and N among them, and the mask of the whole sentence is kept.
    desk.key("slash");
    // A slow machine takes a frame or two until the field has the keyboard.
    std::thread::sleep(Duration::from_millis(2000));
    assert!(desk.tool(&["type", "--delay", "100", " can"]));
    desk.wait("the typed sentence", |settings| prompts(settings).contains(&"left lung can".to_owned()));
    // Undo brings the sentence back that stood before.
    desk.key("ctrl+z");
    desk.wait("the undone sentence", |settings| prompts(settings).first().is_some_and(|p| p != "left lung can"));
    desk.key("Escape");

    // The next case, with its own sentence; the wheel over the picture takes no key away from it.
    desk.key("n");
    desk.wait("the next case", |settings| prompts(settings).contains(&"right lung".to_owned()));
    assert!(desk.tool(&["mousemove", "600", "300", "click", "--repeat", "3", "4"]));
    desk.key("h");
    desk.wait("the heat map", |settings| settings["heat"] == true);
}
