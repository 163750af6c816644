//! Tools that paint at a click: the flood, and the regions of the prediction.

use super::Tool;
use super::preview::Preview;
use crate::annotate::tools::{Interval, component_at, component_of, flood};
use crate::annotate::{Origin, PredictedBy, Region};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::Ticket;

/// The region of the prediction under the pointer.
pub(super) struct Hovered {
    of: HoveredOf,
    region: Region,
    pub preview: Preview,
}

/// What the regions of a prediction depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HoveredOf {
    pub(super) slice: Ticket,
    pub(super) prediction: Option<Ticket>,
    pub(super) threshold: f32,
    pub(super) rules: crate::annotate::Rules,
}

impl HimixApp {
    /// Carries out a click of the tool that is chosen.
    pub(super) fn click(&mut self, at: [f64; 2], removes: bool) {
        let done = match self.state.annotating.tool {
            Tool::Flood => self.flood(at, removes),
            Tool::Region => self.click_region(at, removes),
            Tool::Polygon | Tool::LiveWire => self.click_outline(at),
            Tool::Hand | Tool::Brush | Tool::Eraser | Tool::SmartBrush | Tool::Lasso | Tool::Grow => Ok(()),
        };
        if let Err(text) = done {
            self.state.notes.add_of_case(Kind::Warning, text);
        }
    }

    fn flood(&mut self, at: [f64; 2], removes: bool) -> Result<(), String> {
        let sight = self.sight()?;
        let view = sight.view();
        let [value, probability] = self.state.tolerances();
        if value.is_none() && probability.is_none() {
            return Err("Choose whether values or probabilities are to be similar.".into());
        }
        let region = Interval::around(&view, at, value, probability)
            .and_then(|interval| flood(&view, at, interval, self.state.annotating.options.connectivity))
            .map_err(|error| error.to_string())?;
        self.paint_region("flood", &region, removes, &Origin::Drawn)
    }

    fn click_region(&mut self, at: [f64; 2], removes: bool) -> Result<(), String> {
        let threshold = self.state.annotating.options.threshold;
        let sight = self.sight()?;
        let mut region = component_of(&sight.view(), at, threshold).map_err(|error| error.to_string())?;
        if region.is_empty() && removes {
            // What is drawn here is no part of the prediction.
            self.check_removal(removes)?;
            region = self.state.annotated_mask().map(|drawn| component_at(&drawn, at)).unwrap_or_default();
        }
        if region.is_empty() {
            return Err("The probability at this point is below the threshold of the tool.".into());
        }
        if removes {
            return self.paint_region("removal of a region", &region, true, &Origin::Drawn);
        }
        let model = self.state.model.as_ref().map(|model| model.info.name.clone()).unwrap_or_default();
        let prompt = self.state.predicted().map(|shown| shown.prediction.prompt.clone()).unwrap_or_default();
        let origin = Origin::Predicted(PredictedBy { model, prompt, threshold });
        self.paint_region("region of the prediction", &region, false, &origin)
    }

    /// Forgets the region under the pointer if it is one of another slice, prediction or threshold.
    pub(super) fn keep_hovered(&mut self) {
        let of = self.state.hovered_of();
        let hovered = &mut self.state.annotating.hovered;
        if hovered.as_ref().is_some_and(|hovered| Some(hovered.of) != of) {
            *hovered = None;
        }
    }

    /// Shows the region of the prediction under the pointer.
    pub(super) fn hover_region(&mut self, at: Option<[f64; 2]>) {
        let of = self.state.hovered_of();
        let (Some(of), Some(at)) = (of, at) else {
            self.state.annotating.hovered = None;
            return;
        };
        // A negative coordinate saturates to 0, where nothing is shown outside the image anyway.
        let [x, y] = at.map(|part| part.max(0.0) as usize);
        let is_known = |hovered: &Hovered| hovered.of == of && hovered.region.contains(x, y);
        if self.state.annotating.hovered.as_ref().is_some_and(is_known) {
            return;
        }
        let Ok(sight) = self.sight() else { return };
        let region = component_of(&sight.view(), at, of.threshold).unwrap_or_default();
        let preview = Preview::of(&region);
        self.state.annotating.hovered = Some(Hovered { of, region, preview });
    }
}
