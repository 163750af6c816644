//! The samples of an image in the form of a texture on the graphics device.

use std::sync::Arc;

use super::{Image, Pixels};

/// The samples of a texture.
#[derive(Clone, Debug)]
pub enum Texels {
    /// Colours: four bytes (red, green, blue, alpha) per pixel.
    Rgba(Arc<Vec<u8>>),
    /// Values: one half-precision number per pixel. Multiplied by `scale` it is in the unit of the image, and
    /// the window is applied on display. Every device can interpolate half-precision numbers. Their 11
    /// significant bits resolve a grey level of every window, unless it is both narrow and far from zero.
    StoredPixels {
        /// The bits of the half-precision numbers.
        halves: Arc<Vec<u16>>,
        /// The factor to the unit of the image; a power of two, so that scaling loses no precision.
        scale: f32,
    },
}

impl Texels {
    /// Returns the texels of an image. Grey images of more than 8 bits become values; all others become colours,
    /// and those of more than 8 bits are stretched to 8 bits.
    pub fn of(image: &Image) -> Self {
        match &image.pixels {
            Pixels::U16(_) | Pixels::F32(_) if image.channels == 1 => Self::of_values(image.floats()),
            _ => Self::Rgba(Arc::new(image.to_rgba8())),
        }
    }

    /// Returns the texels of a sequence of values, one per pixel.
    pub fn of_values(values: impl Iterator<Item = f32>) -> Self {
        let values: Vec<f32> = values.collect();
        let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        // The largest half-precision number is 65504.
        let mut scale = 1.0_f32;
        while most / scale > 32_768.0 {
            scale *= 2.0;
        }
        while most > 0.0 && most / scale < 1.0 {
            scale /= 2.0;
        }
        let halves = values.iter().map(|value| half::f16::from_f32(value / scale).to_bits()).collect();
        Self::StoredPixels { halves: Arc::new(halves), scale }
    }

    /// Returns the values in the unit of the image, or `None` if the texels are colours.
    pub fn values(&self) -> Option<Vec<f32>> {
        match self {
            Self::Rgba(_) => None,
            Self::StoredPixels { halves, scale } => {
                Some(halves.iter().map(|bits| half::f16::from_bits(*bits).to_f32() * scale).collect())
            }
        }
    }

    /// Returns the memory of the texels in bytes.
    pub fn byte_count(&self) -> usize {
        match self {
            Self::Rgba(bytes) => bytes.len(),
            Self::StoredPixels { halves, .. } => 2 * halves.len(),
        }
    }

    /// Returns the bytes of the colours, or `None` if the texels are values.
    pub fn rgba(&self) -> Option<&[u8]> {
        match self {
            Self::Rgba(bytes) => Some(bytes),
            Self::StoredPixels { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_shades() {
        let range: Vec<f32> = (-1024..=3071).map(|value| value as f32).collect();
        let back = Texels::of_values(range.iter().copied()).values().expect("numbers");
        for (value, back) in range.iter().zip(back) {
            let allowed = if value.abs() < 512.0 { 0.25 } else { 1.0 };
            assert!((value - back).abs() <= allowed, "{value}: {back}");
        }
        for most in [1e-6, 0.3, 65_535.0, 1e30] {
            let back = Texels::of_values([most, 0.0, -most].into_iter()).values().expect("numbers");
            assert!(
                (back[0] / most - 1.0).abs() < 1e-3 && back[1] == 0.0 && back[2] == -back[0],
                "{most}: {back:?}"
            );
        }
    }
}
