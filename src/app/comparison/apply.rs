//! The comparison with a second model: starting it, requesting predictions and rendering.

use super::{ComparedInspection, Comparison, SIDE};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::tab::Tab;
use crate::engine::jobs::PaintOverlay;
use crate::engine::{Pending, PredictRequest, Slot};
use crate::infer::ModelSource;

impl HimixApp {
    /// Opens a model for comparison with the open one.
    pub(in crate::app) fn compare_with(&mut self, source: ModelSource) {
        let mut opening = Pending::default();
        self.state.stages.forget_other();
        match self.engine.open_model(Slot::Compared, &mut opening, source.clone(), self.state.device) {
            Ok(()) => self.state.comparison = Some(Comparison::new(source, opening)),
            Err(error) => {
                let text = format!("The comparison could not be started ({error}). Close other programs.");
                self.state.notes.add(Kind::Error, text);
            }
        }
    }

    /// Closes the comparison model.
    pub(in crate::app) fn end_comparison(&mut self) {
        self.state.comparison = None;
        self.state.stages.forget_other();
        self.engine.close_compared();
    }

    /// Requests the mask of what is shown from the comparison model, if that is open.
    pub(in crate::app) fn request_compared(&mut self) {
        let ticket = self.ticket();
        let state = &mut self.state;
        let truth = state.truth_mask();
        let info = state.comparison.as_ref().and_then(|other| other.info.as_ref());
        // Each of the two models is asked what it takes, a text or a box.
        let prompt = info.map(|info| state.prompt_for(info));
        let (Some(comparison), Some(prompt)) = (state.comparison.as_mut(), prompt) else { return };
        comparison.prediction.forget(ticket);
        let Some(prompt) = prompt else { return comparison.forget() };
        let Some(image) = &state.document.image else { return };
        let (seen, image) = (image.asked, image.image.clone());
        let request = PredictRequest { ticket, image, seen, prompt, truth };
        self.engine.predict(Slot::Compared, &mut comparison.prediction, request);
    }

    /// Renders the images of the comparison again if their content has changed.
    pub(in crate::app) fn paint_comparison(&mut self) {
        let Some(comparison) = self.state.comparison.as_ref().filter(|_| self.state.tab == Tab::Train) else {
            return;
        };
        let current = self.state.shown.as_ref().map(|shown| (shown.ticket, shown.prediction.clone()));
        let other = comparison.predicted.as_ref().map(|other| (other.ticket, other.prediction.clone()));
        for (place, prediction) in [current, other].into_iter().enumerate() {
            let settings = &self.state.settings;
            let (Some(image), Some((ticket, prediction))) = (&self.state.document.image, prediction) else {
                continue;
            };
            let truth = self.state.truth_mask().filter(|_| self.state.show_truth);
            let look = ComparedInspection {
                prediction: ticket,
                truth: truth.as_ref().map(|(ticket, _)| *ticket),
                threshold: settings.threshold,
                opacity: settings.opacity,
                draws: [settings.fill, settings.contour],
            };
            let is_known = |comparison: &Comparison| comparison.paintings[place].request.asked() == Some(&look);
            if self.state.comparison.as_ref().is_none_or(is_known) {
                continue;
            }
            let job = PaintOverlay {
                image: image.image.clone(),
                seen: image.painted(),
                prediction,
                truth: truth.map(|(_, mask)| mask),
                threshold: look.threshold,
                paint: settings.overlay_paint(),
                side: SIDE,
            };
            if let Some(comparison) = &mut self.state.comparison {
                // If the thread is busy, the next frame asks again.
                let _ = self.engine.ask(&mut comparison.paintings[place].request, look, job);
            }
        }
    }
}
