//! Records how long frames take, if the environment variable `HIMIX_FRAME_TIMES` names a file.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The maximum number of frames that are recorded.
const MOST: usize = 1_000_000;

/// The start time of each frame in milliseconds since 1970, and its distance in milliseconds from the start of the
/// previous frame.
#[derive(Default)]
pub struct Frames {
    path: Option<PathBuf>,
    last: Option<Instant>,
    times: Vec<(u128, f32)>,
}

impl Frames {
    /// Creates a recorder that is active only if the environment asks for it.
    pub fn from_environment() -> Self {
        Self { path: std::env::var_os("HIMIX_FRAME_TIMES").map(PathBuf::from), ..Self::default() }
    }

    /// Records the start of a frame.
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

    /// Writes the recorded times, one frame per line.
    pub fn write(&self) {
        if let Some(path) = &self.path {
            let text: String = self.times.iter().map(|(began, time)| format!("{began} {time:.3}\n")).collect();
            // Losing a measurement must not keep the program from exiting.
            let _ = crate::data::write::bytes(path, text.as_bytes());
        }
    }
}
