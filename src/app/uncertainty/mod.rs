//! The map of the uncertainty over the image: whether it is shown, and what was computed for it.

mod apply;

use std::sync::Arc;

use super::influence::Examined;
use crate::engine::Pending;
use crate::infer::Uncertainty;
use crate::render::ProbabilityLayer;

/// A command about the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncertaintyCommand {
    /// Show or hide the map.
    Show(bool),
    /// Compute it again.
    Compute,
    /// Stop its computation.
    Cancel,
}

/// The state of the map.
#[derive(Default)]
pub struct UncertaintyState {
    /// Whether it is shown, and computed once nothing else is waited for.
    pub is_on: bool,
    /// The newest request.
    pub request: Pending<Examined, Arc<Uncertainty>>,
    /// The newest result, what it is of, and the layer that draws it.
    pub found: Option<(Examined, Arc<Uncertainty>, ProbabilityLayer)>,
    /// The reason why the newest request has no result.
    pub error: Option<String>,
}
