//! Strokes of brush, eraser and smart brush.

use super::sight::Sight;
use super::{Looked, Tool, label};
use crate::annotate::tools::{Interval, Length, SmartStroke, SphereStroke, Stroke};
use crate::annotate::{Combine, Edit, LabelId, Origin, Region, joined, reversed};
use crate::app::HimixApp;
use crate::app::notes::Kind;

/// A stroke that goes on. Its edits are applied already.
pub(super) struct Ongoing {
    brush: Brush,
    name: &'static str,
    label: LabelId,
    slice: usize,
    combine: Combine,
    edits: Vec<Edit>,
}

/// What is drawn along the path of the pointer.
enum Brush {
    Circle(Stroke),
    Sphere(SphereStroke),
    Smart(Box<(SmartStroke, Sight)>),
}

impl Brush {
    /// Returns the regions of the next part of the stroke by slice; the pointer moves in the slice `slice`.
    fn extend(&mut self, points: &[[f64; 2]], slice: usize) -> Vec<(usize, Region)> {
        match self {
            Self::Circle(stroke) => vec![(slice, stroke.extend(points))],
            Self::Sphere(stroke) => stroke.extend(points),
            Self::Smart(smart) => {
                let (stroke, sight) = smart.as_mut();
                vec![(slice, stroke.extend(&sight.view(), points))]
            }
        }
    }
}

impl HimixApp {
    /// Begins or continues a stroke of the brush.
    pub(super) fn draw_stroke(&mut self, points: &[[f64; 2]], erases: bool) {
        if self.state.annotating.ongoing.is_none() {
            match self.begin_stroke(points, erases) {
                Ok(ongoing) => self.state.annotating.ongoing = Some(ongoing),
                Err(text) => return self.state.notes.add_of_case(Kind::Warning, text),
            }
        }
        let Some(mut ongoing) = self.state.annotating.ongoing.take() else { return };
        for (slice, region) in ongoing.brush.extend(points, ongoing.slice) {
            let Ongoing { label, combine, .. } = ongoing;
            let rules = self.state.annotating.rules;
            let annotation = &self.state.document.annotation;
            let painted = annotation.paint(label, slice, &region, combine, &rules, &Origin::Drawn);
            let painted = painted.map_err(|error| error.to_string());
            match painted.and_then(|edits| self.apply_edits(&edits).map(|()| edits)) {
                Ok(edits) => ongoing.edits.extend(edits),
                Err(text) => {
                    self.state.annotating.ongoing = Some(ongoing);
                    self.finish_stroke();
                    return self.state.notes.add_of_case(Kind::Warning, text);
                }
            }
        }
        self.state.annotating.ongoing = Some(ongoing);
    }

    fn begin_stroke(&mut self, points: &[[f64; 2]], erases: bool) -> Result<Ongoing, String> {
        self.check_removal(erases)?;
        let (brush, name) = self.brush(points, erases)?;
        let slice = self.state.document.image.as_ref().map_or(0, |open| open.slice);
        let mut edits = Vec::new();
        let label = self.label_to_paint(&mut edits)?;
        let combine = if erases { Combine::Remove } else { Combine::Add };
        self.state.annotating.looked = Looked::Annotation;
        Ok(Ongoing { brush, name, label, slice, combine, edits })
    }

    /// Returns the brush of the tool that is chosen, with the name of its strokes.
    fn brush(&mut self, points: &[[f64; 2]], erases: bool) -> Result<(Brush, &'static str), String> {
        let open = self.state.document.image.as_ref().ok_or("Open an image first.")?;
        let (geometry, slice, shape) = (&open.volume.geometry, open.slice, open.volume.shape());
        let annotating = &self.state.annotating;
        let radius = annotating.radius.length(self.state.has_pixel_mm());
        if annotating.tool == Tool::SmartBrush {
            let name = if erases { "smart eraser stroke" } else { "smart brush stroke" };
            return Ok((self.smart_brush(points, radius)?, name));
        }
        let brush = match radius {
            Length::Mm(radius_mm) if annotating.options.is_sphere => {
                SphereStroke::new(geometry, shape, slice, radius_mm).map(Brush::Sphere)
            }
            _ => Stroke::new([shape[0], shape[1]], radius, geometry.pixel_mm).map(Brush::Circle),
        };
        let name = if erases { "eraser stroke" } else { "brush stroke" };
        Ok((brush.map_err(|error| error.to_string())?, name))
    }

    fn smart_brush(&mut self, points: &[[f64; 2]], radius: Length) -> Result<Brush, String> {
        let sight = self.sight()?;
        let first = points.first().copied().ok_or("The stroke has no points.")?;
        let [value, probability] = self.state.tolerances();
        let view = sight.view();
        let stroke = Interval::around(&view, first, value, probability)
            .and_then(|interval| SmartStroke::new(&view, radius, interval))
            .map_err(|error| error.to_string())?;
        Ok(Brush::Smart(Box::new((stroke, sight))))
    }

    /// Checks that there is something to take pixels from, if pixels are taken away.
    pub(super) fn check_removal(&self, removes: bool) -> Result<(), String> {
        if removes && self.state.annotating.active.is_none() {
            return Err("There is no label yet to take pixels from.".into());
        }
        Ok(())
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

    /// Paints a region in the slice that is shown, or takes it away, as one step.
    ///
    /// # Errors
    /// Returns a sentence for the user; then nothing was changed but for a new label.
    pub(super) fn paint_region(
        &mut self,
        name: &str,
        region: &Region,
        removes: bool,
        origin: &Origin,
    ) -> Result<(), String> {
        let slice = self.state.document.image.as_ref().ok_or("Open an image first.")?.slice;
        self.check_removal(removes)?;
        let mut edits = Vec::new();
        let label = self.label_to_paint(&mut edits)?;
        let combine = if removes { Combine::Remove } else { Combine::Add };
        let rules = self.state.annotating.rules;
        let painted = self.state.document.annotation.paint(label, slice, region, combine, &rules, origin);
        let painted = painted.map_err(|error| error.to_string())?;
        self.apply_edits(&painted)?;
        self.state.annotating.looked = Looked::Annotation;
        edits.extend(painted);
        self.record_edits(name, joined(edits), None);
        Ok(())
    }

    /// Ends the stroke that goes on, which becomes a step.
    pub(in crate::app) fn finish_stroke(&mut self) {
        if let Some(Ongoing { edits, name, .. }) = self.state.annotating.ongoing.take() {
            self.record_edits(name, joined(edits), None);
        }
        self.finish_drag();
    }

    /// Takes back the stroke that goes on.
    pub(super) fn cancel_stroke(&mut self) {
        self.state.annotating.drag = None;
        self.state.annotating.outline = None;
        let Some(Ongoing { edits, .. }) = self.state.annotating.ongoing.take() else { return };
        if let Err(text) = self.apply_edits(&reversed(&joined(edits))) {
            self.state.notes.add_of_case(Kind::Error, text);
        }
    }
}
