//! Decodes the stored bytes of pixels to samples.

use std::cell::Cell;
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

use super::attributes::Attributes;
use super::codestream::{self, Codec};
use super::colour::{self, interleave};
use super::palette::Palette;
use super::reader::{Pieces, Stored};
use super::stream::Writing;
use super::{chain, jpeg12, jpeg2000, rle};
use crate::data::error::caught;
use crate::data::volume::StoredPixels;
use crate::data::{DataError, Limit, jpeg};

/// The advice for pixels of a kind that is not supported.
const MEND: &str = "convert it to pixels of 8 or 16 bit, for instance with dcmconv or gdcmconv";

/// The decoded samples of all frames.
pub struct Made {
    /// The number of channels, 1 or 3.
    pub channels: usize,
    /// The samples of all frames; the channels are interleaved.
    pub values: StoredPixels,
    /// A note about the colours.
    pub note: Option<&'static str>,
    /// Whether a frame was compressed with loss, by its codestream.
    pub is_lossy: bool,
}

/// Returns the channels and the samples of all frames.
///
/// # Errors
/// Returns an error if the pixels are missing, contradict the header, have a compression that is not supported,
/// are damaged, or need more memory than `limit`.
pub fn values(
    path: &Path,
    attributes: &Attributes,
    stored: Stored,
    object: &InMemDicomObject,
    limit: Limit,
) -> Result<Made, DataError> {
    let palette = if attributes.is_palette() { Some(Palette::of(path, object)?) } else { None };
    let maker = Maker { path, attributes, palette, note: Cell::new(None), is_lossy: Cell::new(false) };
    let samples = match (stored, Codec::of(&attributes.syntax)) {
        (Stored::None, _) => return Err(DataError::NoPixelData { path: path.to_owned() }),
        (Stored::Native { bytes, writing, is_words }, Some(Codec::Native)) => {
            maker.native(bytes, writing, is_words, limit)?
        }
        // Some transfer syntaxes store pixels in pieces without compression.
        (Stored::Pieces(pieces), Some(Codec::Native)) => {
            maker.native(pieces.bytes, Writing::EXPLICIT, false, limit)?
        }
        (Stored::Pieces(pieces), Some(codec)) => maker.compressed(codec, &pieces, limit)?,
        (Stored::Native { .. }, Some(_)) => {
            return Err(DataError::damaged(path, "its pixels are not in pieces as its transfer syntax requires"));
        }
        (_, None) => {
            return Err(DataError::Compression {
                path: path.to_owned(),
                name: codestream::name(&attributes.syntax),
            });
        }
    };
    Ok(Made {
        channels: maker.channels(),
        values: samples,
        note: maker.note.get(),
        is_lossy: maker.is_lossy.get(),
    })
}

/// Decodes the pixels of one file, and keeps a note about their colours and whether they lost information.
struct Maker<'a> {
    path: &'a Path,
    attributes: &'a Attributes,
    palette: Option<Palette>,
    note: Cell<Option<&'static str>>,
    is_lossy: Cell<bool>,
}

