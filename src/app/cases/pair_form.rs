//! The form of a pair for training.

use crate::data::dataset::SavedPair;
use crate::data::describe;
use crate::engine::{Pending, Ticket};

/// The image and the slice of a pair.
pub type PairOf = (Ticket, usize);

/// A command about pairs for training.
#[derive(Clone, Debug, PartialEq)]
pub enum PairCommand {
    /// Set the sentence of the pair.
    Sentence(String),
    /// Have a rule describe the mask, and take its sentence.
    Describe,
    /// Set the folder of the data set.
    Folder(String),
    /// Choose the split; `None` has it chosen.
    Split(Option<String>),
    /// Save the pair.
    Save,
    /// Train with the data set of the folder.
    Train,
}

/// The form of the pair.
#[derive(Default)]
pub struct PairForm {
    /// The sentence that was typed or described, with the image and slice that it belongs to.
    pub(super) sentence: Option<(PairOf, String)>,
    /// The sentence that is being made.
    pub describing: Pending<PairOf, (describe::Kind, String)>,
    /// The pair that is being saved.
    pub saving: Pending<PairOf, SavedPair>,
    /// The pair that was saved last.
    pub saved: Option<(PairOf, SavedPair)>,
}
