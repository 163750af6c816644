//! Proposals for the prompt: the description of a mask, refinement step by step, and the search of a sentence.

mod apply;

use crate::data::describe::Kind;
use crate::data::volume::DisplayWindow;
use crate::engine::{Pending, Ticket};
use crate::infer::{Refinement, Search};

/// Which mask is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescribedMask {
    /// The predicted mask at the threshold.
    Shown,
    /// The ground truth.
    Truth,
}

/// A command about the proposals.
#[derive(Clone, Debug, PartialEq)]
pub enum ProposalsCommand {
    /// Describe a mask.
    Describe(DescribedMask),
    /// Refine the prompt step by step.
    Refine,
    /// Search the sentence that fits the image.
    Search,
    /// End the refinement or the search in progress.
    Cancel,
    /// Describe the image as this kind; `None` recognises it.
    SetKind(Option<Kind>),
    /// Make a sentence the prompt.
    Use(String),
}

/// The image and the model that a proposal is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProposedFor {
    /// The key of the image's pixels.
    pub image: u64,
    /// The display window of the network's input.
    pub seen: Option<DisplayWindow>,
    /// The ticket of the request that opened the model.
    pub opened: Option<Ticket>,
    /// The kind of image that was chosen.
    pub kind: Option<Kind>,
}

/// What a description is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DescriptionOf {
    /// The image.
    pub image: ProposedFor,
    /// Which mask.
    pub mask: DescribedMask,
    /// The ticket of the prediction or of the ground truth.
    pub ticket: Ticket,
    /// The threshold step of the predicted mask; 0 for the ground truth.
    pub step: usize,
}

/// The state of the proposals.
#[derive(Default)]
pub struct Proposals {
    /// The kind of image that was chosen; `None` recognises it.
    pub kind: Option<Kind>,
    /// The pending description.
    pub describing: Pending<DescriptionOf, (Kind, String)>,
    /// The newest description.
    pub description: Option<(DescriptionOf, Kind, String)>,
    /// The pending refinement.
    pub refining: Pending<ProposedFor, Refinement>,
    /// The newest refinement.
    pub refinement: Option<(ProposedFor, Refinement)>,
    /// The pending search.
    pub searching: Pending<ProposedFor, Search>,
    /// The newest search.
    pub search: Option<(ProposedFor, Search)>,
}

impl Proposals {
    /// Forgets what is known of an image that was closed, and ends the work on it.
    pub fn forget_image(&mut self, ticket: Ticket) {
        self.describing.forget(ticket);
        self.refining.forget(ticket);
        self.searching.forget(ticket);
        (self.description, self.refinement, self.search) = (None, None, None);
        self.kind = None;
    }
}
