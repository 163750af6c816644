//! Converts an image to the network's input, and the network's output back to the image's size. The published
//! weights need exactly this preprocessing; tests compare it with tensors of the authors' loaders. Which form a network
//! expects is part of its bundle ([`InputForm`]).
//!
//! HiMix's authors' loader delivers (width, height), so their network receives everything *transposed*: the first
//! axis of its grid runs along the image's width. Models trained with this program may use the natural order
//! instead.

use std::borrow::Cow;

use super::{Image, Mask};
use super::{fixed_point, resample, spline};
use crate::input::{Channels, InputForm, MaskResize, Range, Resize};

/// Returns the network's input: `3 * size * size` values, channels first, in the form that the network expects.
///
/// In HiMix's form, the stored values are resized (bicubic, a = −0.75, half-pixel centres, edges clamped, no
/// antialiasing), and each channel is normalised to mean 0 and population standard deviation 1; a constant channel
/// becomes 0. A single channel is repeated to three. If `transposed`, the first axis of each channel runs along the
/// image's width.
pub fn input_tensor(image: &Image, size: usize, transposed: bool, form: InputForm) -> Vec<f32> {
    zoomed_input(image, size, transposed, form, 1.0)
}

/// Does the same as [`input_tensor`], with the image magnified about its centre by the factor `zoom`. Edge
/// pixels are repeated beyond the edges.
pub fn zoomed_input(image: &Image, size: usize, transposed: bool, form: InputForm, zoom: f64) -> Vec<f32> {
    let mut planes = resized(image, size, form.resize, zoom);
    if size == 0 {
        return planes;
    }
    let count = size * size;
    match form.range {
        Range::ZScore => planes.chunks_exact_mut(count).for_each(normalise),
        Range::Unit if form.is_eight_bit() => planes.iter_mut().for_each(|value| *value /= 255.0),
        Range::Unit => {
            let (low, high) = levels(image);
            stretch(&mut planes, low, high);
        }
        Range::MinMax => {
            let (low, high) = extremes(planes.iter().copied());
            stretch(&mut planes, low, high);
        }
    }
    if transposed {
        planes.chunks_exact_mut(count).for_each(|plane| transpose(plane, size));
    }
    if image.channels == 1 {
        return planes.repeat(3);
    }
    if form.channels == Channels::Bgr {
        let (red, rest) = planes.split_at_mut(count);
        red.swap_with_slice(&mut rest[count..2 * count]);
    }
    planes
}

/// Resizes the image to planes of `size × size`. Two of the ways work with 8-bit values, to which other samples are
/// stretched.
fn resized(image: &Image, size: usize, resize: Resize, zoom: f64) -> Vec<f32> {
    if resize == Resize::AsHimix {
        return resample::bicubic(image, size, zoom);
    }
    let bytes = bytes(image);
    let (width, height, channels) = (image.width, image.height, image.channels);
    if resize == Resize::OpencvBilinear {
        let planes = fixed_point::bilinear(&bytes, (width, height, channels), size, zoom);
        return planes.into_iter().map(f32::from).collect();
    }
    let plane = |channel: usize| -> Vec<f64> {
        bytes.iter().skip(channel).step_by(channels).map(|value| f64::from(*value)).collect()
    };
    let resized = (0..channels).map(|channel| spline::resize(&plane(channel), (width, height), size, zoom));
    // Rounding may leave a whole number a little below itself.
    resized.flatten().map(|value| (value + 1e-9).floor() as f32).collect()
}

/// The samples as 8-bit values. Others are stretched from the smallest to the largest value of the image.
fn bytes(image: &Image) -> Cow<'_, [u8]> {
    if let crate::data::Pixels::U8(values) = &image.pixels {
        return Cow::Borrowed(values);
    }
    let (low, high) = levels(image);
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    image.floats().map(|value| ((value - low) * scale).round() as u8).collect()
}

/// The values that become 0 and 1 in the unit range.
fn levels(image: &Image) -> (f32, f32) {
    match image.pixels {
        crate::data::Pixels::U8(_) => (0.0, 255.0),
        _ => extremes(image.floats()),
    }
}

fn extremes(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Maps `low…high` to 0…1; everything becomes 0 if there is no range.
fn stretch(values: &mut [f32], low: f32, high: f32) {
    let scale = if high > low { 1.0 / (high - low) } else { 0.0 };
    values.iter_mut().for_each(|value| *value = (*value - low) * scale);
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
    zoomed_target(mask, size, transposed, MaskResize::AsHimix, 1.0)
}

/// Returns the target for training in the form that the network expects, with the mask magnified about its centre by
/// the factor `zoom`. Edge pixels are repeated beyond the edges.
pub fn zoomed_target(mask: &Mask, size: usize, transposed: bool, resize: MaskResize, zoom: f64) -> Vec<f32> {
    let mut plane: Vec<f32> = match resize {
        MaskResize::AsHimix => {
            let columns = resample::nearest(mask.width, size, zoom);
            resample::nearest(mask.height, size, zoom)
                .into_iter()
                .flat_map(|y| columns.iter().map(move |x| f32::from(mask.values[y * mask.width + x])))
                .collect()
        }
        MaskResize::BilinearAny => {
            let grey: Vec<u8> = mask.values.iter().map(|value| if *value == 0 { 0 } else { 255 }).collect();
            let values = enlarged_mask(&grey, (mask.width, mask.height), size, zoom);
            values.into_iter().map(f32::from).collect()
        }
    };
    if transposed {
        transpose(&mut plane, size);
    }
    plane
}

/// Resizes the grey values of a mask bilinearly, and makes every value above 0 foreground.
pub fn enlarged_mask(grey: &[u8], (width, height): (usize, usize), size: usize, zoom: f64) -> Vec<u8> {
    fixed_point::bilinear(grey, (width, height, 1), size, zoom)
        .into_iter()
        .map(|value| u8::from(value > 0))
        .collect()
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
