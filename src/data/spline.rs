//! Cubic-spline resampling with antialiasing, as `skimage.transform.resize(order=3, anti_aliasing=True)` computes it: a
//! Gaussian filter where the image is reduced, then interpolation by cubic B-splines at half-pixel centres. Beyond the
//! edges the image is mirrored about the centres of its edge pixels.

use super::resample::zoomed_exact;

/// The number of standard deviations after which the Gaussian filter ends.
const TRUNCATE: f64 = 4.0;

/// Resizes one plane of `width × height` values to `size × size`, magnified about its centre by the factor `zoom`. The
/// result does not leave the range of the plane.
pub(super) fn resize(plane: &[f64], (width, height): (usize, usize), size: usize, zoom: f64) -> Vec<f64> {
    if plane.is_empty() || size == 0 {
        return vec![0.0; size * size];
    }
    let (low, high) = plane.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let across = along_rows(plane, width, size, zoom);
    let turned = turned(&across, size, height);
    let both = along_rows(&turned, height, size, zoom);
    self::turned(&both, size, size).into_iter().map(|value| value.clamp(low, high)).collect()
}

/// Filters and resamples every row of `width` values to `size`.
fn along_rows(values: &[f64], width: usize, size: usize, zoom: f64) -> Vec<f64> {
    let kernel = gaussian(((width as f64 / size as f64 - 1.0) / 2.0).max(0.0));
    let taps: Vec<([usize; 4], [f64; 4])> = (0..size).map(|at| taps(at, width, size, zoom)).collect();
    let mut out = Vec::with_capacity(values.len() / width * size);
    for row in values.chunks_exact(width) {
        let mut row = filtered(row, &kernel);
        coefficients(&mut row);
        out.extend(
            taps.iter().map(|(index, weight)| {
                index.iter().zip(weight).map(|(at, weight)| row[*at] * weight).sum::<f64>()
            }),
        );
    }
    out
}

/// Exchanges rows and columns: rows of `width` values become columns.
fn turned(values: &[f64], width: usize, height: usize) -> Vec<f64> {
    (0..width).flat_map(|x| (0..height).map(move |y| values[y * width + x])).collect()
}

/// One half of the weights of a Gaussian filter, from its middle; only the middle without a deviation.
fn gaussian(sigma: f64) -> Vec<f64> {
    let reach = (TRUNCATE * sigma + 0.5) as usize;
    if sigma <= 0.0 || reach == 0 {
        return vec![1.0];
    }
    let half: Vec<f64> = (0..=reach).map(|at| (-0.5 * (at as f64 / sigma).powi(2)).exp()).collect();
    let sum = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    half.into_iter().map(|weight| weight / sum).collect()
}

fn filtered(row: &[f64], half: &[f64]) -> Vec<f64> {
    if half.len() == 1 {
        return row.to_vec();
    }
    let value = |at: isize| row[mirrored(at, row.len())];
    (0..row.len() as isize)
        .map(|at| {
            let sides = half.iter().enumerate().skip(1);
            let sum: f64 =
                sides.map(|(step, weight)| weight * (value(at - step as isize) + value(at + step as isize))).sum();
            half[0] * value(at) + sum
        })
        .collect()
}

/// The position within `count` that a position mirrored about the edges' centres shows.
fn mirrored(at: isize, count: usize) -> usize {
    let period = (2 * count as isize - 2).max(1);
    let within = at.rem_euclid(period);
    within.min(period - within).min(count as isize - 1) as usize
}

/// Turns samples into the coefficients of the cubic B-spline through them (Unser et al., IEEE Trans. Signal Processing
/// 41, 1993), mirrored about the edges' centres.
fn coefficients(row: &mut [f64]) {
    let count = row.len();
    if count < 2 {
        return;
    }
    let pole = 3f64.sqrt() - 2.0;
    let gain = (1.0 - pole) * (1.0 - 1.0 / pole);
    row.iter_mut().for_each(|value| *value *= gain);
    // The sum over the mirrored, periodic signal is closed.
    let last = pole.powi(count as i32 - 1);
    let mut sum = row[0] + last * row[count - 1];
    let mut power = pole;
    let mut other = last * last / pole;
    for value in &row[1..count - 1] {
        sum += (power + other) * value;
        power *= pole;
        other /= pole;
    }
    row[0] = sum / (1.0 - last * last);
    for at in 1..count {
        row[at] += pole * row[at - 1];
    }
    row[count - 1] = pole / (pole * pole - 1.0) * (row[count - 1] + pole * row[count - 2]);
    for at in (0..count - 1).rev() {
        row[at] = pole * (row[at + 1] - row[at]);
    }
}

