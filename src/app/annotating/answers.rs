//! What the state answers about the annotation: which mask is looked at, the labels on the screen, what scores and tools
//! depend on.

use std::sync::Arc;

use super::Looked;
use super::click::HoveredOf;
use super::layer::Of;
use super::scores::{Scored, ScoredOf};
use crate::annotate::PaintOnly;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::Mask;
use crate::engine::threshold_step;
use crate::infer::Prediction;
use crate::render::{LabelColours, LabelLayer};

impl State {
    /// Returns which of the two masks is looked at. This is the one rule for everything that reads a mask: without an
    /// annotation, and in the tabs about the network, it is the prediction.
    pub fn looked(&self) -> Looked {
        let has_annotation = self.document.annotation.labels().next().is_some();
        let is_about_network = matches!(self.tab, Tab::Prompts | Tab::Stages);
        let is_about_readers = self.shown_readers().is_some();
        if has_annotation && !is_about_network && !is_about_readers {
            self.annotating.looked
        } else {
            Looked::Prediction
        }
    }

    /// Returns the mask of the active label in the slice that is shown; `None` without a label. A label without
    /// pixels there has an empty mask.
    pub fn annotated_mask(&self) -> Option<Arc<Mask>> {
        let (open, label) = (self.document.image.as_ref()?, self.annotating.active?);
        let annotation = &self.document.annotation;
        annotation.label(label)?;
        let [width, height, _] = annotation.shape();
        let empty = || Arc::new(Mask { width, height, values: vec![0; width * height] });
        Some(annotation.mask(label, open.slice).map_or_else(empty, |known| known.mask.clone()))
    }

    pub(super) fn labels_of(&self) -> Option<Of> {
        let open = self.document.image.as_ref()?;
        let annotation = &self.document.annotation;
        annotation.labels().next()?;
        let revision = annotation.revision();
        Some(Of { image: open.ticket, slice: open.slice, active: self.annotating.active, revision })
    }

    /// Returns the labels of the slice for drawing; `None` if there are none.
    pub fn label_layer(&self) -> Option<LabelLayer> {
        Some(self.annotating.layer.as_ref()?.layer.clone())
    }

    /// Returns the colours of the labels.
    pub fn label_colours(&self) -> LabelColours {
        let annotation = &self.document.annotation;
        let visible = |label: &crate::annotate::Label| label.is_visible.then_some(label.colour);
        let colours = annotation.labels().map(|(_, label)| visible(label));
        let active = self.annotating.active.and_then(|id| annotation.number(id)).unwrap_or(0);
        LabelColours { colours: std::iter::once(None).chain(colours).collect(), active }
    }

    /// Returns what the scores of the annotation would depend on now; `None` if nothing is compared with it.
    pub(super) fn scored_of(&self) -> Option<ScoredOf> {
        let (open, label) = (self.document.image.as_ref()?, self.annotating.active?);
        let other = match self.looked() {
            Looked::Prediction => return None,
            Looked::Annotation => (self.truth_mask()?.0, 0),
            Looked::Difference => (self.shown.as_ref()?.ticket, threshold_step(self.settings.threshold)),
        };
        let revision = self.document.annotation.revision();
        Some(ScoredOf { looked: self.looked(), image: open.ticket, slice: open.slice, label, revision, other })
    }

    /// Returns the scores of the annotation, or of the prediction against it; `None` while they are being computed
    /// and if there are none.
    pub fn annotation_scores(&self) -> Option<&Scored> {
        let of = self.scored_of()?;
        self.annotating.scores.as_ref().filter(|scored| scored.of == Some(of))
    }

    /// Returns the greatest differences of values and of probabilities; `None` where they do not matter.
    pub(super) fn tolerances(&self) -> [Option<f32>; 2] {
        let options = &self.annotating.options;
        let width = self.document.image.as_ref().map_or(0.0, |open| open.seen().window.width);
        let value = options.uses_value.then_some(options.value * width);
        [value, options.uses_probability.then_some(options.probability)]
    }

    pub(super) fn hovered_of(&self) -> Option<HoveredOf> {
        let slice = self.document.image.as_ref()?.layer.key;
        let prediction = self.predicted().map(|shown| shown.ticket);
        let annotating = &self.annotating;
        Some(HoveredOf { slice, prediction, threshold: annotating.options.threshold, rules: annotating.rules })
    }

    /// Returns the newest prediction of the slice, if it is one of its size.
    pub(super) fn prediction_of_slice(&self) -> Option<Arc<Prediction>> {
        let open = self.document.image.as_ref()?;
        let prediction = &self.predicted_now().ok()?.prediction;
        let plane = &prediction.probability;
        let fits = [plane.width, plane.height] == [open.image.width, open.image.height];
        fits.then(|| prediction.clone())
    }

    /// Returns the mask that the tools are confined to; `None` if they may go anywhere.
    pub(super) fn confined_to(&self) -> Option<Arc<Mask>> {
        let PaintOnly::Inside(label) = self.annotating.rules.paint_only else { return None };
        let open = self.document.image.as_ref()?;
        let [width, height, _] = self.document.annotation.shape();
        let nothing = || Arc::new(Mask { width, height, values: vec![0; width * height] });
        let known = self.document.annotation.mask(label, open.slice);
        Some(known.map_or_else(nothing, |known| known.mask.clone()))
    }
}
