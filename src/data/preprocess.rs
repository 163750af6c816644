//! Converts an image to the network's input, and the network's output back to the image's size. The published
//! weights need exactly this preprocessing; tests compare it with tensors of the authors' loader.
//!
//! The authors' loader delivers (width, height), so their network receives everything *transposed*: the first
//! axis of its grid runs along the image's width. Models trained with this program may use the natural order
//! instead.

use std::borrow::Cow;

use super::resample;
use super::{Image, Mask};

/// Returns the network's input: `3 * size * size` values, channels first.
///
/// The stored values are resized (bicubic, a = −0.75, half-pixel centres, edges clamped, no antialiasing). Each
/// channel is then normalised to mean 0 and population standard deviation 1; a constant channel becomes 0. A
/// single channel is repeated to three. If `transposed`, the first axis of each channel runs along the image's
/// width.
pub fn input_tensor(image: &Image, size: usize, transposed: bool) -> Vec<f32> {
    zoomed_input(image, size, transposed, 1.0)
}

/// Does the same as [`input_tensor`], with the image magnified about its centre by the factor `zoom`. Edge
/// pixels are repeated beyond the edges.
pub fn zoomed_input(image: &Image, size: usize, transposed: bool, zoom: f64) -> Vec<f32> {
    let mut planes = resample::bicubic(image, size, zoom);
    if size == 0 {
        return planes;
    }
    for plane in planes.chunks_exact_mut(size * size) {
        normalise(plane);
        if transposed {
            transpose(plane, size);
        }
    }
    if image.channels == 1 { planes.repeat(3) } else { planes }
}

/// Returns the image at the size of the network's input, `size × size` pixels in natural orientation, with all digits:
/// a network receives the same from it as from the image itself.
pub fn network_sized(image: &Image, size: usize) -> Image {
    let planes = resample::bicubic(image, size, 1.0);
    let (count, channels) = (size * size, image.channels);
    let pixels =
        (0..count).flat_map(|at| (0..channels).map(move |c| (at, c))).map(|(at, c)| planes[c * count + at]);
    Image { width: size, height: size, channels, pixels: crate::data::Pixels::F32(pixels.collect()) }
}

/// Returns the network's input before its channels are normalised, as an 8-bit image of `size × size` pixels in
/// natural orientation. Samples of more than 8 bits are stretched from the smallest to the largest value.
pub fn resampled(image: &Image, size: usize) -> Image {
    let planes = resample::bicubic(image, size, 1.0);
    let count = size * size;
    let [low, high] = match image.pixels {
        crate::data::Pixels::U8(_) => [0.0, 255.0],
        _ => planes.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &v| [low.min(v), high.max(v)]),
    };
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    let byte = |value: f32| ((value - low) * scale).round().clamp(0.0, 255.0) as u8;
    let channels = image.channels;
    let pixels =
        (0..count).flat_map(|at| (0..channels).map(move |c| (at, c))).map(|(at, c)| byte(planes[c * count + at]));
    let pixels = crate::data::Pixels::U8(pixels.collect());
    Image { width: size, height: size, channels, pixels }
}

/// Reduces the image so that no side is longer than `side` pixels. Each pixel is the mean of up to 3 × 3 samples
/// of its block. An image that is small enough is returned unchanged.
pub fn reduced(image: &Image, side: usize) -> Image {
    let longest = image.width.max(image.height);
    if longest <= side || side == 0 {
        return image.clone();
    }
    let scale = longest as f64 / side as f64;
    let (width, height) = (
        ((image.width as f64 / scale).round() as usize).max(1),
        ((image.height as f64 / scale).round() as usize).max(1),
    );
    // A few samples of each block are enough for a thumbnail, and make the time independent of the image's size.
    let taps = (scale.ceil() as usize).clamp(1, 3);
    let at = |place: usize, tap: usize, last: usize| {
        (((place as f64 + (tap as f64 + 0.5) / taps as f64) * scale) as usize).min(last - 1)
    };
    let mut values = Vec::with_capacity(width * height * image.channels);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..image.channels {
                let mut sum = 0.0;
                for row in 0..taps {
                    for column in 0..taps {
                        sum += image.value(at(x, column, image.width), at(y, row, image.height), channel);
                    }
                }
                values.push(sum / (taps * taps) as f32);
            }
        }
    }
    Image { width, height, channels: image.channels, pixels: crate::data::Pixels::F32(values) }
}

/// Returns the network's target: `size * size` values 0 or 1. Each is the mask's value at the nearest neighbour
/// `floor(i · in / out)` along both axes. If `transposed`, the first axis runs along the mask's width.
pub fn target(mask: &Mask, size: usize, transposed: bool) -> Vec<f32> {
    zoomed_target(mask, size, transposed, 1.0)
}

/// Does the same as [`target`], with the mask magnified about its centre by the factor `zoom`. Edge pixels are
/// repeated beyond the edges.
pub fn zoomed_target(mask: &Mask, size: usize, transposed: bool, zoom: f64) -> Vec<f32> {
    let columns = resample::nearest(mask.width, size, zoom);
    let mut plane: Vec<f32> = resample::nearest(mask.height, size, zoom)
        .into_iter()
        .flat_map(|y| columns.iter().map(move |x| f32::from(mask.values[y * mask.width + x])))
        .collect();
    if transposed {
        transpose(&mut plane, size);
    }
    plane
}

/// Resizes a plane of the network's grid (`size * size` values) to the image's size: `width * height` values,
/// row-major, in natural orientation. The interpolation is bilinear, with half-pixel centres and clamped edges.
///
/// # Panics
/// If `values` does not hold `size * size` values.
pub fn plane_to_image(values: &[f32], size: usize, transposed: bool, width: usize, height: usize) -> Vec<f32> {
    assert_eq!(values.len(), size * size, "a plane of side {size}");
    let natural = if transposed { Cow::Owned(untranspose(values, size)) } else { Cow::Borrowed(values) };
    resample::bilinear(&natural, size, width, height)
}

/// Returns a plane of the transposed grid (`size * size` values) in natural orientation.
///
/// # Panics
/// If `values` does not hold `size * size` values.
pub fn untranspose(values: &[f32], size: usize) -> Vec<f32> {
    assert_eq!(values.len(), size * size, "a plane of side {size}");
    let mut plane = values.to_vec();
    transpose(&mut plane, size);
    plane
}

/// Transposes a square plane in place.
fn transpose(plane: &mut [f32], size: usize) {
    for y in 0..size {
        for x in y + 1..size {
            plane.swap(y * size + x, x * size + y);
        }
    }
}

/// Normalises to mean 0 and population standard deviation 1; a constant plane becomes 0.
fn normalise(plane: &mut [f32]) {
    // The values are compared instead of testing the deviation: rounding can give a constant plane a tiny
    // deviation, and dividing by it would amplify the rounding errors.
    if plane.iter().all(|value| *value == plane[0]) {
        plane.fill(0.0);
        return;
    }
    let count = plane.len() as f64;
    let mean = plane.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = plane.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    let deviation = variance.sqrt();
    for value in plane {
        *value = ((f64::from(*value) - mean) / deviation) as f32;
    }
}
