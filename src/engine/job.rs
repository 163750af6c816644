//! What a job is: a request of the window that a thread works on, and what comes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::figure::FigureError;
use crate::data::{DataError, Volume};

/// Number by which an answer is matched with its request; a later request has a higher one.
pub type Ticket = u64;

/// The threads that do jobs, each one at a time and in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Reads files.
    Files,
    /// Counts, measures, paints; also writes pictures, which have to be painted first.
    Compute,
    /// Writes what must not wait for the others, for example the settings.
    Storage,
}

/// A request, declared with its answer and with what is done for it. See ARCHITECTURE.md, *Adding a job*.
pub trait Job: Send + 'static {
    /// What comes of it.
    type Answer: Send + 'static;

    /// The thread that does it.
    const WORKER: Worker;

    /// Whether it is done even when the program is about to end, because it writes what the user would miss.
    const OUTLIVES_WINDOW: bool = false;

    /// The file that a failure names at its end, unless its message does already.
    fn file(&self) -> Option<PathBuf> {
        None
    }

    /// Does it.
    ///
    /// # Errors
    /// One line that says what to do, or that the job was cancelled.
    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure>;
}

/// A job that is being done: how it looks to the job itself.
pub struct Task<'a> {
    /// Its number.
    pub ticket: Ticket,
    /// Says how much of how much is done.
    pub(super) progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Whether nobody waits for it any more.
    pub(super) is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// The image that this thread opened last and the number of its request: masks are laid on it.
    pub(super) opened: &'a mut Opened,
}

/// The image that was opened last, with the number of its request.
pub(super) type Opened = Option<(Ticket, Arc<Volume>)>;

impl Task<'_> {
    /// Says that `done` of `count` is done. Whether to go on.
    pub fn progress(&self, done: usize, count: usize) -> bool {
        (self.progress)(done, count);
        !(self.is_cancelled)()
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_cancelled(&self) -> bool {
        (self.is_cancelled)()
    }
}

/// Why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was cancelled, or its thread ended.
    Cancelled,
    /// One line that says why and what to do.
    Failed(String),
}

impl Failure {
    /// With the file's name at the end of the message, unless it is in there already.
    pub(super) fn naming(self, file: Option<&Path>) -> Self {
        match (self, file.map(|file| file.display().to_string())) {
            (Self::Failed(message), Some(file)) if !message.contains(&file) => {
                Self::Failed(format!("{message} File: {file}"))
            }
            (failure, _) => failure,
        }
    }

    /// The message; `None` if the job was cancelled, of which there is nothing to say.
    pub fn message(self) -> Option<String> {
        match self {
            Self::Cancelled => None,
            Self::Failed(message) => Some(message),
        }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Cancelled { .. } => Self::Cancelled,
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<FigureError> for Failure {
    fn from(error: FigureError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_file_once() {
        let named = |message: &str| Failure::Failed(message.into()).naming(Some(Path::new("a.png"))).message();
        assert_eq!(named("It is damaged."), Some("It is damaged. File: a.png".into()));
        assert_eq!(named("a.png: it is damaged"), Some("a.png: it is damaged".into()));
        assert_eq!(Failure::Cancelled.naming(Some(Path::new("a.png"))), Failure::Cancelled);
    }
}
