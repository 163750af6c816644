//! Taking over the prediction of the network into the annotation.

use super::Looked;
use crate::annotate::{Combine, Origin, PaintOnly, PredictedBy, Region, Rules, joined};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::MaskOf;

/// Where the prediction is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It replaces what the label has in the slice.
    Replace,
    /// It is added to what the label has.
    Add,
    /// It is added where no label has pixels.
    WhereNothing,
}

impl Place {
    /// Returns the rule of combination and the rules of painting; `rules` are those that the user chose.
    fn rules(self, rules: Rules) -> (Combine, Rules) {
        match self {
            Self::Replace => (Combine::Replace, rules),
            Self::Add => (Combine::Add, rules),
            Self::WhereNothing => (Combine::Add, Rules { paint_only: PaintOnly::Unlabelled, ..rules }),
        }
    }
}

impl HimixApp {
    /// Takes over the mask of the slice that is shown.
    pub(super) fn use_prediction(&mut self, place: Place) {
        if let Err(text) = self.try_to_use_prediction(place) {
            self.state.notes.add_of_case(Kind::Warning, text);
        }
    }

    fn try_to_use_prediction(&mut self, place: Place) -> Result<(), String> {
        let state = &self.state;
        let open = state.document.image.as_ref().ok_or("Open an image first.")?;
        let shown = state.predicted_now()?;
        let (slice, threshold) = (open.slice, state.settings.threshold);
        let model = state.model.as_ref().map(|model| model.info.name.clone()).unwrap_or_default();
        let by = PredictedBy { model, prompt: shown.prediction.prompt.clone(), threshold };
        let region = Region::from_mask(&MaskOf::Prediction(shown.prediction.clone(), threshold).mask());
        let mut edits = Vec::new();
        let label = self.label_to_paint(&mut edits)?;
        let (combine, rules) = place.rules(self.state.annotating.rules);
        let origin = Origin::Predicted(by);
        let annotation = &self.state.document.annotation;
        let painted = annotation.paint(label, slice, &region, combine, &rules, &origin);
        let painted = painted.map_err(|error| error.to_string())?;
        self.state.annotating.looked = Looked::Annotation;
        if painted.is_empty() && edits.is_empty() {
            self.state.notes.add_of_case(Kind::Info, "The annotation is already like the prediction.");
            return Ok(());
        }
        self.apply_edits(&painted)?;
        edits.extend(painted);
        self.record_edits("use of the prediction", joined(edits), None);
        Ok(())
    }
}
