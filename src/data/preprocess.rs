//! Converts an image to the network's input, and its output back to the image. Published weights only work with
//! exactly this preprocessing; tests compare it with tensors of the authors' loader.
//!
//! Their loader delivers (width, height), so their network receives everything *transposed*: the first axis of its
//! grid runs along the image's width. Models trained with this program may use the natural order instead.

use std::borrow::Cow;

use super::resample;
use super::{Image, Mask};

/// Returns the network's input: `3 * size * size` values, channels first.
///
/// Stored values are resized (bicubic, a = −0.75, half-pixel centres, edges clamped, no antialiasing), a single
/// channel is repeated to three, and each channel is reduced by its mean and divided by its population standard
/// deviation. A constant channel is only reduced by its mean. With `transposed` the rows of each channel run along
/// the image's width.
pub fn input_tensor(image: &Image, size: usize, transposed: bool) -> Vec<f32> {
    zoomed_input(image, size, transposed, 1.0)
}

/// Like [`input_tensor`], with the image zoomed about its centre by `zoom`. Beyond the edges the edge pixels are
/// repeated.
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

/// Returns the network's input before its channels are normalised: `size × size` pixels of 8 bits. Values of more
/// than 8 bits are stretched from the smallest to the largest.
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

/// Reduces the image so that no side is longer than `side` pixels, by means over blocks.
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
    // A few samples of each block are enough for a thumbnail, and equally fast for images of any size.
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

/// Returns the network's target: `size * size` values 0 or 1, nearest neighbour `floor(i · in / out)`.
pub fn target(mask: &Mask, size: usize, transposed: bool) -> Vec<f32> {
    zoomed_target(mask, size, transposed, 1.0)
}

/// Like [`target`], with the mask zoomed about its centre by `zoom`. Beyond the edges the edge pixels are repeated.
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

/// Returns a plane of the network's grid (`size * size` values) at the image's resolution: `width * height` values,
/// row-major, in natural orientation; bilinear, half-pixel centres, edges clamped.
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

/// Swaps rows and columns in place.
fn transpose(plane: &mut [f32], size: usize) {
    for y in 0..size {
        for x in y + 1..size {
            plane.swap(y * size + x, x * size + y);
        }
    }
}

/// Normalises to mean 0 and population standard deviation 1; a constant plane becomes 0.
fn normalise(plane: &mut [f32]) {
    // This looks at the values, not at the deviation: rounding gives a constant plane a tiny deviation, and a
    // division by it would amplify the rounding.
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
