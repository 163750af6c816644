//! One way to read a pair, for everything that trains, scores or draws: the image, and its masks as one truth of its size.

use std::path::{Path, PathBuf};

use super::Sample;
use super::reading::{PairReading, Several};
use crate::data::image::load_as;
use crate::data::{DataError, Image, Limit, Mask, MaskRule, Orientation, mask, raster};

/// An image and its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The image.
    pub image: Image,
    /// What is foreground in its masks, of its size.
    pub mask: Mask,
    /// Where the masks are read as labels: for every pixel the number of its mask from 1, or 0; row-major.
    pub labels: Option<Vec<u16>>,
    /// Whether the file of the image gives an orientation that turns or mirrors it; [`PairReading::orientation`] says what was done.
    pub is_turned: bool,
    /// What was found on the way, a sentence each.
    pub notes: Vec<String>,
}

/// Reads the files of a sample. A mask of another size than its image is refused and never stretched.
///
/// # Errors
/// A file cannot be read; a mask has another size than the image; there is no mask.
pub fn read(sample: &Sample, reading: &PairReading) -> Result<Pair, DataError> {
    let Picture { image, is_turned, mut notes } = picture(&sample.image, reading.orientation)?;
    let (first, further) =
        sample.masks.split_first().ok_or_else(|| DataError::Missing { path: sample.image.clone() })?;
    let drawn = |path: &Path| {
        let mask = one_mask(path, reading)?;
        must_fit(&mask, path, &image, is_turned.then_some(reading.orientation))?;
        Ok::<_, DataError>(mask)
    };
    let mut mask = drawn(first)?;
    let mut labels = match reading.several {
        Several::United => None,
        Several::AsLabels => Some(mask.values.iter().map(|&value| u16::from(value != 0)).collect::<Vec<_>>()),
    };
    let mut overlap = 0_usize;
    for (path, number) in further.iter().zip(2_u16..) {
        let other = drawn(path)?;
        for (at, _) in other.values.iter().enumerate().filter(|(_, value)| **value != 0) {
            overlap += usize::from(mask.values[at] != 0);
            mask.values[at] = 1;
            if let Some(labels) = &mut labels {
                labels[at] = number;
            }
        }
    }
    let count = sample.masks.len();
    match (&labels, count) {
        (_, 1) => {}
        (None, _) => notes.push(format!("The {count} masks of {} are united.", sample.name)),
        (Some(_), _) => {
            let overlaps = match overlap {
                0 => String::new(),
                1 => "; 1 pixel has more than one and counts to the last".into(),
                _ => format!("; {overlap} pixels have more than one and count to the last"),
            };
            notes.push(format!("The {count} masks of {} are labels, in their order{overlaps}.", sample.name));
        }
    }
    if let (Some(labels), false) = (&labels, reading.labels.is_empty()) {
        let is_wanted = |label: &u16| reading.labels.contains(&i64::from(*label));
        mask.values = labels.iter().map(|label| u8::from(is_wanted(label))).collect();
    }
    Ok(Pair { image, mask, labels, is_turned, notes })
}

/// The image of a pair, and what its file says of it.
struct Picture {
    image: Image,
    is_turned: bool,
    notes: Vec<String>,
}

fn picture(path: &Path, orientation: Orientation) -> Result<Picture, DataError> {
    let raster = raster::load(path, Limit::default(), orientation)?;
    let (is_turned, notes) = (raster.source.turn().is_some(), raster.notes.clone());
    // A stack of pages is no picture of a pair, and is refused as such.
    let image = if raster.pages > 1 { load_as(path, Limit::default(), orientation)? } else { raster.into_image() };
    Ok(Picture { image, is_turned, notes })
}

/// Refuses a mask of another size than its image. Where the image was `turned`, or would be if it were not read as stored, and the mask has
/// its size the other way, both readings are named.
fn must_fit(mask: &Mask, path: &Path, image: &Image, turned: Option<Orientation>) -> Result<(), DataError> {
    let (size, other_way) = ((mask.width, mask.height), (image.height, image.width));
    if let Some(orientation) = turned
        && size == other_way
        && size != (image.width, image.height)
    {
        let (path, (mask_width, mask_height)) = (path.to_owned(), size);
        return Err(DataError::MaskTurned { path, mask_width, mask_height, orientation });
    }
    mask.must_fit(path, image.width, image.height)
}

/// What is foreground in one file.
fn one_mask(path: &Path, reading: &PairReading) -> Result<Mask, DataError> {
    Ok(Mask::of(&load_as(path, Limit::default(), reading.orientation)?, &reading.rule))
}

/// Reads a mask for every slice of a stack from files that are parts of one truth.
///
/// # Errors
/// Those of [`mask::load_stack`]; the files have other sizes or numbers of slices than the first; there is none.
pub fn united_stacks(paths: &[PathBuf], rule: &MaskRule, limit: Limit) -> Result<Vec<Mask>, DataError> {
    let (first, further) = paths.split_first().ok_or_else(|| DataError::Missing { path: PathBuf::new() })?;
    let mut masks = mask::load_stack(first, rule, limit)?;
    for path in further {
        let others = mask::load_stack(path, rule, limit)?;
        if others.len() != masks.len() {
            let (mask_slices, slices) = (others.len(), masks.len());
            return Err(DataError::MaskSlices { path: path.clone(), mask_slices, slices });
        }
        for (mask, other) in masks.iter_mut().zip(&others) {
            other.must_fit(path, mask.width, mask.height)?;
            unite(mask, other);
        }
    }
    Ok(masks)
}

/// As [`united_stacks`], for slice `slice` of `slices`.
///
/// # Errors
/// Those of [`mask::load_of_slice`], and those of [`united_stacks`].
pub fn united_of_slice(
    paths: &[PathBuf],
    rule: &MaskRule,
    limit: Limit,
    slice: usize,
    slices: usize,
) -> Result<Mask, DataError> {
    let (first, further) = paths.split_first().ok_or_else(|| DataError::Missing { path: PathBuf::new() })?;
    let mut mask = mask::load_of_slice(first, rule, limit, slice, slices)?;
    for path in further {
        let other = mask::load_of_slice(path, rule, limit, slice, slices)?;
        other.must_fit(path, mask.width, mask.height)?;
        unite(&mut mask, &other);
    }
    Ok(mask)
}

/// Foreground is what is foreground in either; both have one size.
fn unite(mask: &mut Mask, other: &Mask) {
    mask.values.iter_mut().zip(&other.values).for_each(|(value, other)| *value |= other);
}
