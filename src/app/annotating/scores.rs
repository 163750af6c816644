//! The scores of the annotation: against the ground truth, or of the prediction against the annotation.

use super::Looked;
use crate::annotate::LabelId;
use crate::app::HimixApp;
use crate::engine::jobs::CompareMasks;
use crate::engine::{MaskOf, Ticket};
use crate::metrics::Confusion;

/// What the scores depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredOf {
    pub(super) looked: Looked,
    pub(super) image: Ticket,
    pub(super) slice: usize,
    pub(super) label: LabelId,
    pub(super) revision: u64,
    /// The ground truth, or the prediction with its threshold step.
    pub(super) other: (Ticket, usize),
}

/// The scores of a mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// What they are the scores of.
    pub of: Option<ScoredOf>,
    /// The pixel counts.
    pub confusion: Confusion,
    /// The 95th percentile Hausdorff distance in the length unit of the image; `None` if one mask is empty.
    pub distance: Option<f64>,
}

impl HimixApp {
    /// Requests the scores of the annotation if they are not known. While a stroke goes on, nothing is computed.
    pub(in crate::app) fn score_annotation(&mut self) {
        let state = &self.state;
        let Some(of) = state.scored_of().filter(|_| !state.annotating.is_drawing()) else { return };
        if state.annotation_scores().is_some() || state.annotating.scoring.asked() == Some(&of) {
            return;
        }
        let Some(annotated) = state.annotated_mask() else { return };
        let (mask, reference) = match of.looked {
            Looked::Difference => {
                let Some(shown) = &state.shown else { return };
                (MaskOf::Prediction(shown.prediction.clone(), state.settings.threshold), annotated)
            }
            Looked::Prediction | Looked::Annotation => {
                let Some((_, truth)) = state.truth_mask() else { return };
                (MaskOf::Mask(annotated), truth)
            }
        };
        let job = CompareMasks { mask, reference, size: state.lengths().size };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.annotating.scoring, of, job);
    }

    /// Takes the scores that arrived.
    pub(in crate::app) fn take_annotation_scores(&mut self) {
        let scoring = &mut self.state.annotating.scoring;
        match scoring.take() {
            Some(Ok((confusion, distance))) => {
                let of = scoring.asked().copied();
                self.state.annotating.scores = Some(Scored { of, confusion, distance });
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
    }
}
