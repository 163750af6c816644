//! What measurements are of.

use crate::engine::Ticket;

/// What measurements depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredOf {
    /// The annotation of an image at a revision.
    Annotation(Ticket, u64),
    /// The prediction of a slice at a threshold step.
    Prediction(Ticket, usize, usize),
}
