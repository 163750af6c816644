//! Reduced pictures of an image, each with half the columns and rows of the one before.

use std::array;
use std::sync::Arc;

use half::f16;

use super::Texels;

/// Returns the reduced pictures of `texels`, which have `size` columns and rows, down to a single texel. Their sizes are those
/// of the levels of a texture: half the columns and rows of the one before, rounded down, but at least one.
///
/// A texel is the mean of the area that it covers, which is no whole number of texels if a side is odd. It is the mean of the
/// stored values, to which no display window was applied. Missing values (NaN) do not count.
pub fn pyramid(texels: &Texels, size: [usize; 2]) -> Vec<Texels> {
    match texels {
        Texels::Rgba(bytes) => levels::<4, u8>(bytes, size, |means| {
            Texels::Rgba(Arc::new(means.iter().map(|mean| (mean + 0.5) as u8).collect()))
        }),
        Texels::StoredPixels { halves, scale } => {
            let values: Vec<f32> = halves.iter().map(|bits| f16::from_bits(*bits).to_f32()).collect();
            levels::<1, f32>(&values, size, |means| {
                let halves = means.iter().map(|mean| f16::from_f32(*mean).to_bits()).collect();
                Texels::StoredPixels { halves: Arc::new(halves), scale: *scale }
            })
        }
    }
}

/// Makes all levels of a picture of `N` channels. Each is computed from the means of the one before, before `store` rounds
/// them.
fn levels<const N: usize, T: Copy + Into<f32>>(
    source: &[T],
    mut size: [usize; 2],
    store: impl Fn(&[f32]) -> Texels,
) -> Vec<Texels> {
    let (mut levels, mut means) = (Vec::new(), Vec::new());
    while size.iter().all(|side| *side > 0) && size != [1, 1] {
        means = match levels.is_empty() {
            true => halved::<N, T>(source, size),
            false => halved::<N, f32>(&means, size),
        };
        levels.push(store(&means));
        size = size.map(half);
    }
    levels
}

/// The number of texels along a side of the next level.
fn half(side: usize) -> usize {
    (side / 2).max(1)
}

/// What a texel of the next level covers along one axis: three texels from `first` on, with their shares of the whole.
#[derive(Clone, Copy)]
struct Covered {
    first: usize,
    shares: [f32; 3],
}

impl Covered {
    /// The part of a side of `side` texels that texel `place` of the next level covers.
    fn new(side: usize, place: usize) -> Self {
        let shares = match (side, side % 2) {
            (1, _) => [1.0, 0.0, 0.0],
            (_, 0) => [0.5, 0.5, 0.0],
            // Of 2n + 1 texels each of the n covers 2 + 1/n.
            _ => {
                let (count, length) = (half(side) as f32, side as f32 / half(side) as f32);
                let (before, behind) = (place as f32 / count, (place + 1) as f32 / count);
                [1.0 - before, 1.0, behind].map(|share| share / length)
            }
        };
        Self { first: 2 * place, shares }
    }

    /// The three texels, of which those behind the last one have no share.
    fn places(self, side: usize) -> [usize; 3] {
        [0, 1, 2].map(|n| (self.first + n).min(side - 1))
    }
}

/// Returns the means of the next level, row-major with their channels side by side.
fn halved<const N: usize, T: Copy + Into<f32>>(source: &[T], [columns, rows]: [usize; 2]) -> Vec<f32> {
    let across: Vec<Covered> = (0..half(columns)).map(|place| Covered::new(columns, place)).collect();
    let mut sums = vec![0.0_f32; columns * N];
    let mut means = Vec::with_capacity(across.len() * half(rows) * N);
    for place in 0..half(rows) {
        let down = Covered::new(rows, place);
        let lines = down.places(rows).map(|row| &source[row * columns * N..(row + 1) * columns * N]);
        let [above, middle, below] = down.shares;
        for (((sum, a), b), c) in sums.iter_mut().zip(lines[0]).zip(lines[1]).zip(lines[2]) {
            *sum = above * (*a).into() + middle * (*b).into() + below * (*c).into();
        }
        let (sums, _) = sums.as_chunks::<N>();
        for covered in &across {
            let places = covered.places(columns);
            let [left, middle, right] = places.map(|column| &sums[column]);
            let [l, m, r] = covered.shares;
            let mean: [f32; N] =
                array::from_fn(|channel| l * left[channel] + m * middle[channel] + r * right[channel]);
            means.extend_from_slice(&match mean.iter().any(|value| value.is_nan()) {
                true => array::from_fn(|channel| {
                    mean_of_known(lines.map(|line| places.map(|at| line[at * N + channel].into())), down, *covered)
                }),
                false => mean,
            });
        }
    }
    means
}

