//! A job: a request of the window that a thread processes, and its answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::figure::FigureError;
use crate::data::{DataError, Volume};

/// The number that identifies the answer to a request. Later requests have higher numbers.
pub type Ticket = u64;

/// The threads that run jobs, each one job at a time in the order of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Reads files.
    Files,
    /// Counts, measures and renders; also writes images that have to be rendered first.
    Compute,
    /// Works through the files of many cases, which takes longer than anything that is looked at should wait.
    Sets,
    /// Writes files that must not wait for other jobs, for example the settings.
    Storage,
}

/// A request, declared with its answer and the work it takes. See ARCHITECTURE.md, *Adding a job*.
pub trait Job: Send + 'static {
    /// The type of the answer.
    type Answer: Send + 'static;

    /// The thread that runs the job.
    const WORKER: Worker;

    /// Whether the job runs even if the program is about to end, because it writes something the user would miss.
    const OUTLIVES_WINDOW: bool = false;

    /// The file that is appended to a failure's message, unless the message already contains it.
    fn file(&self) -> Option<PathBuf> {
        None
    }

    /// Runs the job.
    ///
    /// # Errors
    /// The job failed, with one line that says what to do, or it was cancelled.
    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure>;
}

/// A running job, as seen by the job itself.
pub struct Task<'a> {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// Reports the amount done and the total.
    pub(super) progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Whether the answer is not needed any more.
    pub(super) is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// The image that this thread opened last, with the ticket of its request. Ground truths are placed on it.
    pub(super) opened: &'a mut Opened,
}

/// The image that was opened last, with the ticket of its request.
pub(super) type Opened = Option<(Ticket, Arc<Volume>)>;

impl Task<'_> {
    /// Reports that `done` of `count` is done. Returns whether to continue.
    pub fn progress(&self, done: usize, count: usize) -> bool {
        (self.progress)(done, count);
        !(self.is_cancelled)()
    }

    /// Whether the answer is not needed any more.
    pub fn is_cancelled(&self) -> bool {
        (self.is_cancelled)()
    }
}

/// The reason why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The job was cancelled or its thread ended.
    Cancelled,
    /// The job failed. The text is one line with the reason and what to do.
    Failed(String),
}

impl Failure {
    /// Appends the name of the file to the message, unless the message already contains it.
    pub(super) fn naming(self, file: Option<&Path>) -> Self {
        match (self, file.map(|file| file.display().to_string())) {
            (Self::Failed(message), Some(file)) if !message.contains(&file) => {
                Self::Failed(format!("{message} File: {file}"))
            }
            (failure, _) => failure,
        }
    }

    /// The message; `None` if the job was cancelled, which needs no message.
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
