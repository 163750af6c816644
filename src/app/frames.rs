//! How long the window's frames take, written down where `HIMIX_FRAME_TIMES` names a file.

use std::path::PathBuf;
use std::time::Instant;

/// Frames that are remembered.
const MOST: usize = 1_000_000;

/// Milliseconds from the beginning of a frame to that of the next.
#[derive(Default)]
pub struct Frames {
    path: Option<PathBuf>,
    last: Option<Instant>,
    times: Vec<f32>,
}

impl Frames {
    /// Where the environment asks for it.
    pub fn from_environment() -> Self {
        Self { path: std::env::var_os("HIMIX_FRAME_TIMES").map(PathBuf::from), ..Self::default() }
    }

    /// A frame begins.
    pub fn begin(&mut self) {
        if self.path.is_none() {
            return;
        }
        let now = Instant::now();
        if let Some(last) = self.last.replace(now)
            && self.times.len() < MOST
        {
            self.times.push((now - last).as_secs_f32() * 1e3);
        }
    }

    /// One time a line.
    pub fn write(&self) {
        if let Some(path) = &self.path {
            let text: String = self.times.iter().map(|time| format!("{time:.3}\n")).collect();
            // A measurement that is lost is no reason to keep the program from ending.
            let _ = crate::data::write::bytes(path, text.as_bytes());
        }
    }
}
