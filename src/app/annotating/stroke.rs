//! Strokes of brush and eraser.

use super::{Looked, label};
use crate::annotate::tools::Stroke;
use crate::annotate::{Combine, Edit, LabelId, Origin, joined, reversed};
use crate::app::HimixApp;
use crate::app::notes::Kind;

/// A stroke that goes on. Its edits are applied already.
pub(super) struct Ongoing {
    stroke: Stroke,
    label: LabelId,
    slice: usize,
    combine: Combine,
    edits: Vec<Edit>,
}

impl HimixApp {
    /// Begins or continues a stroke.
    pub(super) fn draw(&mut self, points: &[[f64; 2]], erases: bool) {
        if self.state.annotating.ongoing.is_none() {
            match self.begin_stroke(erases) {
                Ok(ongoing) => self.state.annotating.ongoing = Some(ongoing),
                Err(text) => return self.state.notes.add_of_case(Kind::Warning, text),
            }
        }
        let Some(mut ongoing) = self.state.annotating.ongoing.take() else { return };
        let region = ongoing.stroke.extend(points);
        let Ongoing { label, slice, combine, .. } = ongoing;
        let rules = self.state.annotating.rules;
        let painted = self.state.document.annotation.paint(label, slice, &region, combine, &rules, &Origin::Drawn);
        match painted.map_err(|error| error.to_string()).and_then(|edits| self.apply_edits(&edits).map(|()| edits))
        {
            Ok(edits) => {
                ongoing.edits.extend(edits);
                self.state.annotating.ongoing = Some(ongoing);
            }
            Err(text) => {
                self.state.annotating.ongoing = Some(ongoing);
                self.finish_stroke();
                self.state.notes.add_of_case(Kind::Warning, text);
            }
        }
    }

    fn begin_stroke(&mut self, erases: bool) -> Result<Ongoing, String> {
        let open = self.state.document.image.as_ref().ok_or("Open an image first.")?;
        let (slice, pixel_mm) = (open.slice, open.volume.geometry.pixel_mm);
        let [columns, rows, _] = self.state.document.annotation.shape();
        let radius = self.state.annotating.radius.length(pixel_mm.is_some());
        let stroke = Stroke::new([columns, rows], radius, pixel_mm).map_err(|error| error.to_string())?;
        let mut edits = Vec::new();
        let label = self.label_to_paint(&mut edits)?;
        let combine = if erases { Combine::Remove } else { Combine::Add };
        self.state.annotating.looked = Looked::Annotation;
        Ok(Ongoing { stroke, label, slice, combine, edits })
    }

    /// Returns the active label. If there is none, one is added, and its edit is appended to `edits`.
    pub(super) fn label_to_paint(&mut self, edits: &mut Vec<Edit>) -> Result<LabelId, String> {
        if let Some(id) = self.state.annotating.active {
            return Ok(id);
        }
        let (id, edit) = label::added(&self.state.document.annotation).map_err(|error| error.to_string())?;
        self.apply_edits(std::slice::from_ref(&edit))?;
        self.state.annotating.active = Some(id);
        edits.push(edit);
        Ok(id)
    }

    /// Ends the stroke that goes on, which becomes a step.
    pub(in crate::app) fn finish_stroke(&mut self) {
        let Some(Ongoing { edits, combine, .. }) = self.state.annotating.ongoing.take() else { return };
        let name = if combine == Combine::Remove { "eraser stroke" } else { "brush stroke" };
        self.record_edits(name, joined(edits));
    }

    /// Takes back the stroke that goes on.
    pub(super) fn cancel_stroke(&mut self) {
        let Some(Ongoing { edits, .. }) = self.state.annotating.ongoing.take() else { return };
        if let Err(text) = self.apply_edits(&reversed(&joined(edits))) {
            self.state.notes.add_of_case(Kind::Error, text);
        }
    }
}
