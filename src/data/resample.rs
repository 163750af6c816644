//! Bicubic, bilinear and nearest-neighbour resampling with the arithmetic of `torch.nn.functional.interpolate`
//! (`align_corners=False`, no antialiasing). Source coordinates are computed in `f32` as in PyTorch: at a
//! boundary between two pixels, another precision would select another pixel.

use rayon::prelude::*;

use super::{Image, Pixels};

/// Coefficient of the cubic convolution (Keys' a).
const A: f64 = -0.75;

/// The source positions of one output position and their weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps<const N: usize> {
    pub(super) index: [usize; N],
    pub(super) weight: [f64; N],
}

/// Resizes the image to `size × size` pixels, magnified about its centre by the factor `zoom`. Returns
/// `channels * size * size` values, channels first, row-major, in natural orientation.
pub(super) fn bicubic(image: &Image, size: usize, zoom: f64) -> Vec<f32> {
    match &image.pixels {
        Pixels::U8(values) => bicubic_of(values, image, size, zoom),
        Pixels::U16(values) => bicubic_of(values, image, size, zoom),
        Pixels::F32(values) => bicubic_of(values, image, size, zoom),
    }
}

fn bicubic_of<T: Copy + Into<f64>>(values: &[T], image: &Image, size: usize, zoom: f64) -> Vec<f32> {
    let (columns, rows) = (cubic_taps(image.width, size, zoom), cubic_taps(image.height, size, zoom));
    let channels = image.channels;
    let stride = image.width * channels;
    let mut out = vec![0.0; channels * size * size];
    for (c, plane) in out.chunks_exact_mut((size * size).max(1)).enumerate() {
        for (y, line) in rows.iter().zip(plane.chunks_exact_mut(size)) {
            let source = y.index.map(|row| &values[row * stride..(row + 1) * stride]);
            for (x, value) in columns.iter().zip(line) {
                let at = x.index.map(|column| column * channels + c);
                let mut sum = 0.0;
                for (row, weight) in source.iter().zip(y.weight) {
                    let across: f64 = at.iter().zip(x.weight).map(|(&at, w)| w * row[at].into()).sum();
                    sum += weight * across;
                }
                *value = sum as f32;
            }
        }
    }
    out
}

/// Returns the cubic taps of each of `output` positions along an axis of `input` pixels.
fn cubic_taps(input: usize, output: usize, zoom: f64) -> Vec<Taps<4>> {
    let near = |t: f64| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let far = |t: f64| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
    let scale = input as f32 / output as f32;
    (0..output)
        .map(|i| {
            let source = zoomed(scale * (i as f32 + 0.5), input, zoom) - 0.5;
            let base = source.floor();
            let t = f64::from((source - base).clamp(0.0, 1.0));
            let index = [-1, 0, 1, 2].map(|step| (base as isize + step).clamp(0, input as isize - 1) as usize);
            Taps { index, weight: [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)] }
        })
        .collect()
}

/// Resizes a plane of `size * size` values to `width * height` values, row-major.
pub(super) fn bilinear(values: &[f32], size: usize, width: usize, height: usize) -> Vec<f32> {
    let (columns, rows) = (linear_taps(size, width), linear_taps(size, height));
    let mut out = vec![0.0; width * height];
    if out.is_empty() || size == 0 {
        return out;
    }
    out.par_chunks_mut(width).zip(rows).for_each(|(line, y)| {
        let [above, below] = y.index.map(|row| &values[row * size..(row + 1) * size]);
        let [w0, w1] = y.weight.map(|weight| weight as f32);
        let blended: Vec<f32> = above.iter().zip(below).map(|(a, b)| w0 * a + w1 * b).collect();
        for (value, x) in line.iter_mut().zip(&columns) {
            *value = x.weight[0] as f32 * blended[x.index[0]] + x.weight[1] as f32 * blended[x.index[1]];
        }
    });
    out
}

/// Returns the linear taps of each of `output` positions along an axis of `input` pixels.
pub(super) fn linear_taps(input: usize, output: usize) -> Vec<Taps<2>> {
    let scale = input as f32 / output as f32;
    let last = input.saturating_sub(1);
    (0..output)
        .map(|i| {
            let source = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
            let base = (source as usize).min(last);
            let t = f64::from((source - base as f32).clamp(0.0, 1.0));
            Taps { index: [base, (base + 1).min(last)], weight: [1.0 - t, t] }
        })
        .collect()
}

/// Returns the nearest source pixel of each of `output` positions along an axis of `input` pixels:
/// `floor(i * input / output)` for a `zoom` of 1.
pub(super) fn nearest(input: usize, output: usize, zoom: f64) -> Vec<usize> {
    let scale = input as f32 / output as f32;
    (0..output).map(|i| (zoomed(i as f32 * scale, input, zoom) as usize).min(input.saturating_sub(1))).collect()
}

/// Returns the source coordinate that a zoom about the centre of an axis of `input` pixels maps to `position`. A
/// zoom of 1 returns `position` bit for bit.
fn zoomed(position: f32, input: usize, zoom: f64) -> f32 {
    zoomed_exact(f64::from(position), input, zoom) as f32
}

/// Does the same in double precision.
pub(super) fn zoomed_exact(position: f64, input: usize, zoom: f64) -> f64 {
    if zoom == 1.0 {
        return position;
    }
    let centre = input as f64 / 2.0;
    (position - centre) / zoom + centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zoom_is_about_the_centre() {
        assert_eq!(nearest(10, 10, 2.0), [2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
        assert_eq!(nearest(5, 5, 2.0), [1, 1, 2, 2, 3]);
        assert_eq!(nearest(4, 8, 1.0), [0, 0, 1, 1, 2, 2, 3, 3]);
    }
}
