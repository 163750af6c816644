//! Grey TIFF of 32 bit floating point samples, as scientific programs write them: one page of
//! uncompressed strips (TIFF 6.0, sections 2 and 19). The `image` crate reads every other common
//! TIFF but has no grey floating point type, and so refuses this one.

use super::{Image, Pixels};

/// Where the pixels of such a file lie.
pub(super) struct Layout {
    /// Pixels per row.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    big_endian: bool,
    /// Offset and length of each strip, in bytes.
    strips: Vec<(usize, usize)>,
}

impl Layout {
    /// The layout, or none if the file is damaged in its header or is another kind of TIFF.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II\x2a\0" => false,
            b"MM\0\x2a" => true,
            _ => return None,
        };
        let tags = Tags { bytes, big_endian };
        let one = |tag: u16, default: Option<u32>| match tags.values(tag) {
            Some(values) => values.first().copied(),
            None => default,
        };
        let uncompressed = one(259, Some(1))? == 1;
        let grey_float = one(277, Some(1))? == 1 && one(258, None)? == 32 && one(339, None)? == 3;
        if !(uncompressed && grey_float) {
            return None;
        }
        let (offsets, lengths) = (tags.values(273)?, tags.values(279)?);
        let strips = offsets.into_iter().zip(lengths).map(|(offset, length)| (offset as usize, length as usize));
        Some(Self { width: one(256, None)?, height: one(257, None)?, big_endian, strips: strips.collect() })
    }

    /// The pixels, or none if the file ends before them.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Image> {
        let (width, height) = (self.width as usize, self.height as usize);
        let count = width.checked_mul(height)?;
        let mut values = Vec::with_capacity(count.min(bytes.len() / 4));
        for &(offset, length) in &self.strips {
            let strip = bytes.get(offset..offset.checked_add(length)?)?;
            let left = count - values.len();
            values.extend(strip.as_chunks().0.iter().take(left).map(|&four| match self.big_endian {
                true => f32::from_be_bytes(four),
                false => f32::from_le_bytes(four),
            }));
        }
        let pixels = Pixels::F32(values);
        (pixels.len() == count).then_some(Image { width, height, channels: 1, pixels })
    }
}

/// The first directory of a file.
struct Tags<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl Tags<'_> {
    /// The numbers (8, 16 or 32 bit) stored under `tag`.
    fn values(&self, tag: u16) -> Option<Vec<u32>> {
        let directory = self.number(4, 4)? as usize;
        let entries = self.number(directory, 2)? as usize;
        let entry = (0..entries)
            .map(|index| directory + 2 + 12 * index)
            .find(|&entry| self.number(entry, 2) == Some(u32::from(tag)))?;
        let size = match self.number(entry + 2, 2)? {
            1 => 1,
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let count = self.number(entry + 4, 4)? as usize;
        // Up to four bytes stand in the entry itself, more behind an offset.
        let start = if count.checked_mul(size)? <= 4 { entry + 8 } else { self.number(entry + 8, 4)? as usize };
        self.bytes.get(start..start.checked_add(count * size)?)?;
        (0..count).map(|index| self.number(start + index * size, size)).collect()
    }

    /// An unsigned number of `size` bytes (1, 2 or 4) at `offset`.
    fn number(&self, offset: usize, size: usize) -> Option<u32> {
        let bytes = self.bytes.get(offset..offset.checked_add(size)?)?;
        let append = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
        Some(if self.big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) })
    }
}
