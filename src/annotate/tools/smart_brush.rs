//! The smart brush: of what the brush covers, the part that looks like the start of the stroke.

use super::flood::connected;
use super::spans::{self, Span};
use super::{Connectivity, Interval, Length, SliceView, Stroke, ToolError};
use crate::annotate::Region;

/// A stroke of the smart brush. It takes the pixels that lie inside the brush and in an interval of values or
/// probabilities, and that are connected to the path of the pointer within them (pixels that share an edge).
#[derive(Clone, Debug)]
pub struct SmartStroke {
    stroke: Stroke,
    interval: Interval,
}

impl SmartStroke {
    /// Begins a stroke; [`Interval::around`] gives the interval around its first point.
    ///
    /// # Errors
    /// Returns the errors of [`Stroke::on`], and an error if the interval is one of probabilities and there is no
    /// prediction.
    pub fn new(view: &SliceView, radius: Length, interval: Interval) -> Result<Self, ToolError> {
        if interval.probability.is_some() && view.probability().is_none() {
            return Err(ToolError::NoProbability);
        }
        Ok(Self { stroke: Stroke::on(view, radius)?, interval })
    }

    /// Continues the stroke in the same slice through further points, and returns the pixels of this part; see
    /// [`Stroke::extend`].
    pub fn extend(&mut self, view: &SliceView, points: &[[f64; 2]]) -> Region {
        let (part, path) = self.stroke.extend_with_path(points);
        let Some(([left, top], size)) = spans::bounds(&part) else { return spans::region(&[]) };
        let local = |span: &Span| (span.row - top) * size[0] + span.start - left;
        let mut is_inside = vec![false; size[0] * size[1]];
        for span in &part {
            is_inside[local(span)..local(span) + span.len()].fill(true);
        }
        let seeds = path.iter().flat_map(|span| local(span)..local(span) + span.len());
        let takes = |at: usize| {
            let index = (top + at / size[0]) * view.size()[0] + left + at % size[0];
            is_inside[at] && view.is_open(index) && self.interval.contains(view, index)
        };
        let mut taken = connected(size, seeds, Connectivity::Edge, takes);
        for span in &mut taken {
            *span = Span { row: span.row + top, start: span.start + left, end: span.end + left };
        }
        spans::region(&taken)
    }
}
