//! Rows of neighbouring pixels, of which tools compose regions.

use crate::annotate::Region;

/// Neighbouring pixels of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The row.
    pub row: usize,
    /// The first column.
    pub start: usize,
    /// The column after the last one.
    pub end: usize,
}

impl Span {
    /// Returns the number of pixels.
    pub fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Returns the smallest box around spans: its first column and row, and its numbers of columns and rows. `None` if
/// there are no spans.
pub fn bounds(spans: &[Span]) -> Option<([usize; 2], [usize; 2])> {
    let first = spans.first()?;
    let [mut left, mut top, mut right, mut bottom] = [first.start, first.row, first.end, first.row + 1];
    for span in spans {
        (left, right) = (left.min(span.start), right.max(span.end));
        (top, bottom) = (top.min(span.row), bottom.max(span.row + 1));
    }
    Some(([left, top], [right - left, bottom - top]))
}

/// Returns the region of all pixels of the spans, which may overlap.
pub fn region(spans: &[Span]) -> Region {
    let Some((corner, size)) = bounds(spans) else { return Region::new([0; 2], [0; 2], Vec::new()) };
    let mut pixels = vec![0; size[0] * size[1]];
    for span in spans {
        let start = (span.row - corner[1]) * size[0] + span.start - corner[0];
        pixels[start..start + span.len()].fill(1);
    }
    Region::new(corner, size, pixels)
}

/// Returns the pixels of a row whose centres lie from `low` to `high`, within `width` columns; `None` if there are none.
pub fn centres(row: usize, low: f64, high: f64, width: usize) -> Option<Span> {
    // A negative number saturates to 0, NaN gives 0.
    let start = (low - 0.5).ceil().max(0.0) as usize;
    let end = ((high - 0.5).floor() + 1.0).clamp(0.0, width as f64) as usize;
    (low <= high && start < end).then_some(Span { row, start, end })
}
