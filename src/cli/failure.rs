//! Errors of commands: one line, and the exit status for scripts.

use std::fmt;

use himix::analysis::figure::FigureError;
use himix::data::DataError;
use himix::infer::InferError;
use himix::model::weights::WeightsError;
use himix::text::TextError;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// 2 for invalid input, 1 for work that failed.
    pub status: u8,
    message: String,
}

impl Failure {
    /// Makes the error of a file or an argument that the user can correct.
    pub fn input(message: impl fmt::Display) -> Self {
        Self { status: 2, message: message.to_string() }
    }

    /// Makes the error of work that failed although the input was valid: a file that was not written, a computation
    /// that ended early.
    pub fn work(message: impl fmt::Display) -> Self {
        Self { status: 1, message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Messages have one line, but the name of a file may contain a line break.
        f.write_str(&self.message.replace(['\n', '\r'], " "))
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Unwritable { .. } => Self::work(error),
            _ => Self::input(error),
        }
    }
}

/// Converts an error on reading a file. For a file that was written, use [`Failure::work`].
impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        Self::input(error)
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        Self::input(error)
    }
}

impl From<InferError> for Failure {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Data(error) => error.into(),
            InferError::Compute { .. } => Self::work(error),
            _ => Self::input(error),
        }
    }
}

impl From<FigureError> for Failure {
    fn from(error: FigureError) -> Self {
        match error {
            FigureError::Data(error) => error.into(),
            FigureError::Drawing { .. } => Self::work(error),
            _ => Self::input(error),
        }
    }
}
