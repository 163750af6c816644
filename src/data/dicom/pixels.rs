//! Stored bytes to samples.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

use super::attributes::Attributes;
use super::codestream::{self, Codec};
use super::reader::{Pieces, Stored};
use super::stream::Writing;
use super::{chain, jpeg12, rle};
use crate::data::error::caught;
use crate::data::volume::Values;
use crate::data::{DataError, Limit};

/// What to do about pixels of a kind that is not read.
const MEND: &str = "convert it to pixels of 8 or 16 bit, for instance with dcmconv or gdcmconv";

/// Channels and samples of all frames.
///
/// # Errors
/// The pixels contradict the header, are compressed in a way that is not read or damaged, or take more memory than `limit`.
pub fn values(
    path: &Path,
    attributes: &Attributes,
    stored: Stored,
    object: &InMemDicomObject,
    limit: Limit,
) -> Result<(usize, Values), DataError> {
    let palette = if attributes.is_palette() { Some(palette(path, object)?) } else { None };
    let maker = Maker { path, attributes, palette };
    let samples = match (stored, Codec::of(&attributes.syntax)) {
        (Stored::None, _) => return Err(DataError::NoPixelData { path: path.to_owned() }),
        (Stored::Native { bytes, writing, is_words }, Some(Codec::Native)) => {
            maker.native(bytes, writing, is_words, limit)?
        }
        // Not compressed, and in pieces all the same.
        (Stored::Pieces(pieces), Some(Codec::Native)) => {
            maker.native(pieces.bytes, Writing::EXPLICIT, false, limit)?
        }
        (Stored::Pieces(pieces), Some(codec)) => maker.compressed(codec, &pieces, limit)?,
        (Stored::Native { .. }, Some(_)) => {
            return Err(DataError::damaged(path, "its pixels are not in the pieces that its transfer syntax has"));
        }
        (_, None) => {
            return Err(DataError::Compression {
                path: path.to_owned(),
                name: codestream::name(&attributes.syntax),
            });
        }
    };
    Ok((maker.channels(), samples))
}

/// Makes samples of bytes.
struct Maker<'a> {
    path: &'a Path,
    attributes: &'a Attributes,
    palette: Option<Palette>,
}

