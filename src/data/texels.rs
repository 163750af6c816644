//! Pixels in the form in which a graphics device holds them.

use std::sync::Arc;

use super::{Image, Pixels};

/// The samples of a texture.
#[derive(Clone, Debug)]
pub enum Texels {
    /// Four bytes each: 8-bit images as they are stored.
    Rgba(Arc<Vec<u8>>),
    /// One half-precision number each; multiplied by `scale` it is in the unit of the image, and a window is applied
    /// on display. Every device interpolates half-precision numbers; their 11 bits are finer than a grey level in any
    /// window that is not both far from zero and narrow.
    StoredPixels {
        /// Bits of the half-precision numbers.
        halves: Arc<Vec<u16>>,
        /// A power of two, so that scaling loses no precision.
        scale: f32,
    },
}

impl Texels {
    /// Makes the texels of an image. Grey images of more than 8 bits keep their values; colours of more than 8 bits
    /// are stretched to 8.
    pub fn of(image: &Image) -> Self {
        match &image.pixels {
            Pixels::U16(_) | Pixels::F32(_) if image.channels == 1 => Self::of_values(image.floats()),
            _ => Self::Rgba(Arc::new(image.to_rgba8())),
        }
    }

    /// Makes the texels of numbers.
    pub fn of_values(values: impl Iterator<Item = f32>) -> Self {
        let values: Vec<f32> = values.collect();
        let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        // Half-precision numbers reach 65504.
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

    /// Returns the numbers, or `None` if these are colours.
    pub fn values(&self) -> Option<Vec<f32>> {
        match self {
            Self::Rgba(_) => None,
            Self::StoredPixels { halves, scale } => {
                Some(halves.iter().map(|bits| half::f16::from_bits(*bits).to_f32() * scale).collect())
            }
        }
    }

    /// Returns the bytes of colours, or `None` if these are numbers.
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
