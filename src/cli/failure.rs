//! Why a command ends early: one line, and the exit status that scripts see.

use std::fmt;

use himix::analysis::figure::FigureError;
use himix::data::DataError;
use himix::infer::InferError;
use himix::model::weights::WeightsError;
use himix::text::TextError;

/// What went wrong.
#[derive(Debug)]
pub struct Failure {
    /// 2 where the input is wrong, 1 where the work failed.
    pub status: u8,
    message: String,
}

impl Failure {
    /// Wrong input: a file or an argument that the user can mend.
    pub fn input(message: impl fmt::Display) -> Self {
        Self { status: 2, message: message.to_string() }
    }

    /// The input was right, but the work could not be done: nothing written, a computation that broke off.
    pub fn work(message: impl fmt::Display) -> Self {
        Self { status: 1, message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Messages are made as one line; a file's name may still hold a line break.
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

/// Of a file that was read. Where one was written, say [`Failure::work`].
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
