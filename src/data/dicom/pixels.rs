//! Decoded bytes to samples.

use std::path::Path;

use dicom_dictionary_std::tags;
use dicom_pixeldata::{DecodedPixelData, PixelRepresentation, PlanarConfiguration};

use super::Object;
use super::attributes::Attributes;
use crate::data::DataError;
use crate::data::scan::Values;

/// Channels and samples of all frames.
pub fn values(
    path: &Path,
    attributes: &Attributes,
    decoded: &DecodedPixelData<'_>,
    object: &Object,
) -> Result<(usize, Values), DataError> {
    let bytes = decoded.data();
    let count = attributes.columns * attributes.rows * attributes.frames * attributes.samples;
    let bits = usize::from(decoded.bits_allocated());
    let needed = count * bits.div_ceil(8);
    if (decoded.columns() as usize, decoded.rows() as usize) != (attributes.columns, attributes.rows)
        || bytes.len() < needed
    {
        let reason = format!("{} bytes of pixels where {needed} are announced", bytes.len());
        return Err(DataError::damaged(path, reason));
    }
    let bytes = &bytes[..needed];
    match (bits, attributes.samples) {
        (8, 3) => Ok((3, Values::U8(colours(attributes, decoded, bytes)))),
        (8, 1) if attributes.is_palette() => {
            let table = palette(path, object)?;
            Ok((3, Values::U8(bytes.iter().flat_map(|&index| table.colour(u16::from(index))).collect())))
        }
        (16, 1) if attributes.is_palette() => {
            let table = palette(path, object)?;
            let words = words(bytes);
            Ok((3, Values::U8(words.into_iter().flat_map(|index| table.colour(index)).collect())))
        }
        (8, 1) if attributes.is_signed => {
            Ok((1, Values::I16(bytes.iter().map(|&byte| i16::from(byte as i8)).collect())))
        }
        (8, 1) => Ok((1, Values::U8(bytes.to_vec()))),
        (16, 1) => Ok((1, sixteen(attributes, decoded, bytes))),
        (32, 1) => {
            let words = bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            let float = |word: u32| if attributes.is_signed { word as i32 as f32 } else { word as f32 };
            Ok((1, Values::F32(words.map(float).collect())))
        }
        (bits, samples) => Err(DataError::Unsupported {
            path: path.to_owned(),
            reason: format!("{samples} samples of {bits} bits a pixel"),
        }),
    }
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect()
}

/// 16 bit samples; what stands above the stored bits is no part of the value.
fn sixteen(attributes: &Attributes, decoded: &DecodedPixelData<'_>, bytes: &[u8]) -> Values {
    let unused = 16 - attributes.bits_stored.clamp(1, 16) as u32;
    if decoded.pixel_representation() == PixelRepresentation::Signed || attributes.is_signed {
        Values::I16(words(bytes).into_iter().map(|word| (word << unused) as i16 >> unused).collect())
    } else {
        Values::U16(words(bytes).into_iter().map(|word| word << unused >> unused).collect())
    }
}

/// Red, green, blue, interleaved, whatever the file has.
fn colours(attributes: &Attributes, decoded: &DecodedPixelData<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut pixels = bytes.to_vec();
    if decoded.planar_configuration() == PlanarConfiguration::PixelFirst {
        let plane = attributes.columns * attributes.rows;
        for (frame, out) in bytes.chunks_exact(3 * plane).zip(pixels.chunks_exact_mut(3 * plane)) {
            for index in 0..plane {
                for channel in 0..3 {
                    out[3 * index + channel] = frame[channel * plane + index];
                }
            }
        }
    }
    if decoded.photometric_interpretation().as_str().starts_with("YBR_FULL") {
        pixels.chunks_exact_mut(3).for_each(to_rgb);
    }
    pixels
}

/// From luminance and two differences (DICOM PS3.3 C.7.6.3.1.2, YBR_FULL).
fn to_rgb(pixel: &mut [u8]) {
    let [y, b, r] = [f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0];
    let values = [y + 1.402 * r, y - 0.344_136 * b - 0.714_136 * r, y + 1.772 * b];
    for (out, value) in pixel.iter_mut().zip(values) {
        *out = value.round().clamp(0.0, 255.0) as u8;
    }
}

struct Palette {
    first: i64,
    channels: [Vec<u8>; 3],
}

impl Palette {
    fn colour(&self, index: u16) -> [u8; 3] {
        std::array::from_fn(|channel| {
            let table = &self.channels[channel];
            let place = (i64::from(index) - self.first).clamp(0, table.len() as i64 - 1);
            table[place as usize]
        })
    }
}

/// The three tables of a palette picture (DICOM PS3.3 C.7.6.3.1.5 and 6).
fn palette(path: &Path, object: &Object) -> Result<Palette, DataError> {
    let missing = || DataError::damaged(path, "its palette is missing or empty");
    let descriptor = object
        .element(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR)
        .ok()
        .and_then(|element| element.to_multi_int::<i64>().ok())
        .filter(|values| values.len() >= 3)
        .ok_or_else(missing)?;
    let data = [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ];
    let count = if descriptor[0] & 0xffff == 0 { 65_536 } else { (descriptor[0] & 0xffff) as usize };
    let mut channels: [Vec<u8>; 3] = Default::default();
    for (channel, tag) in channels.iter_mut().zip(data) {
        let bytes = object.element(tag).ok().and_then(|element| element.to_bytes().ok().map(|b| b.into_owned()));
        let bytes = bytes.ok_or_else(missing)?;
        *channel = if descriptor[2] > 8 || bytes.len() >= 2 * count {
            let words = words(&bytes);
            // Entries of 16 bit run to 65535, but some files have 8 bit values in them.
            let is_narrow = words.iter().all(|&word| word < 256);
            words.iter().map(|&word| if is_narrow { word as u8 } else { (word >> 8) as u8 }).collect()
        } else {
            bytes
        };
        if channel.is_empty() {
            return Err(missing());
        }
    }
    Ok(Palette { first: descriptor[1], channels })
}