/// Returns the mean of those of three rows of three values that are known; NaN if none is.
fn mean_of_known(values: [[f32; 3]; 3], down: Covered, across: Covered) -> f32 {
    let (mut sum, mut whole) = (0.0, 0.0);
    for (line, share) in values.iter().zip(down.shares) {
        for (value, part) in line.iter().zip(across.shares).filter(|(value, _)| !value.is_nan()) {
            sum += share * part * value;
            whole += share * part;
        }
    }
    // A texel without a share does not become known by its neighbours.
    if whole > 0.0 { sum / whole } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a part of a picture, from one position to another along both axes; texels are cut at its edges.
    fn mean(values: &[f32], columns: usize, [left, right]: [f64; 2], [top, bottom]: [f64; 2]) -> f64 {
        let common = |at: usize, from: f64, to: f64| (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
        let (mut sum, mut whole) = (0.0, 0.0);
        for (at, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let area = common(at % columns, left, right) * common(at / columns, top, bottom);
            sum += area * f64::from(*value);
            whole += area;
        }
        sum / whole
    }

    fn noise(count: usize) -> impl Iterator<Item = u32> {
        (0..count as u32).map(|at| at.wrapping_mul(2_654_435_761).rotate_left(11) >> 8)
    }

    #[test]
    fn a_texel_is_the_mean_of_the_area_that_it_covers() {
        for [columns, rows] in [[8, 8], [7, 5], [6, 9], [1, 7], [12, 1], [2, 3], [31, 2]] {
            let bytes: Vec<u8> = noise(4 * columns * rows).map(|value| value as u8).collect();
            let red: Vec<f32> = bytes.chunks_exact(4).map(|texel| f32::from(texel[0])).collect();
            let levels = pyramid(&Texels::Rgba(Arc::new(bytes)), [columns, rows]);
            let [width, height] = [(columns / 2).max(1), (rows / 2).max(1)];
            let first = levels[0].rgba().expect("colours");
            assert_eq!(first.len(), 4 * width * height, "{columns}×{rows}");
            let side = |place: usize, count: usize, texels: usize| {
                [place, place + 1].map(|at| at as f64 * texels as f64 / count as f64)
            };
            for (at, texel) in first.chunks_exact(4).enumerate() {
                let area = [side(at % width, width, columns), side(at / width, height, rows)];
                let expected = mean(&red, columns, area[0], area[1]);
                assert!((f64::from(texel[0]) - expected).abs() <= 0.501, "{columns}×{rows}, {at}: {expected}");
            }
        }
    }

    #[test]
    fn levels_end_at_one_texel_which_is_the_mean_of_all() {
        for [columns, rows] in [[1, 1], [64, 64], [37, 3], [1, 50], [129, 65]] {
            let values: Vec<f32> = noise(columns * rows).map(|value| (value % 2048) as f32).collect();
            let levels = pyramid(&Texels::of_values(values.iter().copied()), [columns, rows]);
            assert_eq!(levels.len(), columns.max(rows).ilog2() as usize, "{columns}×{rows}");
            let Some(last) = levels.last().and_then(Texels::values) else { continue };
            let all = values.iter().sum::<f32>() / values.len() as f32;
            assert_eq!(last.len(), 1);
            assert!((last[0] - all).abs() <= 0.002 * all, "{columns}×{rows}: {} for {all}", last[0]);
        }
    }

    #[test]
    fn a_checkerboard_becomes_grey_and_channels_stay_apart() {
        let texel = |at: usize| if (at + at / 8).is_multiple_of(2) { [255, 0, 90, 255] } else { [0, 0, 90, 255] };
        let bytes = (0..64).flat_map(texel).collect();
        let levels = pyramid(&Texels::Rgba(Arc::new(bytes)), [8, 8]);
        for level in levels {
            assert!(level.rgba().expect("colours").chunks_exact(4).all(|texel| texel == [128, 0, 90, 255]));
        }
    }

    #[test]
    fn missing_values_do_not_spread() {
        for [columns, rows] in [[6, 6], [7, 7]] {
            let mut values = vec![40.0; columns * rows];
            values[columns + 1] = f32::NAN;
            for row in 4..rows {
                values[row * columns + 4..(row + 1) * columns].fill(f32::NAN);
            }
            let levels = pyramid(&Texels::of_values(values.into_iter()), [columns, rows]);
            let first = levels[0].values().expect("numbers");
            let missing: Vec<usize> = (0..9).filter(|at| first[*at].is_nan()).collect();
            assert_eq!(missing, [8], "{columns}: nothing is known in the last texel alone");
            assert!(first[..8].iter().all(|value| (value - 40.0).abs() < 1e-3), "{first:?}");
        }
    }
}