impl Maker<'_> {
    /// Returns the number of channels after decoding.
    fn channels(&self) -> usize {
        if self.palette.is_some() { 3 } else { self.attributes.samples }
    }

    /// Returns the number of samples of one frame.
    fn count(&self) -> usize {
        self.attributes.columns * self.attributes.rows * self.attributes.samples
    }

    /// Returns the number of bytes that a sample of `bits` bits takes after decoding.
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

    /// Decodes pixels that are not compressed.
    fn native(
        &self,
        mut bytes: Vec<u8>,
        writing: Writing,
        is_words: bool,
        limit: Limit,
    ) -> Result<StoredPixels, DataError> {
        let bits = self.attributes.bits_allocated;
        let count = self.count() as u64 * self.attributes.frames as u64;
        if bits == 1 && self.attributes.samples == 1 {
            return self.single_bits(&bytes, count, writing.is_big && is_words, limit);
        }
        let needed = count * bits.div_ceil(8) as u64;
        if writing.is_big {
            // The bytes of a word of 16 bits are exchanged even if a sample has only one byte. The last sample may
            // share its word with a byte that fills it and comes first.
            let width = (bits / 8).max(1 + usize::from(is_words));
            bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
        if self.is_halved(bytes.len() as u64, needed) {
            limit.allow(self.path, bytes.capacity() as u64 + count)?;
            let mut whole = colour::expanded(&bytes[..(count / 3 * 2) as usize]);
            drop(bytes);
            self.colours(&mut whole);
            return self.samples(whole, bits);
        }
        if let Some(reason) = self.unread(bytes.len() as u64, needed) {
            return Err(DataError::unsupported(self.path, &reason, MEND));
        }
        let is_kept = bits == 8 && self.kept(8) == 1;
        // Unsigned 8-bit samples stay where they are; planes are reordered frame by frame.
        let made = if is_kept { self.count() as u64 } else { count * self.kept(bits) };
        limit.allow(self.path, bytes.capacity() as u64 + made)?;
        if (bytes.len() as u64) < needed {
            let reason = format!("{} bytes of pixels instead of {needed}", bytes.len());
            return Err(self.damaged(reason));
        }
        bytes.truncate(needed as usize);
        if self.attributes.samples == 3 && self.attributes.is_planar {
            bytes.chunks_exact_mut(self.count()).for_each(interleave);
        }
        self.colours(&mut bytes);
        self.samples(bytes, bits)
    }

    /// Decodes samples of one bit, 0 or 1. They continue across the ends of rows and frames, and the first is in
    /// the least significant bit of a byte (DICOM PS3.5, 8.1.1). `is_swapped` says whether the bytes of words
    /// are in reverse order.
    fn single_bits(
        &self,
        bytes: &[u8],
        count: u64,
        is_swapped: bool,
        limit: Limit,
    ) -> Result<StoredPixels, DataError> {
        limit.allow(self.path, bytes.len() as u64 + count)?;
        if (bytes.len() as u64) < count.div_ceil(8) {
            let reason = format!("{} bytes of pixels instead of {}", bytes.len(), count.div_ceil(8));
            return Err(self.damaged(reason));
        }
        let bit = |place: usize| bytes[(place / 8) ^ usize::from(is_swapped)] >> (place % 8) & 1;
        if is_swapped && bytes.len() % 2 == 1 {
            return Err(self.damaged("its pixels end within a word"));
        }
        self.samples((0..count as usize).map(bit).collect(), 8)
    }

    /// Returns whether only every other pixel has colour differences, as YBR_FULL_422 announces. Some files
    /// announce it but have all samples. `length` is the number of bytes, and `needed` that of all samples.
    fn is_halved(&self, length: u64, needed: u64) -> bool {
        let Attributes { bits_allocated, samples, photometric, columns, .. } = self.attributes;
        (*samples, *bits_allocated, columns % 2) == (3, 8, 0)
            && photometric.ends_with("_422")
            && length < needed
            && length >= needed / 3 * 2
    }

    /// Returns the reason why pixels with fewer bytes than their samples need are complete but not supported, or
    /// `None` if they are not of this kind.
    fn unread(&self, length: u64, needed: u64) -> Option<String> {
        let Attributes { samples, photometric, .. } = self.attributes;
        let is_reduced = *samples == 3 && (photometric.ends_with("_422") || photometric.ends_with("_420"));
        (is_reduced && length < needed && length >= needed / 2)
            .then(|| format!("colours for every other pixel, not compressed, {photometric}"))
    }

    /// Converts colours to red, green and blue; grey values are not changed.
    fn colours(&self, bytes: &mut [u8]) {
        if self.attributes.samples == 3 {
            colour::to_rgb(&self.attributes.photometric, bytes);
        }
    }

    /// Decodes compressed pixels, frame by frame.
    fn compressed(&self, codec: Codec, pieces: &Pieces, limit: Limit) -> Result<StoredPixels, DataError> {
        let frames = self.attributes.frames;
        let refuse = |reason: String| self.damaged(reason);
        let mut all: Option<StoredPixels> = None;
        for frame in codestream::frames(codec, pieces, frames).map_err(refuse)? {
            let bytes = &pieces.bytes[frame];
            let Attributes { columns, rows, samples, bits_allocated, .. } = *self.attributes;
            let needs =
                codestream::check(codec, bytes, [columns, rows, samples], bits_allocated).map_err(refuse)?;
            let kept = self.count() as u64 * frames as u64 * self.kept(needs.bits);
            limit.allow(self.path, pieces.bytes.capacity() as u64 + kept + needs.bytes)?;
            self.is_lossy.set(self.is_lossy.get() || codestream::is_lossy(codec, bytes));
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

    /// Returns the decoded bytes of a frame: the channels are interleaved, with the least significant byte
    /// first.
    fn decode(&self, codec: Codec, bytes: &[u8], bits: usize) -> Result<Vec<u8>, DataError> {
        let Attributes { columns, rows, samples, syntax, photometric, .. } = self.attributes;
        let needed = self.count() * bits / 8;
        let has_colours = *samples == 3;
        // Whether the decoder returns the colours that the header names, rather than red, green and blue.
        let mut is_as_said = true;
        let decoded = match codec {
            Codec::Rle => rle::decode(bytes, columns * rows, *samples, bits / 8),
            // The decoder continues for seconds after the end of its data unless an end marker stops it.
            Codec::JpegLs => self.library(syntax, [bytes, &[0xff, 0xd9]].concat(), bits)?,
            Codec::Jpeg if has_colours && !jpeg::is_lossless(bytes) => {
                is_as_said = false;
                let (is_rgb, note) = colour::of_jpeg(bytes, photometric);
                self.note.set(self.note.get().or(note));
                self.library(syntax, colour::with_components(bytes, is_rgb), bits)?
            }
            Codec::Jpeg2000 if has_colours => {
                is_as_said = !jpeg2000::is_transformed(bytes);
                self.note.set(self.note.get().or(colour::of_jpeg2000(!is_as_said, photometric)));
                self.library(syntax, bytes.to_vec(), bits)?
            }
            _ => self.library(syntax, bytes.to_vec(), bits)?,
        };
        let mut decoded = decoded
            .filter(|decoded| decoded.len() == needed)
            .ok_or_else(|| self.damaged("its pixels cannot be decoded"))?;
        if codec == Codec::JpegLs && has_colours && bits == 8 && codestream::is_planar(bytes) {
            interleave(&mut decoded);
        }
        if is_as_said && bits == 8 {
            self.colours(&mut decoded);
        }
        Ok(decoded)
    }

    /// Decodes a frame with dicom-rs, as a file that has only this frame.
    fn library(&self, syntax: &str, bytes: Vec<u8>, bits: usize) -> Result<Option<Vec<u8>>, DataError> {
        let attributes = self.attributes;
        let Attributes { columns, rows, samples, .. } = *attributes;
        let short = |value: usize| u16::try_from(value).map_err(|_| self.damaged("a side is larger than 65535"));
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

    /// Decodes a frame of 12-bit JPEG, which dicom-rs does not support. Returns `None` for any other frame.
    fn twelve_bits(&self, bytes: &[u8]) -> Option<StoredPixels> {
        let is_it = self.attributes.syntax == "1.2.840.10008.1.2.4.51" && self.attributes.samples == 1;
        let frame = is_it.then(|| jpeg12::decode(bytes))??;
        let fits = (frame.width, frame.height) == (self.attributes.columns, self.attributes.rows);
        (fits && self.palette.is_none()).then_some(StoredPixels::U16(frame.samples))
    }

    /// Converts the bytes of one or all frames to samples of `bits` bits. Palette indices become colours.
    fn samples(&self, bytes: Vec<u8>, bits: usize) -> Result<StoredPixels, DataError> {
        let is_signed = self.attributes.is_signed;
        Ok(match (bits, self.attributes.samples, &self.palette) {
            (8, 1, Some(table)) => {
                StoredPixels::U8(bytes.iter().flat_map(|&index| table.colour(u16::from(index))).collect())
            }
            (16, 1, Some(table)) => {
                let indices = Writing::EXPLICIT.words(&bytes);
                StoredPixels::U8(indices.into_iter().flat_map(|index| table.colour(index)).collect())
            }
            (8, 1 | 3, None) if self.attributes.samples == 3 || !is_signed => StoredPixels::U8(bytes),
            (8, 1, None) => StoredPixels::I16(bytes.iter().map(|&byte| i16::from(byte as i8)).collect()),
            (16, 1, None) => self.sixteen(&bytes),
            (32, 1, None) => {
                let float = |&four: &[u8; 4]| {
                    let word = u32::from_le_bytes(four);
                    if is_signed { word as i32 as f32 } else { word as f32 }
                };
                StoredPixels::F32(bytes.as_chunks().0.iter().map(float).collect())
            }
            (bits, samples, _) => {
                let reason = format!("{samples} samples of {bits} bits a pixel");
                return Err(DataError::unsupported(self.path, &reason, MEND));
            }
        })
    }

    /// Returns 16-bit samples without the bits above the stored ones, which do not belong to the value.
    fn sixteen(&self, bytes: &[u8]) -> StoredPixels {
        let unused = 16 - self.attributes.bits_stored.clamp(1, 16) as u32;
        let words = bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair));
        if self.attributes.is_signed {
            StoredPixels::I16(words.map(|word| (word << unused) as i16 >> unused).collect())
        } else {
            StoredPixels::U16(words.map(|word| word << unused >> unused).collect())
        }
    }
}
