//! A single image with the samples that its file stores.

use serde::{Deserialize, Serialize};

pub use super::decode::{load, load_as};
use super::volume::Window;

/// The samples of an image: interleaved channels, row-major, in the type and range of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Pixels {
    /// 8-bit samples, 0…255. Samples of 1, 2 and 4 bits are scaled to that range; palette indices are replaced
    /// by their colours.
    U8(Vec<u8>),
    /// 16-bit samples, 0…65535.
    U16(Vec<u16>),
    /// 32-bit floating-point samples of any finite value.
    F32(Vec<f32>),
}

impl Pixels {
    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Returns whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the stored value of the sample at `index`.
    fn at(&self, index: usize) -> f32 {
        match self {
            Self::U8(values) => f32::from(values[index]),
            Self::U16(values) => f32::from(values[index]),
            Self::F32(values) => values[index],
        }
    }
}

/// The treatment of the orientation in an image's EXIF data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// The image is turned upright, as photo viewers show it.
    #[default]
    Upright,
    /// The pixels stay in their stored order, as most training code reads them.
    AsStored,
}

/// An image with unscaled samples; `pixels` holds `width * height * channels` of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of channels: 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// The samples, row-major with interleaved channels.
    pub pixels: Pixels,
}

impl Image {
    /// Returns the stored value of channel `c` at column `x`, row `y`. A grey image returns its one value for every
    /// channel.
    ///
    /// # Panics
    /// If `x` or `y` lies outside the image.
    pub fn value(&self, x: usize, y: usize, c: usize) -> f32 {
        assert!(x < self.width && y < self.height, "({x}, {y}) lies outside {}x{}", self.width, self.height);
        self.pixels.at((y * self.width + x) * self.channels + c.min(self.channels - 1))
    }

    /// Iterates over all samples as numbers.
    pub fn floats(&self) -> Box<dyn Iterator<Item = f32> + '_> {
        match &self.pixels {
            Pixels::U8(values) => Box::new(values.iter().map(|&value| f32::from(value))),
            Pixels::U16(values) => Box::new(values.iter().map(|&value| f32::from(value))),
            Pixels::F32(values) => Box::new(values.iter().copied()),
        }
    }

    /// Returns the 8-bit image that display window `window` gives, with the same number of channels.
    /// `is_inverted` exchanges black and white.
    pub fn windowed(&self, window: Window, is_inverted: bool) -> Self {
        let byte = |value: f32| {
            let shade = window.shade(value);
            ((if is_inverted { 1.0 - shade } else { shade }) * 255.0).round() as u8
        };
        let pixels = Pixels::U8(self.floats().map(byte).collect());
        Self { width: self.width, height: self.height, channels: self.channels, pixels }
    }

    /// Returns `4 * width * height` bytes of opaque RGBA for display. 8-bit samples keep their values; 16-bit
    /// and floating-point samples are stretched from the image's own minimum and maximum to 0…255, and are all 0
    /// if the image is constant.
    pub fn to_rgba8(&self) -> Vec<u8> {
        match &self.pixels {
            Pixels::U8(values) => rgba(values, self.channels, |value| value),
            Pixels::U16(values) => {
                let range = range(values.iter().map(|&value| f64::from(value)));
                rgba(values, self.channels, |value| stretch(f64::from(value), range))
            }
            Pixels::F32(values) => {
                let range = range(values.iter().map(|&value| f64::from(value)));
                rgba(values, self.channels, |value| stretch(f64::from(value), range))
            }
        }
    }

    /// Returns a BLAKE3 hash of the size, the sample type and the values. It does not depend on the file's name
    /// or format.
    pub fn content_key(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for number in [self.width, self.height, self.channels] {
            hasher.update(&(number as u64).to_le_bytes());
        }
        // The leading letter distinguishes equal bytes of different sample types.
        match &self.pixels {
            Pixels::U8(values) => hasher.update(b"b").update(values),
            Pixels::U16(values) => hasher.update(b"h").update(bytemuck::cast_slice(values)),
            Pixels::F32(values) => hasher.update(b"f").update(bytemuck::cast_slice(values)),
        };
        *hasher.finalize().as_bytes()
    }
}

/// Converts interleaved samples of 1 or 3 channels to opaque RGBA.
fn rgba<T: Copy>(values: &[T], channels: usize, convert: impl Fn(T) -> u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len() / channels.max(1) * 4);
    for pixel in values.chunks_exact(channels.max(1)) {
        let [r, g, b] = if let [r, g, b] = *pixel { [r, g, b] } else { [pixel[0]; 3] };
        out.extend_from_slice(&[convert(r), convert(g), convert(b), 255]);
    }
    out
}

/// Returns the smallest and the largest value.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Maps `value` from `low…high` to 0…255, rounded; returns 0 if the range is empty.
fn stretch(value: f64, (low, high): (f64, f64)) -> u8 {
    if high > low { ((value - low) / (high - low) * 255.0).round() as u8 } else { 0 }
}
