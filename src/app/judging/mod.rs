//! What the rules say about the prompt and the mask that is shown.

mod apply;

use crate::data::describe::Judgement;
use crate::data::volume::DisplayWindow;
use crate::engine::jobs::JudgedImage;
use crate::engine::{Pending, Ticket};

/// What a judgement is about: the prediction and the threshold step.
pub type JudgedOf = (Ticket, usize);

/// The judgement of the mask that is shown.
#[derive(Default)]
pub struct Judging {
    /// The image, with the key of its pixels and the window that the network was given.
    image: Option<(u64, Option<DisplayWindow>, JudgedImage)>,
    /// The pending request.
    pub request: Pending<JudgedOf, Judgement>,
    /// The newest judgement.
    pub judgement: Option<(JudgedOf, Judgement)>,
}
