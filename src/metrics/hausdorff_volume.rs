//! The Hausdorff distance between the surfaces of two masks of a stack.

use super::distance::{Envelope, squared_distances};
use super::spread::percentile;

/// Returns the 95 % Hausdorff distance of two masks of several slices, as [`hd95_of`](super::hd95_of) for one slice. `shape`
/// and `spacing` are the numbers and the distances of columns, rows and slices; the result has the unit of the spacing.
/// A voxel belongs to the surface if one of its six neighbours is background or beyond the stack. The masks hold
/// `columns * rows * slices` values, slice by slice.
///
/// It needs 18 bytes for each voxel of the box around both masks.
///
/// # Panics
/// Panics if a mask has another number of values than the shape says.
pub fn hd95_volume(a: &[u8], b: &[u8], shape: [usize; 3], spacing: [f64; 3]) -> Option<f64> {
    assert!(a.len() == shape.iter().product::<usize>() && b.len() == a.len(), "masks of {shape:?}");
    let is_empty = [a, b].map(|mask| mask.iter().all(|value| *value == 0));
    match is_empty {
        [true, true] => return Some(0.0),
        [false, false] => {}
        _ => return None,
    }
    // Outside of the box around both masks everything is background.
    let ([first, last], size) = enclosing(a, b, shape);
    let [from, to] = [a, b].map(|mask| surface(&cut(mask, shape, first, last), size));
    let mut distances = to_nearest(&from, &to, size, spacing);
    distances.extend(to_nearest(&to, &from, size, spacing));
    distances.sort_by(f64::total_cmp);
    percentile(&distances, 0.95)
}

/// Returns the first and the last column, row and slice of the box around both masks, and its size.
fn enclosing(a: &[u8], b: &[u8], [columns, rows, slices]: [usize; 3]) -> ([[usize; 3]; 2], [usize; 3]) {
    let (mut first, mut last) = ([columns, rows, slices], [0; 3]);
    for (at, _) in a.iter().zip(b).enumerate().filter(|(_, (a, b))| **a != 0 || **b != 0) {
        let place = [at % columns, at / columns % rows, at / columns / rows];
        for axis in 0..3 {
            first[axis] = first[axis].min(place[axis]);
            last[axis] = last[axis].max(place[axis]);
        }
    }
    ([first, last], std::array::from_fn(|axis| last[axis] - first[axis] + 1))
}

/// Returns the part of a mask from one voxel to another.
fn cut(mask: &[u8], [columns, rows, _]: [usize; 3], first: [usize; 3], last: [usize; 3]) -> Vec<u8> {
    let lines = (first[2]..=last[2]).flat_map(|z| (first[1]..=last[1]).map(move |y| (z * rows + y) * columns));
    lines.flat_map(|line| mask[line + first[0]..=line + last[0]].iter().copied()).collect()
}

/// Returns which voxels belong to the surface.
fn surface(mask: &[u8], size: [usize; 3]) -> Vec<bool> {
    let strides = [1, size[0], size[0] * size[1]];
    let is_inner = |at: usize| {
        let place = [at % size[0], at / size[0] % size[1], at / size[0] / size[1]];
        (0..3).all(|axis| {
            let is_within = place[axis] > 0 && place[axis] + 1 < size[axis];
            is_within && mask[at - strides[axis]] != 0 && mask[at + strides[axis]] != 0
        })
    };
    mask.iter().enumerate().map(|(at, value)| *value != 0 && !is_inner(at)).collect()
}

