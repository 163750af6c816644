//! What the directory of a TIFF announces, and grey TIFF of 32 bit floating point samples, as scientific programs write them: one page
//! of uncompressed strips (TIFF 6.0, sections 2 and 19). The `image` crate reads every other common TIFF but has no grey floating point
//! type, and so refuses this one.

use std::ops::Range;

use super::jpeg::Frame;
use super::{Image, Pixels, jpeg};

/// Tags from here on are notes of programs, which the decoder does not read.
const NOTES: u32 = 700;
/// Bytes that the decoder takes for an entry of a list.
const ENTRY: u64 = 48;

/// Bytes that the decoder takes for the lists of the first directory; it takes them by what a list claims, before it reads it. The error
/// says which list is longer than the file.
pub(super) fn lists(bytes: &[u8]) -> Result<u64, String> {
    let big_endian = bytes.starts_with(b"MM");
    let tags = Tags { bytes, big_endian };
    let entries = || tags.number(4, 4).map(|start| (start as usize, tags.number(start as usize, 2).unwrap_or(0)));
    let Some((start, count)) = entries() else { return Ok(0) };
    let mut needed = 0;
    for index in 0..count as usize {
        let at = start + 2 + 12 * index;
        let [Some(tag), Some(kind), Some(count)] =
            [(at, 2), (at + 2, 2), (at + 4, 4)].map(|(at, size)| tags.number(at, size))
        else {
            break;
        };
        let size: u64 = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            _ => 8,
        };
        if tag < NOTES {
            if size * u64::from(count) > bytes.len() as u64 {
                return Err(format!("tag {tag} claims {count} numbers in a file of {} bytes", bytes.len()));
            }
            // Of text a letter is a byte.
            needed += if kind == 2 { u64::from(count) } else { ENTRY * u64::from(count) };
        }
    }
    Ok(needed)
}

/// Refuses JPEG in strips or tiles that is larger than they are: the decoder would decode all of it, for each of them. The error says how
/// large it is.
pub(super) fn check_frames(bytes: &[u8], width: u32, height: u32) -> Result<(), String> {
    let tags = Tags { bytes, big_endian: bytes.starts_with(b"MM") };
    let one = |tag| tags.values(tag).and_then(|values| values.first().map(|&value| value as usize));
    // Whole blocks of samples, of which a pixel may have two a side.
    let [columns, rows] = match (one(322), one(323)) {
        (Some(columns), Some(rows)) => [columns, rows],
        _ => [width as usize, one(278).unwrap_or(usize::MAX).min(height as usize)],
    }
    .map(|side| side.max(1).next_multiple_of(16));
    let mut larger = None;
    frames(bytes, |frame| {
        if frame.columns > columns || frame.rows > rows {
            larger = Some(frame);
        }
    });
    match larger {
        Some(frame) => {
            Err(format!("a part of {columns}x{rows} pixels has a JPEG of {}x{}", frame.columns, frame.rows))
        }
        None => Ok(()),
    }
}

/// Samples of the largest JPEG of the first page.
pub(super) fn largest_frame(bytes: &[u8]) -> u64 {
    let mut largest = 0;
    frames(bytes, |frame| largest = largest.max((frame.columns * frame.rows * frame.samples) as u64));
    largest
}

/// Bytes of a frame header that are looked at, with room to spare.
const HEADER: usize = 64;

