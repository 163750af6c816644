//! Reference masks: which pixels of a mask file are foreground.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DataError, Image, Limit, Pixels};

/// A binary mask, row-major, natural orientation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `width * height` values: 1 foreground, 0 background.
    pub values: Vec<u8>,
}

/// What counts as foreground in a mask file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// The mean of the channels lies above half of the range: above 127 of 8 bit. Reads masks that
    /// went through JPEG. A file whose largest value is 1 has the range 0…1.
    #[default]
    Half,
    /// The authors' rule: every channel is exactly 255.
    #[serde(rename = "exactly_255")]
    Exactly255,
}

impl Mask {
    /// Number of foreground pixels.
    pub fn foreground(&self) -> usize {
        self.values.iter().filter(|&&value| value != 0).count()
    }

    /// The mask of an image's pixels under `rule`.
    pub fn of(image: &Image, rule: &MaskRule) -> Self {
        let values = match rule {
            MaskRule::Exactly255 => each_pixel(image, |pixel| pixel.iter().all(|&value| value == 255.0)),
            MaskRule::Half => {
                let threshold = half_of_range(&image.pixels) * image.channels as f32;
                each_pixel(image, |pixel| pixel.iter().sum::<f32>() > threshold)
            }
        };
        Self { width: image.width, height: image.height, values }
    }

    /// Refuses a mask that is not of the size of the image it is to be compared with.
    ///
    /// # Errors
    /// [`DataError::MaskSize`], which names `path`, the mask's file, and both sizes.
    pub fn must_fit(&self, path: &Path, width: usize, height: usize) -> Result<(), DataError> {
        if (self.width, self.height) == (width, height) {
            return Ok(());
        }
        let (mask_width, mask_height) = (self.width, self.height);
        Err(DataError::MaskSize { path: path.to_owned(), mask_width, mask_height, width, height })
    }
}

/// Reads a mask from an image file.
///
/// # Errors
/// Those of [`super::image::load`].
pub fn load(path: &Path, rule: &MaskRule) -> Result<Mask, DataError> {
    Ok(Mask::of(&super::image::load(path)?, rule))
}

/// Reads a mask for every slice of a file of any kind. In a volume every value above 0 is foreground, because its values are labels.
///
/// # Errors
/// Those of [`super::open::open`].
pub fn load_stack(path: &Path, rule: &MaskRule, limit: Limit) -> Result<Vec<Mask>, DataError> {
    let scan = super::open::open(path, limit, &|_, _| true)?;
    let one = |number| {
        let slice = scan.slice(number);
        if scan.slices == 1 {
            return Mask::of(&slice, rule);
        }
        Mask {
            width: slice.width,
            height: slice.height,
            values: slice.floats().map(|value| u8::from(value > 0.0)).collect(),
        }
    };
    Ok((0..scan.slices).map(one).collect())
}

/// Reads the mask of slice `slice` of `slices`: that at its place in a stack of as many masks, or a lone mask.
///
/// # Errors
/// Those of [`load_stack`], and a stack of another length: it was drawn on something else.
pub fn load_of_slice(
    path: &Path,
    rule: &MaskRule,
    limit: Limit,
    slice: usize,
    slices: usize,
) -> Result<Mask, DataError> {
    let mut masks = load_stack(path, rule, limit)?;
    if masks.len() > 1 && masks.len() != slices {
        return Err(DataError::MaskSlices { path: path.to_owned(), mask_slices: masks.len(), slices });
    }
    let place = if masks.len() > 1 { slice } else { 0 };
    Ok(masks.swap_remove(place))
}

/// Half of the range that the values stand for. The type alone does not tell it: label masks
/// hold 0 and 1 in 8 bit, and 8 bit masks are kept in 16 bit files.
fn half_of_range(pixels: &Pixels) -> f32 {
    match pixels {
        Pixels::U8(values) => match values.iter().max() {
            Some(1) => 0.5,
            _ => 127.0,
        },
        Pixels::U16(values) => match values.iter().max() {
            Some(1) => 0.5,
            Some(2..=255) => 127.0,
            _ => 32_767.0,
        },
        Pixels::F32(values) => 0.5 * values.iter().copied().fold(1.0, f32::max),
    }
}

/// `foreground` asked of the channels of every pixel.
fn each_pixel(image: &Image, foreground: impl Fn(&[f32]) -> bool) -> Vec<u8> {
    fn ask<T: Copy + Into<f32>>(values: &[T], channels: usize, foreground: impl Fn(&[f32]) -> bool) -> Vec<u8> {
        let mut pixel = vec![0.0; channels];
        let ask = |stored: &[T]| {
            pixel.iter_mut().zip(stored).for_each(|(value, &stored)| *value = stored.into());
            u8::from(foreground(&pixel))
        };
        values.chunks_exact(channels).map(ask).collect()
    }
    match &image.pixels {
        Pixels::U8(values) => ask(values, image.channels, foreground),
        Pixels::U16(values) => ask(values, image.channels, foreground),
        Pixels::F32(values) => ask(values, image.channels, foreground),
    }
}
