//! Output on the terminal: results on stdout, notes and progress on stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;

pub use himix::app::duration;

/// Writes results to stdout. A reader that closes the pipe early is not an error.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if text.ends_with('\n') { out.flush() } else { out.write_all(b"\n").and_then(|()| out.flush()) }
    });
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::work(format!("the results cannot be written to standard output ({error})")))
        }
        _ => Ok(()),
    }
}

/// Writes a note on stderr, which is not an error.
pub fn note(text: impl Display) {
    let line = text.to_string().replace(['\n', '\r'], " ");
    // A closed stderr is not a reason to stop.
    let _ = writeln!(io::stderr(), "himix: note: {line}");
}

/// Returns a progress bar over `length` steps on stderr; hidden if that is not a terminal.
pub fn bar(length: usize, unit: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = format!("{{wide_bar}} {{pos}} of {{len}} {unit}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// Returns a progress bar whose message contains the remaining time.
pub fn bar_with_message(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} steps, {msg}");
    bar(length, "steps").with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shows a line on stderr that says what is being done until it is dropped; hidden if stderr is not a terminal.
pub fn busy(message: &str) -> Busy {
    if !io::stderr().is_terminal() {
        return Busy(ProgressBar::hidden());
    }
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    Busy(spinner)
}

/// Says `words` on stderr, because what follows takes long: as a line with the time and the part that is done until
/// it is dropped, or as a note if stderr is not a terminal.
pub fn long_wait(words: &str) -> Busy {
    if !io::stderr().is_terminal() {
        note(words);
        return Busy(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {prefix}: {pos} %, {msg} ({elapsed})");
    let bar = ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(words.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    Busy(bar)
}

/// Removes its line when it is dropped.
pub struct Busy(ProgressBar);

impl Busy {
    /// Shows that `percent` is done, and what is being done.
    pub fn set(&self, percent: u8, step: &'static str) {
        self.0.set_position(percent.into());
        self.0.set_message(step);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Runs a command so that a panic does not print its own text. A panic that is not caught elsewhere is a defect of
/// this program and ends the command with one line. `RUST_BACKTRACE` restores the normal text.
pub fn without_panic_text(command: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let last = Arc::new(Mutex::new(String::new()));
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        let last = Arc::clone(&last);
        std::panic::set_hook(Box::new(move |panic| {
            himix::logging::panicked(panic);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
    }
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        let reason = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(Failure::work(format!("an internal error, please report it: {reason}")))
    })
}
