//! The log of what the program did, for bug reports.
//!
//! An event is a fixed text with fields that are numbers, names of hardware or names of kinds ([`kind`]). No path, no name of a file, no
//! prompt, no value of a DICOM element and no message of an error goes into it, because each of these can name a person. Events of other
//! libraries are left out for the same reason. The window writes the log beside its settings; a command does where `HIMIX_LOG` is set.

mod file;

use std::fmt::Debug;
use std::panic::{Location, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use file::LogFile;
pub use file::{FILE, OLD_FILE, tail};

/// The name of the environment variable that chooses the level: `off`, `error`, `warn`, `info` (the default), `debug` or `trace`.
pub const LEVEL: &str = "HIMIX_LOG";

/// Returns the folder of the log; `None` if the system has no folder for settings.
pub fn folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "himix").map(|folders| folders.config_dir().join("log"))
}

/// Starts the log in `folder`, including panics. Does nothing if a log was started already or the level is `off`. A log that cannot be
/// written is no error.
pub fn start(folder: &Path) {
    let asked = std::env::var(LEVEL).unwrap_or_default();
    let level = level(&asked);
    if level == Some(LevelFilter::OFF) {
        return;
    }
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(Mutex::new(LogFile::open(folder)))
        .with_filter(Targets::new().with_target(env!("CARGO_PKG_NAME"), level.unwrap_or(LevelFilter::INFO)));
    if tracing_subscriber::registry().with(layer).try_init().is_err() {
        return;
    }
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        panicked(panic);
        previous(panic);
    }));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), system, processor, threads, "started");
    if level.is_none() {
        tracing::warn!("the level asked for is not known; it is off, error, warn, info, debug or trace");
    }
}

/// Logs a panic: the place in the code and the thread. Its message is left out, because it may quote what was read.
pub fn panicked(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let place = panic.location().map(place).unwrap_or_default();
    tracing::error!(place, thread = thread.name().unwrap_or("unnamed"), "panic");
}

/// Returns the name of an error's kind: the variant of its enum without its content.
pub fn kind(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    let end = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

/// Returns a place in the source code, relative to the folder of its package: the path above belongs to the machine that compiled it.
pub fn place(location: &Location<'_>) -> String {
    let parts: Vec<&str> = location.file().split(['/', '\\']).collect();
    let package =
        parts.iter().rposition(|part| *part == "src").map_or(parts.len() - 1, |src| src.saturating_sub(1));
    format!("{}:{}", parts[package..].join("/"), location.line())
}

/// Returns the level of this name, the default for an empty name, and `None` for an unknown name.
fn level(name: &str) -> Option<LevelFilter> {
    match name.trim().to_ascii_lowercase().as_str() {
        "" | "info" => Some(LevelFilter::INFO),
        "off" => Some(LevelFilter::OFF),
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "debug" => Some(LevelFilter::DEBUG),
        "trace" => Some(LevelFilter::TRACE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_nothing_of_what_it_holds() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only printed")]
        enum Error {
            Unreadable { path: &'static str },
            Refused(&'static str),
            Cancelled,
        }
        let all = [Error::Unreadable { path: "/home/doe/doe.dcm" }, Error::Refused("doe"), Error::Cancelled];
        assert_eq!(all.map(|error| kind(&error)), ["Unreadable", "Refused", "Cancelled"]);
    }

    #[test]
    fn a_place_begins_at_its_package() {
        let here = place(Location::caller());
        assert!(here.ends_with(&format!("src/logging/mod.rs:{}", line!() - 1)), "{here}");
        assert!(!here.starts_with('/'), "{here}");
    }

    #[test]
    fn levels_by_name() {
        assert_eq!(level(""), Some(LevelFilter::INFO));
        assert_eq!(level(" Error "), Some(LevelFilter::ERROR));
        assert_eq!(level("off"), Some(LevelFilter::OFF));
        assert_eq!(level("loud"), None);
    }
}
