//! The longest diameter of a component in a slice and the one at right angles to it.

use crate::data::mask::components::Run;

/// A distance between two points of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diameter {
    /// The length, in the unit of the sizes of the pixels.
    pub length: f64,
    /// The ends, as column and row in pixels from the centre of the first pixel.
    pub ends: [[f64; 2]; 2],
}

/// Returns the longest and the perpendicular diameter of pixels of one slice, which are at least one. `size` is the
/// distance between columns and between rows.
pub fn diameters(runs: &[Run], size: [f64; 2]) -> [Diameter; 2] {
    let hull = hull(points(runs, size));
    let pixel = |[x, y]: [f64; 2]| [x / size[0], y / size[1]];
    let mut longest = (0.0, [hull[0]; 2]);
    for (number, a) in hull.iter().enumerate() {
        for b in &hull[number + 1..] {
            let length = (a[0] - b[0]).hypot(a[1] - b[1]);
            if length > longest.0 {
                longest = (length, [*a, *b]);
            }
        }
    }
    let (length, [a, b]) = longest;
    let across = chord(&hull, [(b[0] - a[0]) / length, (b[1] - a[1]) / length]);
    let short = (across[0][0] - across[1][0]).hypot(across[0][1] - across[1][1]);
    [Diameter { length, ends: [a, b].map(pixel) }, Diameter { length: short, ends: across.map(pixel) }]
}

/// Returns the ends of the longest chord of a convex polygon at right angles to the unit vector `along`.
fn chord(hull: &[[f64; 2]], along: [f64; 2]) -> [[f64; 2]; 2] {
    // In these coordinates the chord is vertical.
    let [c, s] = along;
    let turned: Vec<[f64; 2]> = hull.iter().map(|[x, y]| [c * x + s * y, c * y - s * x]).collect();
    let back = |[x, y]: [f64; 2]| [c * x - s * y, s * x + c * y];
    let mut best = (-1.0, [[0.0; 2]; 2]);
    // The length of the chord changes evenly between two corners, so the longest one goes through a corner.
    for &[x, _] in &turned {
        let mut range = [f64::INFINITY, f64::NEG_INFINITY];
        for (number, &[ax, ay]) in turned.iter().enumerate() {
            let [bx, by] = turned[(number + 1) % turned.len()];
            if x < ax.min(bx) || x > ax.max(bx) {
                continue;
            }
            let ys = if ax == bx { [ay, by] } else { [ay + (by - ay) * (x - ax) / (bx - ax); 2] };
            range = [range[0].min(ys[0]).min(ys[1]), range[1].max(ys[0]).max(ys[1])];
        }
        if range[1] - range[0] > best.0 {
            best = (range[1] - range[0], [[x, range[0]], [x, range[1]]]);
        }
    }
    best.1.map(back)
}

/// Returns the middles of the pixel edges that can be corners of the hull: of every row the left edge of the first pixel
/// and the right edge of the last, and of every run the upper and lower edges of its ends.
fn points(runs: &[Run], [width, height]: [f64; 2]) -> Vec<[f64; 2]> {
    let of_run = |run: &Run| {
        let (first, last, row) = (run.start as f64, run.end as f64 - 1.0, run.row as f64);
        [
            [first - 0.5, row],
            [last + 0.5, row],
            [first, row - 0.5],
            [last, row - 0.5],
            [first, row + 0.5],
            [last, row + 0.5],
        ]
    };
    let rows = runs.chunk_by(|a, b| a.row == b.row);
    let ends = rows.filter_map(|row| Some(Run { end: row.last()?.end, ..*row.first()? }));
    ends.flat_map(|run| of_run(&run)).map(|[x, y]| [x * width, y * height]).collect()
}

/// Returns the corners of the convex hull in order (Andrew's monotone chain). The points do not lie on one line.
fn hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    let side =
        |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let half = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut line: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while line.len() > 1 && side(line[line.len() - 2], line[line.len() - 1], point) <= 0.0 {
                line.pop();
            }
            line.push(point);
        }
        line.pop();
        line
    };
    let mut lower = half(&mut points.iter().copied());
    lower.extend(half(&mut points.iter().rev().copied()));
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[(usize, usize, usize)], size: [f64; 2]) -> [f64; 2] {
        let runs: Vec<Run> = runs.iter().map(|&(row, start, end)| Run { slice: 0, row, start, end }).collect();
        diameters(&runs, size).map(|diameter| diameter.length)
    }

    fn close(found: [f64; 2], expected: [f64; 2]) {
        assert!((0..2).all(|axis| (found[axis] - expected[axis]).abs() < 1e-9), "{found:?}, not {expected:?}");
    }

    #[test]
    fn rows_columns_and_single_pixels_have_their_lengths() {
        close(of(&[(4, 2, 3)], [1.0, 1.0]), [1.0, 1.0]);
        close(of(&[(4, 2, 9)], [0.5, 0.5]), [3.5, 0.5]);
        close(of(&[(1, 5, 6), (2, 5, 6), (3, 5, 6)], [1.0, 2.0]), [6.0, 1.0]);
        // A rectangle of 3 columns and 4 rows: from the upper edge of a corner to the lower edge of the opposite one.
        let [longest, _] = of(&[(0, 0, 3), (1, 0, 3), (2, 0, 3), (3, 0, 3)], [1.0, 1.0]);
        assert!((longest - 2.0_f64.hypot(4.0)).abs() < 1e-9, "{longest}");
    }

    #[test]
    fn a_disc_has_its_diameter_both_ways_whatever_the_pixels() {
        let radius = 40.0;
        for size in [[1.0, 1.0], [0.5, 2.0]] {
            let reach = |at: usize, size: f64| (at as f64 + 0.5) * size - 50.0;
            let mut runs = Vec::new();
            for row in 0..(100.0 / size[1]) as usize {
                let columns: Vec<usize> = (0..(100.0 / size[0]) as usize)
                    .filter(|column| reach(*column, size[0]).hypot(reach(row, size[1])) <= radius)
                    .collect();
                if let (Some(first), Some(last)) = (columns.first(), columns.last()) {
                    runs.push((row, *first, *last + 1));
                }
            }
            let found = of(&runs, size);
            assert!(found.iter().all(|length| (length - 2.0 * radius).abs() < size[1]), "{size:?}: {found:?}");
        }
    }

    #[test]
    fn the_perpendicular_is_a_chord_and_not_a_width() {
        // A slanted band: wide across its diagonal only near the middle.
        let runs: Vec<Run> = (0..20).map(|row| Run { slice: 0, row, start: 3 * row, end: 3 * row + 30 }).collect();
        let [longest, short] = diameters(&runs, [1.0, 1.0]);
        let along = [longest.ends[1][0] - longest.ends[0][0], longest.ends[1][1] - longest.ends[0][1]];
        let across = [short.ends[1][0] - short.ends[0][0], short.ends[1][1] - short.ends[0][1]];
        assert!((along[0] * across[0] + along[1] * across[1]).abs() < 1e-6 * longest.length * short.length);
        let direction = along.map(|part| part / longest.length);
        let beside = |run: &Run, column: f64| direction[0] * run.row as f64 - direction[1] * column;
        let ends = runs.iter().flat_map(|run| [beside(run, run.start as f64), beside(run, run.end as f64 - 1.0)]);
        let [low, high] = ends.fold([f64::MAX, f64::MIN], |[low, high], at| [low.min(at), high.max(at)]);
        assert!(short.length < high - low, "{} and {}", short.length, high - low);
        assert!(short.length > 0.5 * (high - low));
    }
}
