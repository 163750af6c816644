//! Jobs that read long texts, and lists of codes.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::seg::Codes;
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::text::prompt::report::Left;
use crate::text::prompt::report::{Distilled, Options, distil};

/// Condenses a report to a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistilReport {
    /// The report.
    pub text: Arc<str>,
    /// Whose left the report means.
    pub left: Left,
    /// Whether what the report calls possible is taken into the prompt.
    pub with_possible: bool,
}

impl Job for DistilReport {
    /// The request, and what the report says.
    type Answer = (DistilReport, Distilled);
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let options = Options { left: self.left, with_possible: self.with_possible, limit: None };
        let distilled = distil(&self.text, &options);
        Ok((self, distilled))
    }
}

/// Reads a user's list of segment codes, which comes before that of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadCodes {
    /// The path of the file.
    pub path: PathBuf,
}

impl Job for ReadCodes {
    type Answer = Codes;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<Codes, Failure> {
        Ok(Codes::with_file(&self.path)?)
    }
}