impl Maker<'_> {
    fn channels(&self) -> usize {
        if self.palette.is_some() { 3 } else { self.attributes.samples }
    }

    /// Samples of one frame as they are stored.
    fn count(&self) -> usize {
        self.attributes.columns * self.attributes.rows * self.attributes.samples
    }

    /// Bytes that a stored sample of `bits` has as it is kept.
    fn kept(&self, bits: usize) -> u64 {
        match bits {
            _ if self.palette.is_some() => 3,
            8 => 1 + u64::from(self.attributes.is_signed),
            16 => 2,
            _ => 4,
        }
    }

    fn damaged(&self, reason: impl std::fmt::Display) -> DataError {
        DataError::damaged(self.path, reason)
    }

    /// Of pixels that are not compressed.
    fn native(
        &self,
        mut bytes: Vec<u8>,
        writing: Writing,
        is_words: bool,
        limit: Limit,
    ) -> Result<Values, DataError> {
        let bits = self.attributes.bits_allocated;
        let count = self.count() as u64 * self.attributes.frames as u64;
        let needed = count * bits.div_ceil(8) as u64;
        if let Some(reason) = self.unread(bytes.len() as u64, needed) {
            return Err(DataError::unsupported(self.path, &reason, MEND));
        }
        let is_kept = bits == 8 && self.kept(8) == 1;
        // 8 bit samples stay where they are; planes are put in order frame by frame.
        let made = if is_kept { self.count() as u64 } else { count * self.kept(bits) };
        limit.allow(self.path, bytes.capacity() as u64 + made)?;
        if (bytes.len() as u64) < needed {
            let reason = format!("{} bytes of pixels where {needed} are announced", bytes.len());
            return Err(self.damaged(reason));
        }
        bytes.truncate(needed as usize);
        if writing.is_big {
            // Words of 16 bit even where a sample has one byte.
            let width = (bits / 8).max(1 + usize::from(is_words));
            bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
        if self.attributes.samples == 3 && self.attributes.is_planar {
            bytes.chunks_exact_mut(self.count()).for_each(interleave);
        }
        self.colours(&mut bytes);
        self.samples(bytes, bits)
    }

    /// What pixels that are not compressed are where they have fewer bytes than their samples, and are whole all the same.
    fn unread(&self, length: u64, needed: u64) -> Option<String> {
        let Attributes { bits_allocated, samples, photometric, .. } = self.attributes;
        if *bits_allocated == 1 {
            return Some("pixels of one bit, as segmentation objects have them".into());
        }
        let is_halved = *samples == 3 && photometric.ends_with("_422");
        // Some files say so and have all their samples.
        (is_halved && length < needed && length >= needed / 3 * 2)
            .then(|| format!("colours for every other pixel, not compressed, {photometric}"))
    }

    /// Red, green, blue of colours that are written otherwise.
    fn colours(&self, bytes: &mut [u8]) {
        if self.attributes.samples == 3 && self.attributes.photometric.starts_with("YBR_FULL") {
            bytes.chunks_exact_mut(3).for_each(to_rgb);
        }
    }

    /// Of pixels that are compressed, frame by frame.
    fn compressed(&self, codec: Codec, pieces: &Pieces, limit: Limit) -> Result<Values, DataError> {
        let frames = self.attributes.frames;
        let refuse = |reason: String| self.damaged(reason);
        let mut all: Option<Values> = None;
        for frame in codestream::frames(codec, pieces, frames).map_err(refuse)? {
            let bytes = &pieces.bytes[frame];
            let needs = codestream::check(codec, bytes, self.attributes).map_err(refuse)?;
            let kept = self.count() as u64 * frames as u64 * self.kept(needs.bits);
            limit.allow(self.path, pieces.bytes.capacity() as u64 + kept + needs.bytes)?;
            let values = match self.twelve_bits(bytes) {
                Some(values) => values,
                None => self.samples(self.decode(codec, bytes, needs.bits)?, needs.bits)?,
            };
            match &mut all {
                Some(all) => {
                    if !all.append(values) {
                        return Err(self.damaged("its frames differ in kind"));
                    }
                }
                None => {
                    let mut first = values;
                    first.reserve(first.len() * (frames - 1));
                    all = Some(first);
                }
            }
        }
        all.ok_or_else(|| self.damaged("its pixels are missing"))
    }

    /// The decoded bytes of a frame: interleaved, the least byte of a sample first.
    fn decode(&self, codec: Codec, bytes: &[u8], bits: usize) -> Result<Vec<u8>, DataError> {
        let Attributes { columns, rows, samples, syntax, .. } = self.attributes;
        let needed = self.count() * bits / 8;
        let decoded = match codec {
            Codec::Rle => rle::decode(bytes, columns * rows, *samples, bits / 8),
            // At the end of what it has the decoder goes on for seconds; at an end marker it stops.
            Codec::JpegLs => self.library(syntax, [bytes, &[0xff, 0xd9]].concat(), bits)?,
            _ => self.library(syntax, bytes.to_vec(), bits)?,
        };
        let mut decoded = decoded
            .filter(|decoded| decoded.len() == needed)
            .ok_or_else(|| self.damaged("its pixels cannot be decoded"))?;
        if codec == Codec::JpegLs && *samples == 3 && bits == 8 && codestream::is_planar(bytes) {
            interleave(&mut decoded);
        }
        // The others have the colours of their own that their decoders know.
        if matches!(codec, Codec::Rle | Codec::JpegLs) && bits == 8 {
            self.colours(&mut decoded);
        }
        Ok(decoded)
    }

    /// A frame as dicom-rs decodes it: of a file that has nothing but this frame.
    fn library(&self, syntax: &str, bytes: Vec<u8>, bits: usize) -> Result<Option<Vec<u8>>, DataError> {
        let attributes = self.attributes;
        let Attributes { columns, rows, samples, .. } = *attributes;
        let short = |value: usize| u16::try_from(value).map_err(|_| self.damaged("its size is beyond 65535"));
        let number = |tag, value: u16| DataElement::new(tag, VR::US, dicom_value!(U16, value));
        let colours = if samples == 3 { "RGB" } else { "MONOCHROME2" };
        let mut object = InMemDicomObject::from_element_iter([
            number(tags::SAMPLES_PER_PIXEL, short(samples)?),
            DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from(colours)),
            number(tags::PLANAR_CONFIGURATION, 0),
            number(tags::ROWS, short(rows)?),
            number(tags::COLUMNS, short(columns)?),
            number(tags::BITS_ALLOCATED, short(bits)?),
            number(tags::BITS_STORED, short(bits)?),
            number(tags::HIGH_BIT, short(bits - 1)?),
            number(tags::PIXEL_REPRESENTATION, u16::from(attributes.is_signed)),
        ]);
        let piece = dicom_core::value::PixelFragmentSequence::new_fragments(vec![bytes]);
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, piece));
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(syntax)
            .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.7")
            .media_storage_sop_instance_uid("2.25.1");
        let object = object.with_meta(meta).map_err(|error| self.damaged(chain(&error)))?;
        caught(self.path, || {
            let decoded = object.decode_pixel_data();
            let decoded = decoded.map_err(|error| attributes.refusal(self.path, &chain(&error)))?;
            Ok(Some(decoded.data().to_vec()))
        })
    }

    /// A frame of 12 bit JPEG, which dicom-rs does not decode.
    fn twelve_bits(&self, bytes: &[u8]) -> Option<Values> {
        let is_it = self.attributes.syntax == "1.2.840.10008.1.2.4.51" && self.attributes.samples == 1;
        let frame = is_it.then(|| jpeg12::decode(bytes))??;
        let fits = (frame.width, frame.height) == (self.attributes.columns, self.attributes.rows);
        (fits && self.palette.is_none()).then_some(Values::U16(frame.samples))
    }

    /// Bytes of one frame or of all as samples.
    fn samples(&self, bytes: Vec<u8>, bits: usize) -> Result<Values, DataError> {
        let is_signed = self.attributes.is_signed;
        Ok(match (bits, self.attributes.samples, &self.palette) {
            (8, 1, Some(table)) => {
                Values::U8(bytes.iter().flat_map(|&index| table.colour(u16::from(index))).collect())
            }
            (16, 1, Some(table)) => {
                let indices = Writing::EXPLICIT.words(&bytes);
                Values::U8(indices.into_iter().flat_map(|index| table.colour(index)).collect())
            }
            (8, 1 | 3, None) if self.attributes.samples == 3 || !is_signed => Values::U8(bytes),
            (8, 1, None) => Values::I16(bytes.iter().map(|&byte| i16::from(byte as i8)).collect()),
            (16, 1, None) => self.sixteen(&bytes),
            (32, 1, None) => {
                let float = |&four: &[u8; 4]| {
                    let word = u32::from_le_bytes(four);
                    if is_signed { word as i32 as f32 } else { word as f32 }
                };
                Values::F32(bytes.as_chunks().0.iter().map(float).collect())
            }
            (bits, samples, _) => {
                let reason = format!("{samples} samples of {bits} bits a pixel");
                return Err(DataError::unsupported(self.path, &reason, MEND));
            }
        })
    }

    /// 16 bit samples; what stands above the stored bits is no part of the value.
    fn sixteen(&self, bytes: &[u8]) -> Values {
        let unused = 16 - self.attributes.bits_stored.clamp(1, 16) as u32;
        let words = bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair));
        if self.attributes.is_signed {
            Values::I16(words.map(|word| (word << unused) as i16 >> unused).collect())
        } else {
            Values::U16(words.map(|word| word << unused >> unused).collect())
        }
    }
}

/// Three planes to red, green, blue behind one another.
fn interleave(frame: &mut [u8]) {
    let planes = frame.to_vec();
    let plane = frame.len() / 3;
    for (index, pixel) in frame.chunks_exact_mut(3).enumerate() {
        pixel.iter_mut().enumerate().for_each(|(channel, out)| *out = planes[channel * plane + index]);
    }
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
fn palette(path: &Path, object: &InMemDicomObject) -> Result<Palette, DataError> {
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
            let words = Writing::EXPLICIT.words(&bytes);
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
