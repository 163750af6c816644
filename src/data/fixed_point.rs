//! Bilinear resampling with the 8-bit fixed-point arithmetic of OpenCV (`cv::resize` with `INTER_LINEAR`): weights have 11
//! bits, and the sums of the two directions are shortened in two steps. Published weights of networks whose loaders
//! use it depend on it to the last bit.

use super::resample::zoomed_exact;

/// The number of bits of a weight.
const BITS: i32 = 11;

/// The two source positions of an output position and their weights, which add up to 2048.
#[derive(Clone, Copy)]
struct Taps {
    index: [usize; 2],
    weight: [i32; 2],
}

/// Resizes an image of `channels` interleaved 8-bit channels to `size × size` pixels, magnified about its centre by the
/// factor `zoom`. Returns `channels * size * size` values, channels first.
pub(super) fn bilinear(
    values: &[u8],
    (width, height, channels): (usize, usize, usize),
    size: usize,
    zoom: f64,
) -> Vec<u8> {
    let mut out = vec![0; channels * size * size];
    if values.is_empty() || out.is_empty() {
        return out;
    }
    let columns: Vec<Taps> = (0..size).map(|at| taps(at, width, size, zoom, true)).collect();
    let rows: Vec<Taps> = (0..size).map(|at| taps(at, height, size, zoom, false)).collect();
    for (channel, plane) in out.chunks_exact_mut(size * size).enumerate() {
        for (row, line) in rows.iter().zip(plane.chunks_exact_mut(size)) {
            for (column, value) in columns.iter().zip(line) {
                let across = |y: usize| -> i32 {
                    let at = |x: usize| i32::from(values[(y * width + x) * channels + channel]);
                    at(column.index[0]) * column.weight[0] + at(column.index[1]) * column.weight[1]
                };
                let part = |side: usize| (row.weight[side] * (across(row.index[side]) >> 4)) >> 16;
                *value = ((part(0) + part(1) + 2) >> 2).clamp(0, 255) as u8;
            }
        }
    }
    out
}

/// The taps of position `at` of `output` along an axis of `input` pixels. Along rows, OpenCV gives a position outside of
/// the pixels' centres the whole weight of the edge; along columns, it repeats the edge, which rounds differently.
fn taps(at: usize, input: usize, output: usize, zoom: f64, is_along_row: bool) -> Taps {
    let scale = input as f64 / output as f64;
    let source = (zoomed_exact((at as f64 + 0.5) * scale, input, zoom) - 0.5) as f32;
    let base = source.floor();
    let (mut t, last) = (source - base, input as isize - 1);
    let base = base as isize;
    if is_along_row && (base < 0 || base >= last) {
        t = 0.0;
    }
    let one = 1 << BITS;
    let weight = |share: f32| (share * one as f32).round_ties_even() as i32;
    let index = [base, base + 1].map(|place| place.clamp(0, last) as usize);
    Taps { index, weight: [weight(1.0 - t), weight(t)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_leaves_every_value_and_half_the_size_is_the_rounded_mean() {
        let values: Vec<u8> = (0..48).map(|at: u8| at.wrapping_mul(37)).collect();
        let found = bilinear(&values, (4, 4, 3), 4, 1.0);
        for (at, value) in found.iter().enumerate() {
            assert_eq!(*value, values[at % 16 * 3 + at / 16]);
        }
        let grey: Vec<u8> = (0..16).map(|at: u8| at.wrapping_mul(91)).collect();
        let found = bilinear(&grey, (4, 4, 1), 2, 1.0);
        for (at, value) in found.iter().enumerate() {
            let (x, y) = (at % 2 * 2, at / 2 * 2);
            let sum: u32 = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)]
                .map(|(x, y)| u32::from(grey[y * 4 + x]))
                .into_iter()
                .sum();
            assert_eq!(u32::from(*value), (sum + 2) / 4);
        }
    }

    #[test]
    fn a_zoom_is_about_the_centre() {
        let values: Vec<u8> = (0..10).map(|x| if x < 5 { 0 } else { 200 }).collect();
        let rows: Vec<u8> = values.repeat(10);
        let found = bilinear(&rows, (10, 10, 1), 10, 2.0);
        assert_eq!(found[..10], found[90..]);
        assert!(found[..4].iter().all(|v| *v == 0) && found[6..10].iter().all(|v| *v == 200));
    }
}
