//! Elastic deformation of an image and its mask (Simard et al. 2003): a smooth random displacement of every pixel.

/// The number of cells of the grid of random displacements along a side.
const CELLS: usize = 4;

/// Deforms planes of `side × side` and the target in the same way, by up to `most` pixels along each axis. The edges stay
/// where they are. The planes are interpolated bilinearly; the target takes its nearest value.
pub fn deform(planes: &mut [f32], target: &mut [f32], side: usize, most: f32, random: &mut fastrand::Rng) {
    let along = [displacement(side, most, random), displacement(side, most, random)];
    let last = side.saturating_sub(1);
    let source: Vec<(f32, f32)> = (0..side * side)
        .map(|at| {
            let place = |axis: usize, value: usize| (value as f32 + along[axis][at]).clamp(0.0, last as f32);
            (place(0, at % side), place(1, at / side))
        })
        .collect();
    for plane in planes.chunks_exact_mut(side * side) {
        let before = plane.to_vec();
        let value = |x: usize, y: usize| before[y.min(last) * side + x.min(last)];
        for (value_now, (x, y)) in plane.iter_mut().zip(&source) {
            let (left, top) = (*x as usize, *y as usize);
            let (right, low) = (x - left as f32, y - top as f32);
            let upper = value(left, top) * (1.0 - right) + value(left + 1, top) * right;
            let lower = value(left, top + 1) * (1.0 - right) + value(left + 1, top + 1) * right;
            *value_now = upper * (1.0 - low) + lower * low;
        }
    }
    let before = target.to_vec();
    for (value, (x, y)) in target.iter_mut().zip(&source) {
        *value = before[y.round() as usize * side + x.round() as usize];
    }
}

/// A displacement for every pixel, interpolated smoothly between the random ones of a coarse grid, whose edge is 0.
fn displacement(side: usize, most: f32, random: &mut fastrand::Rng) -> Vec<f32> {
    const POINTS: usize = CELLS + 1;
    let mut grid = [[0.0; POINTS]; POINTS];
    for row in &mut grid[1..CELLS] {
        row[1..CELLS].iter_mut().for_each(|value| *value = (random.f32() * 2.0 - 1.0) * most);
    }
    // The cell of a pixel and its place in it, which a cubic makes smooth.
    let places: Vec<(usize, f32)> = (0..side)
        .map(|at| {
            let place = at as f32 / (side.max(2) - 1) as f32 * CELLS as f32;
            let cell = (place as usize).min(CELLS - 1);
            let within = place - cell as f32;
            (cell, within * within * (3.0 - 2.0 * within))
        })
        .collect();
    let mut all = Vec::with_capacity(side * side);
    for (row, low) in &places {
        for (column, right) in &places {
            let between = |row: usize| grid[row][*column] * (1.0 - right) + grid[row][column + 1] * right;
            all.push(between(*row) * (1.0 - low) + between(row + 1) * low);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_and_mask_move_together_and_the_edge_stays() {
        const SIDE: usize = 64;
        let inside = |x: usize, y: usize| (12..40).contains(&x) && (20..50).contains(&y);
        let mask: Vec<f32> =
            (0..SIDE * SIDE).map(|at| f32::from(u8::from(inside(at % SIDE, at / SIDE)))).collect();
        let (mut planes, mut target) = (mask.repeat(3), mask.clone());
        deform(&mut planes, &mut target, SIDE, 4.0, &mut fastrand::Rng::with_seed(5));
        let moved = target.iter().zip(&mask).filter(|(new, old)| new != old).count();
        assert!((20..600).contains(&moved), "{moved} pixels of the mask changed");
        let apart = planes[..SIDE * SIDE].iter().zip(&target).filter(|(a, b)| (**a > 0.5) != (**b == 1.0)).count();
        assert!(apart <= 16, "{apart} pixels are apart");
        assert!(target.iter().all(|value| *value == 0.0 || *value == 1.0));

        // A displacement is nowhere larger than it may be, and nothing at the edge.
        let along = displacement(SIDE, 3.0, &mut fastrand::Rng::with_seed(1));
        assert!(along.iter().all(|value| value.abs() <= 3.0));
        let is_edge = |at: usize| [0, SIDE - 1].contains(&(at % SIDE)) || [0, SIDE - 1].contains(&(at / SIDE));
        assert!((0..SIDE * SIDE).filter(|at| is_edge(*at)).all(|at| along[at].abs() < 1e-6));
        assert!(along.iter().any(|value| value.abs() > 0.5));
    }
}
