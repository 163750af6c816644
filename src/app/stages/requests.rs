//! Requests of the Stages tab: inspections, the image below the maps, and numbers.

use super::Asked;
use crate::analysis::maps::MapKind;
use crate::app::HimixApp;
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::volume::Lengths;
use crate::engine::jobs::{PaintOverlay, RefineStages};
use crate::engine::{InspectRequest, OverlayPaint, PredictRequest, Slot, threshold_step};
use crate::infer::InspectOptions;

/// The maximum side length of the image below the maps, in pixels.
const BASE_SIDE: usize = 1024;

impl State {
    /// Returns the intermediate results that are shown now.
    fn wanted(&self) -> InspectOptions {
        let settings = &self.settings.stages;
        InspectOptions {
            stages: true,
            attribution: settings.kind == MapKind::Attribution || self.stages.channel.is_some(),
            spectra: self.is_seen(Pane::SPECTRUM),
            similarity: self.is_seen(Pane::FUSION),
            ..InspectOptions::default()
        }
    }
}

impl HimixApp {
    /// Requests everything that the tab shows and does not have yet. Called once per frame.
    pub(in crate::app) fn request_inspection(&mut self) {
        let has_stages = self.state.model.as_ref().is_some_and(|model| !model.info.stages.is_empty());
        let has_image = self.state.document.image.is_some();
        if self.state.tab != Tab::Stages || !has_image || !has_stages || self.state.is_without_prompt() {
            return;
        }
        self.ask_inside();
        self.ask_inside_compared();
        self.ask_base();
        self.ask_refinement();
    }

    fn ask_inside(&mut self) {
        let state = &self.state;
        let truth = state.document.truth.as_ref().map(|truth| truth.ticket);
        let overrides = state.stages.overrides.clone();
        let request = state.jobs.prediction.newest();
        let asked = Asked { request, truth, overrides, wanted: state.wanted() };
        if state.stages.look.request.asked() == Some(&asked) {
            return;
        }
        let ticket = self.ticket();
        let Some(of) = self.request(ticket) else { return };
        let request = InspectRequest { of, overrides: asked.overrides.clone(), wanted: asked.wanted };
        self.engine.inspect(Slot::Primary, &mut self.state.stages.look.request, asked, request);
    }

    fn ask_inside_compared(&mut self) {
        let state = &self.state;
        let Some(other) = state.comparison.as_ref().filter(|other| other.info.is_some()) else { return };
        let truth = state.document.truth.as_ref().map(|truth| truth.ticket);
        let asked = Asked { request: other.prediction.newest(), truth, overrides: None, wanted: state.wanted() };
        if state.stages.other.request.asked() == Some(&asked) {
            return;
        }
        let ticket = self.ticket();
        let Some(of) = self.request(ticket) else { return };
        let request = InspectRequest { of, overrides: None, wanted: asked.wanted };
        self.engine.inspect(Slot::Compared, &mut self.state.stages.other.request, asked, request);
    }

    /// Returns the prediction request for the open image; `None` without an image.
    fn request(&self, ticket: u64) -> Option<PredictRequest> {
        let state = &self.state;
        let open = state.document.image.as_ref()?;
        let truth = state.truth_mask();
        let (image, seen, prompt) = (open.image.clone(), open.asked, state.sent_prompt().into_owned());
        Some(PredictRequest { ticket, image, seen, prompt, truth })
    }

    /// Requests the image as it is displayed in the Read tab, without any overlay.
    fn ask_base(&mut self) {
        let state = &self.state;
        let (Some(open), Some(shown)) = (&state.document.image, &state.shown) else { return };
        let key = (open.ticket, open.slice, open.seen);
        if state.stages.base.request.asked() == Some(&key) {
            return;
        }
        let paint = OverlayPaint { fill: false, contour: false, opacity: 0.0, ..state.settings.overlay_paint() };
        let job = PaintOverlay {
            image: open.image.clone(),
            seen: open.painted(),
            prediction: shown.prediction.clone(),
            truth: None,
            threshold: 0.5,
            paint,
            side: BASE_SIDE,
        };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.stages.base.request, key, job);
    }

    /// Requests the numbers of the newest inspections, one at a time, because they take longer than an inspection.
    fn ask_refinement(&mut self) {
        let state = &mut self.state;
        let is_shown = state.is_seen(Pane::NUMBERS) || state.settings.stages.kind == MapKind::StageMask;
        if !is_shown {
            return;
        }
        let truth = state.truth_mask();
        let threshold = state.settings.threshold;
        let lengths = state.document.image.as_ref().map_or(Lengths::PIXELS, |open| open.volume.geometry.lengths());
        for look in [&mut state.stages.look, &mut state.stages.other] {
            let Some(seen) = look.seen.as_ref().filter(|_| look.refinement.request.pending().is_none()) else {
                continue;
            };
            let key = (seen.ticket, truth.as_ref().map(|(ticket, _)| *ticket), threshold_step(threshold));
            if look.refinement.request.asked() == Some(&key) {
                continue;
            }
            let job = RefineStages {
                inspection: seen.inspection.clone(),
                truth: truth.clone().map(|(_, mask)| mask),
                threshold,
                lengths,
            };
            // If the thread is busy, the next frame asks again.
            let _ = self.engine.ask(&mut look.refinement.request, key, job);
        }
    }
}
