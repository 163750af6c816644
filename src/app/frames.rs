//! How long the window's frames take, written down where `HIMIX_FRAME_TIMES` names a file.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Frames that are remembered.
const MOST: usize = 1_000_000;

/// When each frame began, in milliseconds since 1970, and the milliseconds from the beginning of the one before it.
#[derive(Default)]
pub struct Frames {
    path: Option<PathBuf>,
    last: Option<Instant>,
    times: Vec<(u128, f32)>,
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
            let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            self.times.push((began, (now - last).as_secs_f32() * 1e3));
        }
    }

    /// One frame a line.
    pub fn write(&self) {
        if let Some(path) = &self.path {
            let text: String = self.times.iter().map(|(began, time)| format!("{began} {time:.3}\n")).collect();
            // A measurement that is lost is no reason to keep the program from ending.
            let _ = crate::data::write::bytes(path, text.as_bytes());
        }
    }
}