/// Returns the distance from every voxel that is set in `from` to the nearest one in `to`.
fn to_nearest(from: &[bool], to: &[bool], [columns, rows, slices]: [usize; 3], spacing: [f64; 3]) -> Vec<f64> {
    let [column, row, slice] = spacing;
    // The transform along the slices counts in distances of slices.
    let scale = (column / slice).powi(2);
    let sides = [columns as f64 * column, rows as f64 * row, slices as f64 * slice];
    // This is larger than any squared distance and finite, so that differences are not NaN.
    let far = (sides.iter().sum::<f64>() / slice).powi(2);
    let plane = columns * rows;
    let mut field = Vec::with_capacity(to.len());
    for set in to.chunks_exact(plane) {
        match set.contains(&true) {
            true => {
                let widths = squared_distances(set, columns, rows, row / column);
                field.extend(widths.into_iter().map(|squared| squared * scale));
            }
            false => field.resize(field.len() + plane, far),
        }
    }
    let (mut envelope, mut line) = (Envelope::default(), vec![0.0; slices]);
    for at in 0..plane {
        line.iter_mut().zip(field[at..].iter().step_by(plane)).for_each(|(value, known)| *value = *known);
        envelope.transform(&mut line);
        field[at..].iter_mut().step_by(plane).zip(&line).for_each(|(known, value)| *known = *value);
    }
    from.iter().zip(field).filter(|(is, _)| **is).map(|(_, squared)| squared.sqrt() * slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute_force(a: &[u8], b: &[u8], shape: [usize; 3], spacing: [f64; 3]) -> Option<f64> {
        let points = |mask: &[u8]| -> Vec<[f64; 3]> {
            let is_surface = surface(mask, shape);
            let place = |at: usize| [at % shape[0], at / shape[0] % shape[1], at / shape[0] / shape[1]];
            let mm = |place: [usize; 3]| std::array::from_fn(|axis| place[axis] as f64 * spacing[axis]);
            (0..mask.len()).filter(|at| is_surface[*at]).map(|at| mm(place(at))).collect()
        };
        let (a, b) = (points(a), points(b));
        let between = |p: &[f64; 3], q: &[f64; 3]| (0..3).map(|i| (p[i] - q[i]).powi(2)).sum::<f64>().sqrt();
        let nearest = |p, others: &[[f64; 3]]| others.iter().map(|q| between(p, q)).fold(f64::INFINITY, f64::min);
        let mut all: Vec<f64> = a.iter().map(|p| nearest(p, &b)).chain(b.iter().map(|p| nearest(p, &a))).collect();
        all.sort_by(f64::total_cmp);
        percentile(&all, 0.95)
    }

    #[test]
    fn equals_the_definition_on_random_masks() {
        let mut random = fastrand::Rng::with_seed(5);
        for shape in [[1, 1, 1], [5, 4, 3], [9, 7, 6], [3, 1, 8]] {
            for density in [0.05, 0.4, 0.95] {
                let mut mask = || -> Vec<u8> {
                    (0..shape.iter().product()).map(|_| u8::from(random.f64() < density)).collect()
                };
                let (a, b) = (mask(), mask());
                if !(a.contains(&1) && b.contains(&1)) {
                    continue;
                }
                for spacing in [[1.0; 3], [0.7, 0.7, 5.0], [0.3, 2.1, 1.0]] {
                    let found = hd95_volume(&a, &b, shape, spacing).expect("a distance");
                    let exact = brute_force(&a, &b, shape, spacing).expect("a distance");
                    assert!((found - exact).abs() < 1e-9, "{shape:?} {spacing:?}: {found} for {exact}");
                }
            }
        }
    }

    /// Expected: MedPy 0.5, `hd95` with connectivity 1 and `voxelspacing` from slices to columns.
    #[test]
    fn the_distance_of_medpy() {
        let shape = [12, 10, 6];
        let ball = |centre: [f64; 3], radius: f64| -> Vec<u8> {
            let places = (0..6).flat_map(|z| (0..10).flat_map(move |y| (0..12).map(move |x| [x, y, z])));
            let is_in = |place: [i32; 3]| (0..3).map(|i| (f64::from(place[i]) - centre[i]).powi(2)).sum::<f64>();
            places.map(|place| u8::from(is_in(place) <= radius * radius)).collect()
        };
        let (a, b) = (ball([4.0, 4.0, 2.0], 3.0), ball([7.0, 5.0, 3.0], 2.5));
        let found = hd95_volume(&a, &b, shape, [0.8, 0.8, 2.0]).expect("a distance");
        assert!((found - 3.188_614_980_554_399).abs() < 1e-9, "{found}");
    }

    #[test]
    fn empty_masks() {
        assert_eq!(hd95_volume(&[0; 8], &[0; 8], [2; 3], [1.0; 3]), Some(0.0));
        assert_eq!(hd95_volume(&[0; 8], &[1; 8], [2; 3], [1.0; 3]), None);
        assert_eq!(hd95_volume(&[1; 8], &[1; 8], [2; 3], [1.0; 3]), Some(0.0));
    }
}
