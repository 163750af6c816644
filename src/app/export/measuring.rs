//! Measurements of what is looked at, made while their panel is seen.

use super::MeasuredOf;
use crate::app::HimixApp;
use crate::app::annotating::Looked;
use crate::app::state::State;
use crate::engine::jobs::MeasureLabels;
use crate::engine::threshold_step;

impl State {
    /// Returns what would be measured now; `None` if there is nothing.
    pub fn measured_of(&self) -> Option<MeasuredOf> {
        let open = self.document.image.as_ref()?;
        match self.looked() {
            Looked::Annotation => Some(MeasuredOf::Annotation(open.ticket, self.document.annotation.revision())),
            Looked::Prediction | Looked::Difference => {
                let shown = self.predicted()?;
                Some(MeasuredOf::Prediction(shown.ticket, open.slice, threshold_step(self.settings.threshold)))
            }
        }
    }
}

impl HimixApp {
    /// Requests the measurements if their panel is seen and they are not known. While a stroke goes on, nothing is
    /// measured.
    pub(in crate::app) fn measure_labels(&mut self) {
        let is_seen = std::mem::take(&mut self.state.export.is_measured);
        let state = &self.state;
        if !is_seen || state.annotating.is_drawing() {
            return;
        }
        let Some(of) = state.measured_of() else { return };
        let is_known = state.export.measured.as_ref().is_some_and(|(known, _)| *known == of);
        if is_known || state.export.measuring.asked() == Some(&of) {
            return;
        }
        let Some(open) = &state.document.image else { return };
        let labels = match of {
            MeasuredOf::Annotation(..) => state.annotated_labels(),
            MeasuredOf::Prediction(..) => match state.predicted_labels() {
                Some(labels) => labels,
                None => return,
            },
        };
        let job = MeasureLabels { volume: open.volume.clone(), labels };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.export.measuring, of, job);
    }

    /// Takes the measurements that arrived.
    pub(super) fn take_measurements(&mut self) {
        let measuring = &mut self.state.export.measuring;
        match measuring.take() {
            Some(Ok(found)) => {
                let of = measuring.asked().copied();
                self.state.export.measured = of.map(|of| (of, found));
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
    }
}
