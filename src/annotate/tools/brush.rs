//! The brush: a circle that is swept along the path of the pointer.

use super::spans::{self, Span};
use super::{Length, SliceView, ToolError};
use crate::annotate::Region;

/// A stroke of a brush. A pixel belongs to it if its centre is not farther from the path than the radius, or if the path
/// runs through it, so that a small brush leaves no gaps. The pressure of a pen is not used.
#[derive(Clone, Debug)]
pub struct Stroke {
    size: [usize; 2],
    radii: [f64; 2],
    last: Option<[f64; 2]>,
}

impl Stroke {
    /// Begins a stroke in an image of `size` columns and rows. `pixel_mm` is the distance between columns and between
    /// rows in mm; a radius in mm is an ellipse in pixels if they differ.
    ///
    /// # Errors
    /// Returns an error if the radius is in mm and the pixel size is not known, or if it is not a positive number.
    pub fn new(size: [usize; 2], radius: Length, pixel_mm: Option<[f64; 2]>) -> Result<Self, ToolError> {
        Ok(Self { size, radii: radius.in_pixels(pixel_mm)?, last: None })
    }

    /// Begins a stroke in a slice; see [`Stroke::new`].
    ///
    /// # Errors
    /// Returns the errors of [`Stroke::new`].
    pub fn on(view: &SliceView, radius: Length) -> Result<Self, ToolError> {
        Self::new(view.size(), radius, view.pixel_mm())
    }

    /// Returns the radius in columns and in rows.
    pub fn radii(&self) -> [f64; 2] {
        self.radii
    }

    /// Continues the stroke through further points and returns the pixels of this part, which is connected to the last
    /// one. Points that are not numbers are skipped; points outside the image are allowed.
    pub fn extend(&mut self, points: &[[f64; 2]]) -> Region {
        spans::region(&self.extend_with_path(points).0)
    }

    /// Continues the stroke as [`Stroke::extend`] does; returns its part and the pixels that the path runs through.
    pub(super) fn extend_with_path(&mut self, points: &[[f64; 2]]) -> (Vec<Span>, Vec<Span>) {
        let (mut part, mut through) = (Vec::new(), Vec::new());
        for point in points.iter().filter(|point| point.iter().all(|part| part.is_finite())) {
            let from = self.last.unwrap_or(*point);
            sweep(self.size, from, *point, self.radii, &mut part);
            path(self.size, from, *point, &mut through);
            self.last = Some(*point);
        }
        part.extend(&through);
        (part, through)
    }
}

/// Adds the pixels whose centres an ellipse covers that moves from `from` to `to`. It is a circle of radius 1 where
/// lengths are divided by its radii, and what it sweeps is convex, so that every row is one span.
fn sweep([width, height]: [usize; 2], from: [f64; 2], to: [f64; 2], radii: [f64; 2], out: &mut Vec<Span>) {
    let [a, b] = [from, to].map(|[x, y]| [x / radii[0], y / radii[1]]);
    let [along_x, along_y] = [b[0] - a[0], b[1] - a[1]];
    let length = along_x.hypot(along_y);
    let normal = if length > 0.0 { [-along_y / length, along_x / length] } else { [0.0; 2] };
    let corners = [
        [a[0] + normal[0], a[1] + normal[1]],
        [b[0] + normal[0], b[1] + normal[1]],
        [b[0] - normal[0], b[1] - normal[1]],
        [a[0] - normal[0], a[1] - normal[1]],
    ];
    let top = ((a[1].min(b[1]) - 1.0) * radii[1] - 0.5).floor().max(0.0) as usize;
    let bottom = (((a[1].max(b[1]) + 1.0) * radii[1] + 0.5).ceil().max(0.0) as usize).min(height);
    for row in top..bottom {
        let v = (row as f64 + 0.5) / radii[1];
        let [mut low, mut high] = [f64::INFINITY, f64::NEG_INFINITY];
        for centre in [a, b] {
            let squared = 1.0 - (v - centre[1]).powi(2);
            // A centre at exactly the radius belongs to the circle, whatever the rounding.
            if squared >= -1e-12 {
                let half = squared.max(0.0).sqrt();
                (low, high) = (low.min(centre[0] - half), high.max(centre[0] + half));
            }
        }
        for (index, from) in corners.iter().enumerate() {
            let to = corners[(index + 1) % corners.len()];
            if (from[1] <= v) != (to[1] <= v) {
                let at = from[0] + (to[0] - from[0]) * (v - from[1]) / (to[1] - from[1]);
                (low, high) = (low.min(at), high.max(at));
            }
        }
        out.extend(spans::centres(row, (low - 1e-9) * radii[0], (high + 1e-9) * radii[0], width));
    }
}

/// Adds all pixels that the line from `from` to `to` runs through.
fn path([width, height]: [usize; 2], from: [f64; 2], to: [f64; 2], out: &mut Vec<Span>) {
    let [upper, lower] = if from[1] <= to[1] { [from, to] } else { [to, from] };
    if lower[1] < 0.0 {
        return;
    }
    let top = upper[1].floor().max(0.0) as usize;
    let bottom = (lower[1].floor() as usize).saturating_add(1).min(height);
    let slope = if lower[1] > upper[1] { (lower[0] - upper[0]) / (lower[1] - upper[1]) } else { 0.0 };
    for row in top..bottom {
        // The part of the line within the row; a level line lies in one row as a whole.
        let at = |y: f64| if lower[1] > upper[1] { upper[0] + slope * (y - upper[1]) } else { upper[0] };
        let begin = at((row as f64).max(upper[1]));
        let end = if lower[1] > upper[1] { at((row as f64 + 1.0).min(lower[1])) } else { lower[0] };
        let [low, high] = [begin.min(end), begin.max(end)];
        if high >= 0.0 && low < width as f64 {
            let (start, last) = (low.max(0.0) as usize, (high as usize).min(width - 1));
            out.push(Span { row, start, end: last + 1 });
        }
    }
}
