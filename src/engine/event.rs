//! Events that the threads report without a request. Answers to requests go to their [`super::Pending`].

use super::display::DisplayPixels;
use super::job::Ticket;
use crate::infer::{ModelInfo, WarmUpProgress};

/// Identifies one of the open models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The model whose mask is shown.
    Primary,
    /// The model for comparison.
    Compared,
}

/// An event.
#[derive(Debug)]
pub enum Event {
    /// An event of an open model.
    Model { slot: Slot, event: ModelEvent },
    /// A thumbnail of a case in a list; `None` if the case cannot be read.
    Thumbnail { list: Ticket, place: usize, picture: Option<DisplayPixels> },
}

/// An event of an open model.
#[derive(Debug)]
pub enum ModelEvent {
    /// The information of the model changed that the request `opened` has opened, for example because it moved to
    /// another device.
    Updated { opened: Ticket, info: Box<ModelInfo> },
    /// How far a GPU is that will take over from the CPU; `None` if none is being made ready any more.
    WarmUp(Option<WarmUpProgress>),
    /// The model stopped and could not be opened again. The text is one line that gives the reason.
    Lost(String),
    /// A message for the user that is not an error.
    Notice(String),
}
