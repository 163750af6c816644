//! The exact Euclidean distance transform.

/// Returns the exact squared Euclidean distance of every pixel to the nearest pixel that is set, in widths of a
/// pixel; a pixel is `aspect` times as high as wide. If no pixel is set, every distance is larger than the image's
/// sides together.
///
/// The nearest set pixel of a column is found by one pass downwards and one upwards; the rows are then transformed by
/// lower envelopes of parabolas (Felzenszwalb & Huttenlocher, *Distance Transforms of Sampled Functions*, 2012).
///
/// # Panics
/// Panics if `set` does not hold `width * height` values.
pub fn squared_distances(set: &[bool], width: usize, height: usize, aspect: f64) -> Vec<f64> {
    assert!(set.len() == width * height, "a mask of {width}x{height}");
    if set.is_empty() {
        return Vec::new();
    }
    // This is larger than any distance and finite, so that differences are not NaN.
    let far = (width as f64 + height as f64 * aspect).powi(2);
    let mut field = vec![far; set.len()];
    // The row of the nearest set pixel above, then below, for every column.
    let mut nearest: Vec<Option<usize>> = vec![None; width];
    for y in (0..height).chain((0..height).rev()) {
        let start = y * width;
        for x in 0..width {
            if set[start + x] {
                nearest[x] = Some(y);
            }
            if let Some(row) = nearest[x] {
                let value = &mut field[start + x];
                *value = value.min((row.abs_diff(y) as f64 * aspect).powi(2));
            }
        }
    }
    let mut envelope = Envelope::default();
    for row in field.chunks_exact_mut(width) {
        if row.iter().any(|value| *value < far) {
            envelope.transform(row);
        }
    }
    field
}

/// The lower envelope of parabolas, with memory that is used again for every row.
#[derive(Default)]
pub(super) struct Envelope {
    values: Vec<f64>,
    /// The parabolas that are lowest somewhere, each with the position from which it is lowest.
    lowest: Vec<(usize, f64)>,
}

impl Envelope {
    /// Replaces `f` by `min_q (p − q)² + f(q)` for every position p.
    pub(super) fn transform(&mut self, f: &mut [f64]) {
        let Self { values, lowest } = self;
        values.clear();
        values.extend_from_slice(f);
        lowest.clear();
        lowest.push((0, f64::NEG_INFINITY));
        for q in 1..values.len() {
            let meets = |p: usize| {
                let (a, b) = (q as f64, p as f64);
                ((values[q] + a * a) - (values[p] + b * b)) / (2.0 * (a - b))
            };
            while let Some((p, from)) = lowest.last() {
                let at = meets(*p);
                if at > *from {
                    lowest.push((q, at));
                    break;
                }
                lowest.pop();
            }
            if lowest.is_empty() {
                lowest.push((q, f64::NEG_INFINITY));
            }
        }
        let mut index = 0;
        for (p, value) in f.iter_mut().enumerate() {
            while index + 1 < lowest.len() && lowest[index + 1].1 < p as f64 {
                index += 1;
            }
            let q = lowest[index].0;
            *value = (p as f64 - q as f64).powi(2) + values[q];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::squared_distances;

    #[test]
    fn equals_the_definition_for_square_flat_and_high_pixels() {
        let mut random = fastrand::Rng::with_seed(5);
        for (width, height) in [(1, 1), (1, 9), (9, 1), (7, 5), (16, 13)] {
            for aspect in [1.0, 0.4, 3.0, 1.0 / 3.0] {
                let set: Vec<bool> = (0..width * height).map(|_| random.f64() < 0.15).collect();
                if !set.contains(&true) {
                    continue;
                }
                let found = squared_distances(&set, width, height, aspect);
                for (index, found) in found.into_iter().enumerate() {
                    let (x, y) = (index % width, index / width);
                    let to = |other: usize| {
                        let (dx, dy) = ((other % width).abs_diff(x) as f64, (other / width).abs_diff(y) as f64);
                        dx.powi(2) + (dy * aspect).powi(2)
                    };
                    let exact = (0..set.len()).filter(|i| set[*i]).map(to).fold(f64::INFINITY, f64::min);
                    assert!((found - exact).abs() < 1e-9, "{width}x{height} of {aspect} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn without_a_set_pixel_every_distance_is_large() {
        assert!(squared_distances(&[false; 6], 3, 2, 1.0).into_iter().all(|squared| squared >= 25.0));
        assert!(squared_distances(&[], 0, 4, 1.0).is_empty());
    }
}