/// The positions and weights of the cubic B-spline at position `at` of `output`.
fn taps(at: usize, input: usize, output: usize, zoom: f64) -> ([usize; 4], [f64; 4]) {
    let scale = input as f64 / output as f64;
    let source = zoomed_exact((at as f64 + 0.5) * scale, input, zoom) - 0.5;
    // A position before the first centre shows the mirrored one.
    let source = source.abs();
    let base = source.floor();
    let t = source - base;
    let index = [-1, 0, 1, 2].map(|step| mirrored(base as isize + step, input));
    let back = 1.0 - t;
    let weight = [
        back.powi(3) / 6.0,
        (3.0 * t.powi(3) - 6.0 * t.powi(2) + 4.0) / 6.0,
        (3.0 * back.powi(3) - 6.0 * back.powi(2) + 4.0) / 6.0,
        t.powi(3) / 6.0,
    ];
    (index, weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Width and height, side of the result, plane, and the first values of the result.
    type Case = ((usize, usize), usize, Vec<u8>, Vec<f64>);

    #[test]
    fn the_same_size_leaves_every_value() {
        let values: Vec<f64> = (0..49).map(|at| f64::from(at * 37 % 256)).collect();
        for (found, value) in resize(&values, (7, 7), 7, 1.0).iter().zip(&values) {
            assert!((found - value).abs() < 1e-9, "{found} instead of {value}");
        }
    }

    #[test]
    fn a_constant_plane_stays_constant_and_small_planes_are_resized() {
        for (width, height) in [(1, 1), (1, 5), (2, 3), (40, 9)] {
            let found = resize(&vec![12.5; width * height], (width, height), 8, 1.0);
            assert!(found.iter().all(|value| (value - 12.5).abs() < 1e-9), "{width} × {height}: {found:?}");
        }
    }

    /// Values of scikit-image 0.26 for random planes, one reduced and one enlarged: (width, height), side, plane, and the
    /// first values of the result.
    #[test]
    fn planes_as_scikit_image_resizes_them() {
        let cases: [Case; 2] = [
            (
                (9, 7),
                5,
                vec![
                    207, 21, 45, 60, 46, 205, 222, 149, 10, 24, 85, 110, 159, 122, 67, 40, 177, 188, 8, 29, 115,
                    100, 227, 132, 107, 110, 170, 150, 44, 188, 193, 244, 201, 72, 81, 166, 166, 178, 222, 74,
                    240, 0, 19, 249, 241, 76, 35, 80, 11, 228, 169, 149, 62, 120, 48, 197, 121, 7, 65, 180, 133,
                    95, 64,
                ],
                vec![
                    139.729, 60.565, 56.661, 208.299, 63.165, 4.0, 113.262, 184.668, 58.301, 186.45, 110.179,
                    196.294, 240.203, 96.541, 140.456, 123.421, 132.457, 235.342, 48.548, 205.962, 92.255, 86.895,
                    78.969, 150.174, 71.702,
                ],
            ),
            (
                (4, 9),
                12,
                vec![
                    23, 155, 169, 133, 238, 237, 53, 155, 161, 63, 76, 124, 189, 74, 184, 167, 55, 99, 212, 215,
                    168, 1, 174, 57, 209, 233, 109, 244, 194, 83, 224, 98, 26, 151, 217, 168,
                ],
                vec![
                    55.575, 30.649, 55.575, 109.025, 159.005, 180.822, 178.99, 165.32, 150.24, 138.63, 133.984,
                    138.63, 171.262, 152.944, 171.262, 203.639, 216.21, 186.491, 137.511, 103.681, 108.717,
                    133.558, 148.451, 133.558, 234.195, 235.148, 234.195, 222.915, 188.673, 126.817, 64.605,
                    37.274, 66.329, 118.345, 146.164, 118.345,
                ],
            ),
        ];
        for (shape, side, plane, expected) in cases {
            let plane: Vec<f64> = plane.into_iter().map(f64::from).collect();
            for (at, (found, value)) in resize(&plane, shape, side, 1.0).iter().zip(&expected).enumerate() {
                assert!((found - value).abs() < 1e-3, "{shape:?} to {side}, at {at}: {found} instead of {value}");
            }
        }
    }
}
