//! One way to read a pair, for everything that trains, scores or draws: the image, and its masks as one truth of its size.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::metadata::Orientation as Turn;
use image::{ImageDecoder, ImageReader, Limits};

use super::Sample;
use super::reading::{PairReading, Several};
use crate::data::error::caught;
use crate::data::{DataError, Image, Limit, Mask, MaskRule, Orientation, mask};

/// Most bytes that a decoder may take to tell the orientation of a picture.
const MOST_BYTES: u64 = 8 << 20;

/// An image and its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The image.
    pub image: Image,
    /// What is foreground in its masks, of its size.
    pub mask: Mask,
    /// Where the masks are read as labels: for every pixel the number of its mask from 1, or 0; row-major.
    pub labels: Option<Vec<u16>>,
    /// What was found on the way, a sentence each.
    pub notes: Vec<String>,
}

/// Reads the files of a sample. A mask of another size than its image is refused and never stretched.
///
/// # Errors
/// A file cannot be read; a mask has another size than the image; there is no mask.
pub fn read(sample: &Sample, reading: &PairReading) -> Result<Pair, DataError> {
    let image = picture(&sample.image, reading.orientation)?;
    let (first, further) =
        sample.masks.split_first().ok_or_else(|| DataError::Missing { path: sample.image.clone() })?;
    let mut mask = drawn(first, &image, sample, reading)?;
    let mut notes = Vec::new();
    let mut labels = match reading.several {
        Several::United => None,
        Several::AsLabels => Some(mask.values.iter().map(|&value| u16::from(value != 0)).collect::<Vec<_>>()),
    };
    let mut overlap = 0_usize;
    for (path, number) in further.iter().zip(2_u16..) {
        let other = drawn(path, &image, sample, reading)?;
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
    Ok(Pair { image, mask, labels, notes })
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

/// The image of a pair.
fn picture(path: &Path, orientation: Orientation) -> Result<Image, DataError> {
    match orientation {
        Orientation::Upright | Orientation::AsStored => crate::data::image::load(path),
    }
}

/// One mask file, which has to have the size of the image.
fn drawn(path: &Path, image: &Image, sample: &Sample, reading: &PairReading) -> Result<Mask, DataError> {
    let mask = one_mask(path, &reading.rule)?;
    let (size, other) = ((mask.width, mask.height), (image.height, image.width));
    if size == other && size != (image.width, image.height) && is_turned(&sample.image) {
        let (mask_width, mask_height) = size;
        let (path, orientation) = (path.to_owned(), reading.orientation);
        return Err(DataError::MaskTurned { path, mask_width, mask_height, orientation });
    }
    mask.must_fit(path, image.width, image.height)?;
    Ok(mask)
}

/// What is foreground in one file.
fn one_mask(path: &Path, rule: &MaskRule) -> Result<Mask, DataError> {
    mask::load(path, rule)
}

/// Whether the EXIF data of a picture turn or mirror it; not so where it has none or is no picture.
pub(super) fn is_turned(path: &Path) -> bool {
    let orientation = || {
        let file = File::open(path).map_err(|error| DataError::reading(path, &error))?;
        let reader = ImageReader::new(BufReader::new(file)).with_guessed_format();
        let mut reader = reader.map_err(|error| DataError::reading(path, &error))?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_BYTES);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| DataError::damaged(path, error));
        decoder?.orientation().map_err(|error| DataError::damaged(path, error))
    };
    caught(path, orientation).is_ok_and(|turn| turn != Turn::NoTransforms)
}
