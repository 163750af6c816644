//! Exports figures of what the tab shows to files.

use std::path::PathBuf;

use super::{InspectionState, WHOLE};
use crate::analysis::figure::Options;
use crate::app::HimixApp;
use crate::app::state::State;
use crate::app::text::NO_STAGES;
use crate::data::volume::Lengths;
use crate::engine::jobs::SaveFigure;
use crate::engine::{FigureKind, FigureModel, FigureRequest};

impl State {
    /// Returns whether a model is open whose network has no decoder stages.
    pub fn has_no_stages(&self) -> bool {
        self.model.as_ref().is_some_and(|model| model.info.stages.is_empty())
    }

    /// Returns the reason why a figure cannot be drawn now, with what to do; `None` if it can.
    pub fn figure_missing(&self, kind: FigureKind) -> Option<&'static str> {
        let seen = self.stages.look.seen.as_ref().map(|seen| &seen.inspection);
        let stages = seen.map(|seen| seen.stages.as_slice()).unwrap_or_default();
        let no_picture = "Open an image and a model first.";
        match kind {
            _ if self.model.is_none() => Some("Open a model first."),
            _ if self.has_no_stages() => Some(NO_STAGES),
            FigureKind::Weights | FigureKind::Spectrum => None,
            FigureKind::Stages => stages.is_empty().then_some(no_picture),
            FigureKind::Refinement if stages.is_empty() => Some(no_picture),
            FigureKind::Refinement => {
                let has_masks = stages.iter().all(|stage| stage.linear_probe.is_some());
                (!has_masks).then_some("This model has no stage read-outs. “Stage mask” offers to fit them.")
            }
            FigureKind::Similarity => {
                let has_it = seen.is_some_and(|seen| !seen.similarity.is_empty());
                (!has_it).then_some("Open the Fusion panel first.")
            }
            FigureKind::Sweep => self.stages.swept.is_none().then_some("Draw a sweep first."),
        }
    }
}

impl HimixApp {
    /// Requests that a figure be drawn and written.
    pub(super) fn save_figure(&mut self, kind: FigureKind, path: PathBuf) {
        let state = &self.state;
        let Some(model) = &state.model else { return };
        let stages = &state.stages;
        let of = |look: &InspectionState| look.seen.as_ref().map(|seen| seen.inspection.clone());
        let mut models = vec![FigureModel {
            info: model.info.clone(),
            overrides: stages.overrides.clone(),
            inspection: of(&stages.look),
            sweep: stages.swept.clone(),
            original: state.shown.as_ref().map(|shown| shown.prediction.clone()),
        }];
        // If the figure shows the image, a model that has not processed the image yet is left out.
        let needs_picture = !matches!(kind, FigureKind::Weights | FigureKind::Sweep);
        let other = state.other().filter(|_| !needs_picture || stages.other.seen.is_some());
        models.extend(other.map(|info| FigureModel {
            info: info.clone(),
            overrides: None,
            inspection: of(&stages.other),
            sweep: stages.swept_other.as_ref().map(|(_, swept)| swept.clone()),
            original: None,
        }));
        let settings = &state.settings;
        let channel = stages.channel.and_then(|(stage, rank)| {
            let seen = stages.look.seen.as_ref()?;
            Some((stage, *seen.inspection.stages.get(stage)?.ranked_channels().get(rank)?))
        });
        let part = (stages.seen_part != WHOLE).then_some(stages.seen_part);
        let options = Options {
            as_shown: true,
            part: part.map(|part| [part.left(), part.top(), part.right(), part.bottom()]),
            full_axis: stages.sweep_settings.has_full_axis,
            threshold: if kind == FigureKind::Sweep { stages.swept_threshold } else { settings.threshold },
            map: settings.stages.kind,
            channel,
            opacity: if settings.stages.is_alone { 1.0 } else { settings.stages.opacity },
            colours: settings.colours.overlay(),
        };
        let request = FigureRequest {
            kind,
            models,
            name: state.document.image.as_ref().map_or_else(String::new, |open| {
                if open.volume.slices > 1 { open.title() } else { open.name.clone() }
            }),
            image: state.document.image.as_ref().map(|open| (open.image.clone(), open.painted())),
            lengths: state.document.image.as_ref().map_or(Lengths::PIXELS, |open| open.volume.geometry.lengths()),
            truth: state.truth_mask().filter(|_| state.show_truth).map(|(_, mask)| mask),
            options,
            width_px: settings.stages.figure_width,
        };
        let job = SaveFigure { path: path.clone(), request: Box::new(request) };
        let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
        self.say_if_busy(sent);
    }
}
