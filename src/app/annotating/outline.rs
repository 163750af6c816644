//! Outlines that are clicked together: the polygon, and the live wire along edges.

use super::preview::Line;
use super::sight::Sight;
use super::{STEPS_A_FRAME, Tool};
use crate::annotate::Origin;
use crate::annotate::tools::{LiveWire, polygon};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::Ticket;

/// The most pixels of which paths are computed at once, where a click cannot wait for more.
const STEPS_A_CLICK: usize = 400_000;

/// An outline that is not closed yet.
pub(super) struct Outline {
    /// The points so far, in pixels.
    points: Vec<[f64; 2]>,
    /// The number of points after each click.
    clicks: Vec<usize>,
    /// The line from the last point to the pointer.
    next: Vec<[f64; 2]>,
    pointer: Option<[f64; 2]>,
    /// The paths from the last click; `None` for a polygon.
    wire: Option<Box<(LiveWire, Sight)>>,
    /// The ticket of the slice.
    of: Ticket,
}

impl Outline {
    pub fn line(&self) -> Line<'_> {
        Line { settled: &self.points, next: &self.next, has_corners: self.wire.is_none() }
    }

    /// Returns the line from the last point to another one: along edges for a live wire, if the path is known.
    fn line_to(&self, point: [f64; 2]) -> Vec<[f64; 2]> {
        let path = self.wire.as_ref().and_then(|wire| wire.0.path(point));
        let centre = |[x, y]: [usize; 2]| [x as f64 + 0.5, y as f64 + 0.5];
        path.map_or_else(|| vec![point], |path| path.into_iter().skip(1).map(centre).collect())
    }

    /// Computes paths until the one to a point is known, but of at most `most` pixels. Returns whether it is.
    fn find(&mut self, point: [f64; 2], most: usize) -> bool {
        self.wire.as_mut().is_none_or(|wire| {
            let (wire, sight) = wire.as_mut();
            wire.advance(&sight.view(), point, most)
        })
    }
}

impl HimixApp {
    /// Adds a point to the outline, or begins one.
    pub(super) fn click_outline(&mut self, at: [f64; 2]) -> Result<(), String> {
        let of = self.state.document.image.as_ref().ok_or("Open an image first.")?.layer.key;
        let is_wire = self.state.annotating.tool == Tool::LiveWire;
        let mut outline = self.state.annotating.outline.take().unwrap_or_else(|| Outline {
            points: Vec::new(),
            clicks: Vec::new(),
            next: Vec::new(),
            pointer: None,
            wire: None,
            of,
        });
        if outline.points.is_empty() {
            outline.points.push(at);
        } else {
            outline.find(at, STEPS_A_CLICK);
            let line = outline.line_to(at);
            outline.points.extend(line);
        }
        outline.next.clear();
        if is_wire {
            let sight = self.sight()?;
            let wire = LiveWire::new(&sight.view(), at).map_err(|error| error.to_string())?;
            outline.wire = Some(Box::new((wire, sight)));
        }
        outline.clicks.push(outline.points.len());
        self.state.annotating.outline = Some(outline);
        Ok(())
    }

    /// Leads the line to the pointer.
    pub(super) fn point_at(&mut self, at: Option<[f64; 2]>) {
        if let Some(outline) = &mut self.state.annotating.outline {
            outline.pointer = at;
            if at.is_none() {
                outline.next.clear();
            }
        }
    }

    /// Goes on with the paths of a live wire. Returns whether another frame is needed.
    pub(super) fn continue_outline(&mut self) -> bool {
        let now = self.state.document.image.as_ref().map(|open| open.layer.key);
        let Some(outline) = &mut self.state.annotating.outline else { return false };
        if Some(outline.of) != now {
            // An outline belongs to its slice.
            self.state.annotating.outline = None;
            return false;
        }
        let Some(at) = outline.pointer else { return false };
        let is_found = outline.find(at, STEPS_A_FRAME);
        outline.next = outline.line_to(at);
        !is_found
    }

    /// Closes the outline and paints what it encloses.
    pub(super) fn close_outline(&mut self, removes: bool) {
        let Some(mut outline) = self.state.annotating.outline.take() else { return };
        if let Some(first) = outline.points.first().copied().filter(|_| outline.wire.is_some()) {
            outline.find(first, STEPS_A_CLICK);
            let line = outline.line_to(first);
            outline.points.extend(line);
        }
        let [columns, rows, _] = self.state.document.annotation.shape();
        let region = polygon(&outline.points, [columns, rows]);
        if region.is_empty() {
            return self.state.notes.add_of_case(Kind::Info, "The outline encloses no pixel.");
        }
        let name = if outline.wire.is_some() { "live wire" } else { "polygon" };
        if let Err(text) = self.paint_region(name, &region, removes, &Origin::Drawn) {
            self.state.notes.add_of_case(Kind::Warning, text);
        }
    }

    /// Takes the last click back.
    pub(super) fn remove_point(&mut self) {
        let Some(mut outline) = self.state.annotating.outline.take() else { return };
        outline.clicks.pop();
        outline.points.truncate(outline.clicks.last().copied().unwrap_or(0));
        outline.next.clear();
        let Some(last) = outline.points.last().copied() else { return };
        if let Some(wire) = &mut outline.wire {
            let Ok(from_last) = LiveWire::new(&wire.1.view(), last) else { return };
            wire.0 = from_last;
        }
        self.state.annotating.outline = Some(outline);
    }
}
