//! Reads the labels of mask files of all supported formats.

use std::path::Path;

use super::colour;
use super::labels::LabelMap;
use super::recognise::{self, Encoding, Found};
use super::tally::Tally;
use super::{MaskKind, MaskReading, MaskRule};
use crate::data::open::{self, Content};
use crate::data::raster::Raster;
use crate::data::volume::{Geometry, Source, StoredPixels};
use crate::data::{DataError, Volume, decode, dicom, nifti};

/// The largest number of bytes that recognition takes for a pixel in addition to the pixel itself: for its value
/// in a list, its label, and its colour or palette index.
const WORKING: u64 = 20;

/// Reads the labels of a file, or of the DICOM series in a folder.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a mask.
pub fn read(path: &Path, reading: &MaskReading) -> Result<LabelMap, DataError> {
    let refuse = |reason: String| DataError::NotAMask { path: path.to_owned(), reason };
    // The path may end with the number of a stack.
    let (file, _) = dicom::of_stack(path);
    if !file.is_dir() {
        match open::content(&file)? {
            Content::Picture => {
                let raster = decode::raster(path, reading.limit, reading.orientation)?;
                let kept = raster.values.bytes() + raster.alpha.as_ref().map_or(0, StoredPixels::bytes);
                let pixels = (raster.columns * raster.rows * raster.pages) as u64;
                reading.limit.allow(path, kept.saturating_add(pixels.saturating_mul(WORKING)))?;
                return of_raster(raster, reading.rule).map_err(refuse);
            }
            Content::Nifti if reading.rule == MaskRule::Found => {
                if let Some(labels) = of_nifti(path, reading)? {
                    return Ok(labels);
                }
            }
            Content::Nifti | Content::Dicom => {}
        }
    }
    let volume = open::open(path, reading.limit, &|_, _| true)?;
    let pixels = (volume.values.len() / volume.channels) as u64;
    reading.limit.allow(path, volume.values.bytes().saturating_add(pixels.saturating_mul(WORKING)))?;
    of_volume(volume, reading.rule).map_err(refuse)
}

/// Reads the labels of a NIfTI file. Returns `None` for colours, and for so many different values that they are
/// probabilities.
fn of_nifti(path: &Path, reading: &MaskReading) -> Result<Option<LabelMap>, DataError> {
    let Some(file) = nifti::labelled(path, reading.limit)? else { return Ok(None) };
    let refuse = |reason: String| DataError::NotAMask { path: path.to_owned(), reason };
    let nifti::Labelled { shape: [columns, rows, slices], voxels, geometry, source, notes, turn } = file;
    let found = match voxels {
        // So many different values are probabilities, which are read as a volume.
        nifti::Voxels::Labels(Tally::Many { .. }) => return Ok(None),
        nifti::Voxels::Labels(tally) => {
            let encoding = Encoding { size: [columns, rows], is_lossy: false, is_picture: false, half: 0.5 };
            recognise::grey(tally, encoding, &|| Box::new(std::iter::empty())).map_err(refuse)?
        }
        nifti::Voxels::Channels(planes) => recognise::one_hot(planes),
    };
    let mut labels = made(found, [columns, rows, slices], geometry, Source::Nifti(Box::new(source)), notes);
    labels.turn(turn);
    Ok(Some(labels))
}

/// Interprets the values of a volume as labels.
///
/// # Errors
/// Returns a message if the volume is not a mask.
pub fn of_volume(volume: Volume, rule: MaskRule) -> Result<LabelMap, String> {
    let shape = volume.shape();
    let [columns, rows, _] = shape;
    let (is_lossy, is_segmentation) = match &volume.source {
        Source::Dicom(dicom) => (dicom.is_lossy, dicom.is_segmentation()),
        _ => (false, false),
    };
    let is_picture = matches!(volume.values, StoredPixels::U8(_)) && !is_segmentation;
    let encoding = Encoding { size: [columns, rows], is_lossy, is_picture, half: 127.0 };
    let images = || (0..volume.slices).map(|slice| volume.slice(slice));
    let found = if rule != MaskRule::Found {
        let samples: Vec<f32> = images().flat_map(|image| image.floats().collect::<Vec<_>>()).collect();
        let high = samples.iter().copied().fold(0.0, f32::max);
        recognise::by_rule(&samples, volume.channels, rule, half_of_floats(high, is_picture))
            .ok_or("no rule was given")?
    } else if volume.channels == 3 {
        colour::colour(&bytes(&volume.values), None, encoding)?
    } else {
        let mapped = match volume.mapping {
            crate::data::volume::ValueMapping::Same => None,
            _ => Some(StoredPixels::F32(images().flat_map(|image| image.floats().collect::<Vec<_>>()).collect())),
        };
        let values = mapped.as_ref().unwrap_or(&volume.values);
        recognise::grey(Tally::of_values(values), encoding, &|| numbers(values))?
    };
    Ok(made(found, shape, volume.geometry, volume.source, volume.notes))
}

