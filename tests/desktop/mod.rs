//! A virtual screen with the real program on it, driven by mouse and keyboard.

// Each test uses a part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Need, skip};

/// Ends with the test.
pub struct Process(Child);

impl Process {
    /// Waits until the process has ended.
    pub fn ended(&mut self, within: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < within {
            if self.0.try_wait().is_ok_and(|status| status.is_some()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A virtual screen, with a folder for the program's settings.
pub struct Desktop {
    display: String,
    pub folder: tempfile::TempDir,
    _server: Process,
}

impl Desktop {
    /// A screen of its own; `None` where Xvfb or xdotool are not installed.
    pub fn new() -> Option<Self> {
        let display = format!(":{}", 120 + std::process::id() % 800);
        let server = Command::new("Xvfb")
            .args([&display, "-screen", "0", "1280x800x24"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            skip(Need::Installable, "Xvfb is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let desktop = Self { display, folder, _server: Process(server) };
        let start = Instant::now();
        while !desktop.tool(&["getmouselocation"]) {
            if start.elapsed() > Duration::from_secs(10) {
                skip(Need::Installable, "xdotool is not installed, or finds no screen");
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(desktop)
    }

    pub fn tool(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("xdotool");
        command.args(arguments).env("DISPLAY", &self.display).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    pub fn key(&self, key: &str) {
        assert!(self.tool(&["key", key]), "xdotool key {key}");
        std::thread::sleep(Duration::from_millis(120));
    }

    pub fn settings(&self) -> Value {
        let path = self.folder.path().join("config/himix/settings.json");
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Waits until the settings satisfy a condition.
    #[track_caller]
    pub fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        let start = Instant::now();
        while !is_so(&self.settings()) {
            assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}: {:#}", self.settings());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Starts the program on this screen, with its settings in the folder.
    pub fn program(&self, executable: &str, arguments: &[&Path], environment: &[(&str, PathBuf)]) -> Process {
        let run = self.folder.path().join("run");
        if !run.is_dir() {
            std::fs::create_dir(&run).expect("a folder");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(&run, mode).expect("permissions");
        }
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .args(["--device", "cpu"])
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_RUNTIME_DIR", &run)
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for (name, value) in environment {
            command.env(name, value);
        }
        Process(command.spawn().expect("the program starts"))
    }

    /// Gives the keyboard focus to the program's window when it appears.
    pub fn focus(&self) -> bool {
        self.tool(&["search", "--sync", "--onlyvisible", "--name", "HiMix", "windowfocus"])
    }
}
