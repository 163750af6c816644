//! Edges of a slice, measured where they are asked for.

use super::SliceView;

/// At most about this many values are looked at for the scales of a slice.
const SAMPLES: usize = 40_000;

/// The scales of a slice: what is a large difference of values, and what is a strong edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// The difference between the 2nd and the 98th percentile of the values; 0 if the slice is uniform.
    pub range: f32,
    /// The 95th percentile of the gradient where there is any, per pixel; 0 if there is none.
    pub gradient: f32,
}

impl Scales {
    /// Measures a slice on a grid of its pixels.
    pub fn of(view: &SliceView) -> Self {
        let count = view.values().len();
        // An odd stride does not stay in the same columns of pictures with an even width.
        let stride = (count / SAMPLES) | 1;
        let places = (0..count).step_by(stride);
        let mut values: Vec<f32> = places.clone().map(|at| view.values()[at]).filter(|v| v.is_finite()).collect();
        let mut gradients: Vec<f32> = places.map(|at| gradient(view, at)).filter(|g| *g > 0.0).collect();
        values.sort_unstable_by(f32::total_cmp);
        gradients.sort_unstable_by(f32::total_cmp);
        let range = percentile(&values, 0.98) - percentile(&values, 0.02);
        Self { range, gradient: percentile(&gradients, 0.95) }
    }
}

fn percentile(sorted: &[f32], share: f64) -> f32 {
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Returns the magnitude of the gradient at a pixel by Sobel's operator, in values per pixel. Beyond the edges of the
/// image its outermost pixels are repeated. Where a neighbour is not finite the gradient is infinite, so that nothing is
/// a stronger edge.
pub fn gradient(view: &SliceView, index: usize) -> f32 {
    let [width, height] = view.size();
    let (x, y) = (index % width, index / width);
    let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
    let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)].map(|row| row * width);
    let values = view.values();
    let at = |row: usize, column: usize| values[rows[row] + columns[column]];
    let across = (at(0, 2) - at(0, 0)) + 2.0 * (at(1, 2) - at(1, 0)) + (at(2, 2) - at(2, 0));
    let down = (at(2, 0) - at(0, 0)) + 2.0 * (at(2, 1) - at(0, 1)) + (at(2, 2) - at(0, 2));
    let magnitude = across.hypot(down) / 8.0;
    if magnitude.is_finite() { magnitude } else { f32::INFINITY }
}