/// Interprets the samples of an image file as labels.
///
/// # Errors
/// Returns a message if the image is not a mask.
pub fn of_raster(raster: Raster, rule: MaskRule) -> Result<LabelMap, String> {
    let shape = [raster.columns, raster.rows, raster.pages];
    let geometry = Geometry { turn: raster.turn, ..Geometry::default() };
    let half = half_of_range(&raster.values);
    let encoding =
        Encoding { size: [raster.columns, raster.rows], is_lossy: raster.is_lossy, is_picture: true, half };
    let values = &raster.values;
    let found = if rule != MaskRule::Found {
        let samples = values.floats(0..values.len());
        let half = if samples.iter().copied().fold(0.0, f32::max) == 1.0 { 0.5 } else { half };
        recognise::by_rule(&samples, raster.channels, rule, half).ok_or("no rule was given")?
    } else if let Some(alpha) = raster.alpha.as_ref().filter(|alpha| !alpha.is_constant(1))
        && values.is_constant(raster.channels)
    {
        let encoding = Encoding { half: half_of_range(alpha), ..encoding };
        let found = recognise::grey(Tally::of_values(alpha), encoding, &|| numbers(alpha))?;
        Found { kind: MaskKind::Alpha, ..found }
    } else if raster.channels == 3 {
        let palette =
            raster.palette.as_ref().map(|palette| (palette.indices.as_slice(), palette.colours.as_slice()));
        match values {
            StoredPixels::U8(rgb) => colour::colour(rgb, palette, encoding)?,
            more => colour::colour(&bytes(more), palette, Encoding { half: 127.0, ..encoding })?,
        }
    } else {
        recognise::grey(Tally::of_values(values), encoding, &|| numbers(values))?
    };
    Ok(made(found, shape, geometry, Source::Picture(raster.source), raster.notes))
}

/// Iterates over the samples as stored.
fn numbers(values: &StoredPixels) -> Box<dyn Iterator<Item = f64> + '_> {
    Box::new((0..values.len()).map(|place| f64::from(values.at(place))))
}

/// Converts colours to 8 bits. Floating-point samples up to 1 are multiplied by 255, other samples up to 255 are
/// kept, and larger ones are scaled from 16 bits.
fn bytes(values: &StoredPixels) -> Vec<u8> {
    let high = values.highest();
    let scale = match values {
        StoredPixels::F32(_) if high <= 1.0 => 255.0,
        _ if high <= 255.0 => 1.0,
        _ => 255.0 / 65_535.0,
    };
    (0..values.len()).map(|place| (values.at(place) * scale).round().clamp(0.0, 255.0) as u8).collect()
}

/// Makes a label map of the labels that were found, and counts the pixels of each label.
fn made(
    found: Found,
    [columns, rows, slices]: [usize; 3],
    geometry: Geometry,
    source: Source,
    mut notes: Vec<String>,
) -> LabelMap {
    let Found { indices, labels, kind, notes: more } = found;
    notes.extend(more);
    let mut map = LabelMap { columns, rows, slices, indices, labels, kind, geometry, source, notes };
    map.count();
    map
}

/// Returns half of the range that the values represent. The type alone does not determine it, because 8-bit
/// masks are often stored in 16-bit files.
fn half_of_range(values: &StoredPixels) -> f64 {
    match values {
        StoredPixels::U8(_) => 127.0,
        StoredPixels::U16(values) => match values.iter().max() {
            Some(..=255) => 127.0,
            _ => 32_767.0,
        },
        other => half_of_floats(other.highest().max(0.0), false),
    }
}

/// Returns half of the range of values up to `high`: 0.5 if `high` is 1, 127 for an 8-bit image, otherwise half
/// of `high`, or 0.5 if `high` is less than 1.
fn half_of_floats(high: f32, is_picture: bool) -> f64 {
    match high {
        1.0 => 0.5,
        _ if is_picture => 127.0,
        high => f64::from(0.5 * high.max(1.0)),
    }
}