/// Shows `see` what the decoder may take for a frame header on the first page; of a file whose first page cannot be told from the others,
/// on any.
fn frames(bytes: &[u8], mut see: impl FnMut(Frame)) {
    let tags = Tags { bytes, big_endian: bytes.starts_with(b"MM") };
    let Some((parts, tables)) = tags.parts().zip(tags.jpeg_tables()) else {
        return jpeg::frames(bytes).for_each(see);
    };
    jpeg::frames(tables).for_each(&mut see);
    // The decoder puts the tables before each part, without their end marker and its start marker: a header may begin in the one and end
    // in the other.
    let before = &tables[..tables.len().saturating_sub(2)];
    let before = &before[before.len().saturating_sub(HEADER)..];
    if !before.is_empty() {
        for part in &parts {
            let begin = part.start.saturating_add(2).min(part.end);
            let joined = [before, &bytes[begin..part.end.min(begin + HEADER)]].concat();
            jpeg::frames(&joined).for_each(&mut see);
        }
    }
    // Many parts may be the same bytes, which are looked at once.
    let mut rest = parts.into_iter().peekable();
    while let Some(mut part) = rest.next() {
        while let Some(next) = rest.next_if(|next| next.start <= part.end) {
            part.end = part.end.max(next.end);
        }
        jpeg::frames(&bytes[part]).for_each(&mut see);
    }
}

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
        let entry = self.entries()?.find(|&entry| self.number(entry, 2) == Some(u32::from(tag)))?;
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

    /// Where the strips or tiles lie within the file, by their places; none where the decoder may find others.
    fn parts(&self) -> Option<Vec<Range<usize>>> {
        let is_classic = matches!(self.bytes.get(..4)?, b"II\x2a\0" | b"MM\0\x2a");
        let (offsets, lengths) = match [273, 279, 324, 325].map(|tag| self.count(tag)) {
            [Some(1), Some(1), Some(0), Some(0)] => self.values(273).zip(self.values(279))?,
            [Some(0), Some(0), Some(1), Some(1)] => self.values(324).zip(self.values(325))?,
            _ => return None,
        };
        let clamped = |(offset, length): (u32, u32)| {
            let start = (offset as usize).min(self.bytes.len());
            start..start.saturating_add(length as usize).min(self.bytes.len())
        };
        let is_whole = is_classic && offsets.len() == lengths.len();
        let mut parts: Vec<_> = offsets.into_iter().zip(lengths).map(clamped).collect();
        parts.sort_by_key(|part| part.start);
        is_whole.then_some(parts)
    }

    /// What the JPEG of every strip or tile begins with, empty where there is nothing; none where it cannot be told.
    fn jpeg_tables(&self) -> Option<&[u8]> {
        match self.count(347)? {
            0 => Some(&[]),
            1 => {
                let entry = self.entries()?.find(|&entry| self.number(entry, 2) == Some(347))?;
                let count = self.number(entry + 4, 4)? as usize;
                let start = if count <= 4 { entry + 8 } else { self.number(entry + 8, 4)? as usize };
                let is_bytes = matches!(self.number(entry + 2, 2)?, 1 | 7);
                self.bytes.get(start..start.checked_add(count)?).filter(|_| is_bytes)
            }
            _ => None,
        }
    }

    /// How often `tag` stands in the directory. Of several entries the decoder takes the last.
    fn count(&self, tag: u32) -> Option<usize> {
        Some(self.entries()?.filter(|&entry| self.number(entry, 2) == Some(tag)).count())
    }

    /// Where the entries of the directory lie.
    fn entries(&self) -> Option<impl Iterator<Item = usize>> {
        let directory = self.number(4, 4)? as usize;
        let entries = self.number(directory, 2)? as usize;
        Some((0..entries).map(move |index| directory + 2 + 12 * index))
    }

    /// An unsigned number of `size` bytes (1, 2 or 4) at `offset`.
    fn number(&self, offset: usize, size: usize) -> Option<u32> {
        let bytes = self.bytes.get(offset..offset.checked_add(size)?)?;
        let append = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
        Some(if self.big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_longer_than_the_file_is_found() {
        let directory = |tag: u16, kind: u16, count: u32| {
            let mut bytes = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
            bytes.extend([tag, kind].iter().flat_map(|number| number.to_le_bytes()));
            bytes.extend([count, 8, 0].iter().flat_map(|number| number.to_le_bytes()));
            bytes
        };
        assert_eq!(lists(&directory(273, 4, 3)), Ok(3 * ENTRY));
        assert!(lists(&directory(256, 4, 4_784_129)).is_err_and(|text| text.contains("tag 256 claims 4784129")));
        assert_eq!(lists(&directory(270, 2, 20)), Ok(20));
        assert_eq!(lists(&directory(34_675, 7, 4_000_000_000)), Ok(0), "a colour profile is not read");
        assert_eq!(lists(b"II\x2a\0"), Ok(0));
    }
}
