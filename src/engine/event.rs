//! What the threads report without being asked. Answers to requests come to their [`super::Pending`].

use super::display::DisplayPixels;
use super::job::Ticket;
use crate::infer::ModelInfo;

/// Which of the open models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The model whose mask is shown.
    Primary,
    /// The model that it is compared with.
    Compared,
}

/// A report.
#[derive(Debug)]
pub enum Event {
    /// About an open model.
    Model { slot: Slot, event: ModelEvent },
    /// A thumbnail of a case of a list; `None` if it cannot be read.
    Thumbnail { list: Ticket, place: usize, picture: Option<DisplayPixels> },
}

/// What became of an open model.
#[derive(Debug)]
pub enum ModelEvent {
    /// It changed, for example to another device.
    Updated(Box<ModelInfo>),
    /// It stopped and could not be opened again; one line that says why.
    Lost(String),
    /// Something the user should know that is no error.
    Notice(String),
}
