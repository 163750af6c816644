//! What the tools show before anything is painted.

use super::{Annotating, Tool};
use crate::annotate::Region;

/// Neighbouring pixels of a row: the row, the first column, and the column after the last one.
pub type Run = [usize; 3];

/// The pixels that a tool would paint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// The number of pixels.
    pub pixels: usize,
    /// The pixels, by row and column.
    pub runs: Vec<Run>,
}

impl Preview {
    /// Creates the preview of a region.
    pub(super) fn of(region: &Region) -> Self {
        let mut preview = Self::default();
        for [x, y] in region.pixels() {
            preview.pixels += 1;
            match preview.runs.last_mut() {
                Some([row, _, end]) if *row == y && *end == x => *end += 1,
                _ => preview.runs.push([y, x, x + 1]),
            }
        }
        preview
    }
}

/// A line that is being drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// The part that is settled.
    pub settled: &'a [[f64; 2]],
    /// The part from there to the pointer.
    pub next: &'a [[f64; 2]],
    /// Whether the corners are marked, where the user clicked.
    pub has_corners: bool,
}

impl Annotating {
    /// Returns the pixels that would be painted now: those of the growing region, or those under the pointer.
    pub fn preview(&self) -> Option<&Preview> {
        let hovered = self.hovered.as_ref().filter(|_| self.tool == Tool::Region).map(|hovered| &hovered.preview);
        self.drag.as_ref().and_then(|drag| drag.preview()).or(hovered)
    }

    /// Returns the line that is being drawn; `None` if there is none.
    pub fn line(&self) -> Option<Line<'_>> {
        let outline = self.outline.as_ref().map(|outline| outline.line());
        self.drag.as_ref().and_then(|drag| drag.line()).or(outline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_has_the_pixels_as_runs() {
        let region = Region::new([3, 1], [4, 2], vec![1, 1, 0, 1, 0, 0, 1, 1]);
        let preview = Preview::of(&region);
        assert_eq!((preview.pixels, preview.runs), (5, vec![[1, 3, 5], [1, 6, 7], [2, 5, 7]]));
    }
}
