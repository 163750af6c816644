//! The commands about exports, files that are opened as annotation, and the batch.

use std::path::PathBuf;

use super::{Of, PromptsOf};
use crate::analysis::export::Format;
use crate::app::truth_answer::TruthAnswer;

/// A command about labels on their way out or in.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportCommand {
    /// Show the form of an export in this format.
    Show(Format),
    /// Choose another format.
    Format(Format),
    /// Choose whether the annotation or the prediction is exported.
    Of(Of),
    /// Choose whether the label at this place is exported.
    Label(usize, bool),
    /// Choose what the label at this place is, by its place in the list of concepts.
    Concept(usize, usize),
    /// Use the user's list of segment codes in this file; `None` uses that of the program.
    Codes(Option<PathBuf>),
    /// Set the path of the file.
    Path(String),
    /// Write to this file, which the user picked and agreed to replace if it exists.
    Picked(PathBuf),
    /// Write the file; existing ones are replaced only if the form names them.
    Write,
    /// Open a file as annotation.
    OpenLabels(PathBuf),
    /// Say how labels are laid on the image; `None` leaves them out.
    AnswerLabels(Option<TruthAnswer>),
    /// Say what a dropped file is meant for; `None` leaves it out.
    AnswerDrop(Option<DropAnswer>),
    /// A command about the batch.
    Batch(BatchCommand),
}

/// What a dropped file is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropAnswer {
    /// Labels of the annotation.
    Annotation,
    /// The ground truth.
    Truth,
    /// An image to show.
    Image,
}

/// A command about the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchCommand {
    /// Show its panel.
    Show,
    /// Choose whose prompts are used.
    Prompts(PromptsOf),
    /// Choose whether a format is written.
    Format(Format, bool),
    /// Set the folder of the results.
    Out(String),
    /// Begin, or go on.
    Start,
    /// End after the image in progress.
    Cancel,
}
