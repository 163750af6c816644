//! The polygon and the freehand lasso.

use super::spans::{self, Span};
use crate::annotate::Region;

/// Returns the pixels of an image of `size` columns and rows whose centres a closed polygon encloses. What the outline
/// winds around belongs to it (non-zero winding), so that a lasso that crosses itself leaves no holes. A centre on the
/// outline belongs to the polygon on its left and upper sides only, so that polygons that share a side share no pixel.
///
/// Points that are not numbers are skipped. Fewer than three points enclose nothing.
pub fn polygon(points: &[[f64; 2]], [width, height]: [usize; 2]) -> Region {
    let points: Vec<[f64; 2]> =
        points.iter().copied().filter(|point| point.iter().all(|part| part.is_finite())).collect();
    if points.len() < 3 {
        return spans::region(&[]);
    }
    // The sides that cross the centre line of each row, as the column of the crossing and the direction.
    let mut crossings: Vec<Vec<(f64, i32)>> = vec![Vec::new(); height];
    for (index, from) in points.iter().enumerate() {
        let to = &points[(index + 1) % points.len()];
        let (upper, lower, turn) = if from[1] <= to[1] { (from, to, 1) } else { (to, from, -1) };
        let first = (upper[1] - 0.5).ceil().max(0.0) as usize;
        let last = ((lower[1] - 0.5).ceil().max(0.0) as usize).min(height);
        for (row, crossings) in crossings.iter_mut().enumerate().take(last).skip(first) {
            let share = (row as f64 + 0.5 - upper[1]) / (lower[1] - upper[1]);
            crossings.push((upper[0] + share * (lower[0] - upper[0]), turn));
        }
    }
    let mut found: Vec<Span> = Vec::new();
    for (row, crossings) in crossings.iter_mut().enumerate() {
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut winding = 0;
        for pair in crossings.windows(2) {
            winding += pair[0].1;
            let start = (pair[0].0 - 0.5).ceil().max(0.0) as usize;
            let end = ((pair[1].0 - 0.5).ceil().max(0.0) as usize).min(width);
            if winding != 0 && start < end {
                found.push(Span { row, start, end });
            }
        }
    }
    spans::region(&found)
}
