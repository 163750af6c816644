//! The Hausdorff distance between the boundaries of two masks.

use super::distance::squared_distances;

/// Returns the 95 % Hausdorff distance in pixels: that of [`hd95_of`] for square pixels of side 1.
///
/// # Panics
/// Panics if a mask does not hold `width * height` values.
pub fn hd95(a: &[u8], b: &[u8], width: usize, height: usize) -> Option<f64> {
    hd95_of(a, b, width, height, [1.0; 2])
}

/// Returns the 95 % Hausdorff distance for the pixel spacing `[column, row]`: the distance between columns and
/// the distance between rows. The result has the unit of the spacing.
///
/// It is the 95th percentile (linear between neighbours) of the distances from every boundary pixel of one mask
/// to the nearest boundary pixel of the other, in both directions together, like MedPy's `hd95`. A boundary
/// pixel is a foreground pixel with background or the edge of the image among its four neighbours. The distance
/// is 0 if both masks are empty, and `None` if only one of them is, because it is then undefined.
///
/// # Panics
/// Panics if a mask does not hold `width * height` values.
pub fn hd95_of(a: &[u8], b: &[u8], width: usize, height: usize, [column, row]: [f64; 2]) -> Option<f64> {
    assert!(a.len() == width * height && b.len() == a.len(), "masks of {width}x{height}");
    let (from, to) = (boundary(a, width, height), boundary(b, width, height));
    match (from.iter().any(|is| *is), to.iter().any(|is| *is)) {
        (false, false) => return Some(0.0),
        (true, true) => {}
        _ => return None,
    }
    // Distances are computed in widths of a pixel, so that the squared distances of square pixels are integers.
    let aspect = row / column;
    let mut distances = to_nearest(&from, &to, width, height, aspect);
    distances.extend(to_nearest(&to, &from, width, height, aspect));
    distances.sort_by(f64::total_cmp);
    super::spread::percentile(&distances, 0.95).map(|widths| widths * column)
}

fn boundary(mask: &[u8], width: usize, height: usize) -> Vec<bool> {
    let is_set = |x: usize, y: usize| mask[y * width + x] != 0;
    (0..mask.len())
        .map(|index| {
            let (x, y) = (index % width, index / width);
            let is_inner = x > 0
                && y > 0
                && x + 1 < width
                && y + 1 < height
                && is_set(x - 1, y)
                && is_set(x + 1, y)
                && is_set(x, y - 1)
                && is_set(x, y + 1);
            mask[index] != 0 && !is_inner
        })
        .collect()
}

/// Returns the distance from every pixel that is set in `from` to the nearest one in `to`, in widths of a pixel.
/// A pixel is `aspect` times as high as wide.
fn to_nearest(from: &[bool], to: &[bool], width: usize, height: usize, aspect: f64) -> Vec<f64> {
    let squared = squared_distances(to, width, height, aspect);
    from.iter().zip(squared).filter(|(is, _)| **is).map(|(_, squared)| squared.sqrt()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute_force(a: &[u8], b: &[u8], width: usize, height: usize, size: [f64; 2]) -> Option<f64> {
        let points = |mask: &[u8]| -> Vec<(f64, f64)> {
            let border = boundary(mask, width, height);
            let place = |i: usize| ((i % width) as f64 * size[0], (i / width) as f64 * size[1]);
            (0..mask.len()).filter(|i| border[*i]).map(place).collect()
        };
        let (a, b) = (points(a), points(b));
        let nearest = |p: &(f64, f64), others: &[(f64, f64)]| {
            others.iter().map(|q| (p.0 - q.0).hypot(p.1 - q.1)).fold(f64::INFINITY, f64::min)
        };
        let mut all: Vec<f64> = a.iter().map(|p| nearest(p, &b)).chain(b.iter().map(|p| nearest(p, &a))).collect();
        all.sort_by(f64::total_cmp);
        crate::metrics::spread::percentile(&all, 0.95)
    }

    #[test]
    fn equals_the_definition_on_random_masks() {
        let mut random = fastrand::Rng::with_seed(3);
        for (width, height) in [(1, 1), (7, 5), (16, 16), (31, 20)] {
            for density in [0.02, 0.3, 0.9] {
                let mut mask =
                    || -> Vec<u8> { (0..width * height).map(|_| u8::from(random.f64() < density)).collect() };
                let (a, b) = (mask(), mask());
                if !(a.contains(&1) && b.contains(&1)) {
                    continue;
                }
                // The pixels are square, flat and high, and one proportion has no exact binary representation.
                for size in [[1.0, 1.0], [0.7, 0.7], [2.0, 0.5], [0.3, 2.1], [1.0, 1.0 / 3.0]] {
                    let ours = hd95_of(&a, &b, width, height, size).expect("a distance");
                    let exact = brute_force(&a, &b, width, height, size).expect("a distance");
                    assert!((ours - exact).abs() < 1e-9, "{width}x{height} of {size:?}: {ours} for {exact}");
                }
                let (pixels, mm) = (hd95(&a, &b, width, height), hd95_of(&a, &b, width, height, [0.35; 2]));
                assert_eq!(mm, pixels.map(|pixels| pixels * 0.35), "squares are counted, then scaled");
            }
        }
    }

    #[test]
    fn empty_masks() {
        assert_eq!(hd95(&[0; 6], &[0; 6], 3, 2), Some(0.0));
        assert_eq!(hd95(&[0; 6], &[1; 6], 3, 2), None);
        assert_eq!(hd95(&[1; 6], &[1; 6], 3, 2), Some(0.0));
        assert_eq!(hd95(&[1, 0, 0, 0, 0, 0], &[0, 0, 1, 0, 0, 0], 3, 2), Some(2.0));
    }

    /// Compares with Pythagoras for two pixels that are three columns and four rows apart: 3 · 0.5 mm and 4 · 2
    /// mm.
    #[test]
    fn both_sides_of_a_pixel_count() {
        let (mut a, mut b) = (vec![0; 20], vec![0; 20]);
        (a[0], b[19]) = (1, 1);
        assert_eq!(hd95_of(&a, &b, 4, 5, [0.5, 2.0]), Some(1.5_f64.hypot(8.0)));
        assert_eq!(hd95_of(&a, &b, 4, 5, [2.0, 2.0]), Some(10.0));
    }

    #[test]
    fn a_pixel_is_inside_if_all_four_neighbours_are() {
        assert!(!boundary(&[1; 9], 3, 3)[4]);
        for neighbour in [1, 3, 5, 7] {
            let mut mask = [1; 9];
            mask[neighbour] = 0;
            assert!(boundary(&mask, 3, 3)[4], "without pixel {neighbour}");
        }
        assert!(!boundary(&[0, 1, 0, 1, 1, 1, 0, 1, 0], 3, 3)[4], "corners are no neighbours");
    }
}
