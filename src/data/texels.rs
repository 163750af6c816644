//! Pixels as a graphics device holds them.

use std::sync::Arc;

use super::{Image, Pixels};

/// The samples of a texture.
#[derive(Clone, Debug)]
pub enum Texels {
    /// Four bytes each: 8 bit pictures as they are stored.
    Rgba(Arc<Vec<u8>>),
    /// One number each, in the unit of the image; a window decides what is seen of it.
    Values(Arc<Vec<f32>>),
}

impl Texels {
    /// Of an image: grey pictures of more than 8 bit keep their values; colour of more than 8 bit is stretched to 8.
    pub fn of(image: &Image) -> Self {
        match &image.pixels {
            Pixels::U16(_) | Pixels::F32(_) if image.channels == 1 => {
                Self::Values(Arc::new(image.floats().collect()))
            }
            _ => Self::Rgba(Arc::new(image.to_rgba8())),
        }
    }

    /// The bytes of colours, if these are colours.
    pub fn rgba(&self) -> Option<&[u8]> {
        match self {
            Self::Rgba(bytes) => Some(bytes),
            Self::Values(_) => None,
        }
    }
}
