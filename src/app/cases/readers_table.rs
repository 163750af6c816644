//! The readers that are compared, and the commands about them.

use std::sync::Arc;

use crate::analysis::agreement::Agreement;
use crate::data::Truth;
use crate::engine::jobs::TruthOpened;
use crate::engine::{Counts, Pending, Ticket};
use crate::infer::Prediction;

/// A column of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// The name of the case.
    Case,
    /// Dice.
    #[default]
    Dice,
    /// Cohen's kappa.
    Kappa,
    /// The 95 % Hausdorff distance.
    Hd95,
}

/// A command about the agreement of readers.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadersCommand {
    /// Choose the first or the second reader.
    Choose(usize, String),
    /// Compare their masks.
    Compare,
    /// Cancel the comparison.
    Cancel,
    /// Sort the table by a column, or reverse its order.
    Sort(Column),
    /// Open a case of the table, and show the differences of the masks.
    Show(usize),
    /// Show masks of the network again.
    EndDifference,
}

/// The state of the panel of readers.
#[derive(Default)]
pub struct Readers {
    /// The names that were chosen; the first two by default.
    pub(super) chosen: [Option<String>; 2],
    /// The comparison that goes on, with its list.
    pub comparing: Pending<Ticket, Agreement>,
    /// The agreement that was found, with its list.
    pub(super) found: Option<(Ticket, Arc<Agreement>)>,
    /// The column by which the table is sorted, and whether the order is reversed.
    pub sorted: (Column, bool),
    /// The masks that the picture shows.
    pub(super) difference: Option<Difference>,
    /// The second reader's mask that is being read, with the ticket of its image.
    pub(super) opening: Pending<Ticket, TruthOpened>,
    /// The second reader's mask of the slice that is being prepared, with the ticket of the request.
    pub(super) preparing: Pending<Ticket, (Arc<Prediction>, Counts)>,
}

/// The masks of two readers of the open case.
pub(super) struct Difference {
    /// The names of the readers. The mask of the first is the ground truth.
    pub(super) readers: [String; 2],
    /// The ticket of the image.
    pub(super) image: Ticket,
    /// The mask of the second, once it was read.
    pub(super) second: Option<Arc<Truth>>,
}
