//! The distance between the outlines of two masks.

/// 95 % Hausdorff distance in pixels: of all distances from a boundary pixel of one mask to the nearest boundary pixel of the
/// other, in both directions together, the 95th percentile (linear between neighbours), as MedPy's `hd95` takes it. A boundary
/// pixel is foreground with background, or the picture's edge, among its four neighbours. 0 where both masks are empty; none where one
/// is, because then there is no distance.
///
/// # Panics
/// If a mask does not hold `width * height` values.
pub fn hd95(a: &[u8], b: &[u8], width: usize, height: usize) -> Option<f64> {
    assert!(a.len() == width * height && b.len() == a.len(), "masks of {width}x{height}");
    let (from, to) = (boundary(a, width, height), boundary(b, width, height));
    match (from.iter().any(|is| *is), to.iter().any(|is| *is)) {
        (false, false) => return Some(0.0),
        (true, true) => {}
        _ => return None,
    }
    let mut distances = to_nearest(&from, &to, width, height);
    distances.extend(to_nearest(&to, &from, width, height));
    distances.sort_by(f64::total_cmp);
    super::spread::percentile(&distances, 0.95)
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

/// Distance from every pixel of `from` to the nearest of `to`.
fn to_nearest(from: &[bool], to: &[bool], width: usize, height: usize) -> Vec<f64> {
    let squared = squared_distances(to, width, height);
    from.iter().zip(squared).filter(|(is, _)| **is).map(|(_, squared)| squared.sqrt()).collect()
}

/// Exact squared Euclidean distance of every pixel to the nearest that is set (Felzenszwalb & Huttenlocher, *Distance Transforms of
/// Sampled Functions*, 2012): first along columns, then along rows.
fn squared_distances(set: &[bool], width: usize, height: usize) -> Vec<f64> {
    // Farther than any pixel, and finite, so that differences of it are numbers.
    let far = ((width + height) as f64).powi(2);
    let mut field: Vec<f64> = set.iter().map(|is| if *is { 0.0 } else { far }).collect();
    let mut column = vec![0.0; height];
    for x in 0..width {
        for y in 0..height {
            column[y] = field[y * width + x];
        }
        for (y, value) in lower_envelope(&column).into_iter().enumerate() {
            field[y * width + x] = value;
        }
    }
    for row in field.chunks_exact_mut(width) {
        let transformed = lower_envelope(row);
        row.copy_from_slice(&transformed);
    }
    field
}

/// `min_q (p − q)² + f(q)` for every p.
fn lower_envelope(f: &[f64]) -> Vec<f64> {
    // Parabolas that are lowest somewhere, and from where on each is.
    let mut lowest: Vec<(usize, f64)> = vec![(0, f64::NEG_INFINITY)];
    for q in 1..f.len() {
        let meets = |p: usize| {
            let (a, b) = (q as f64, p as f64);
            ((f[q] + a * a) - (f[p] + b * b)) / (2.0 * (a - b))
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
    (0..f.len())
        .map(|p| {
            while index + 1 < lowest.len() && lowest[index + 1].1 < p as f64 {
                index += 1;
            }
            let q = lowest[index].0;
            (p as f64 - q as f64).powi(2) + f[q]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute_force(a: &[u8], b: &[u8], width: usize, height: usize) -> Option<f64> {
        let points = |mask: &[u8]| -> Vec<(f64, f64)> {
            let border = boundary(mask, width, height);
            (0..mask.len()).filter(|i| border[*i]).map(|i| ((i % width) as f64, (i / width) as f64)).collect()
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
                if a.contains(&1) && b.contains(&1) {
                    let (ours, exact) = (hd95(&a, &b, width, height), brute_force(&a, &b, width, height));
                    assert!(
                        (ours.expect("a distance") - exact.expect("a distance")).abs() < 1e-9,
                        "{width}x{height}"
                    );
                }
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
}
