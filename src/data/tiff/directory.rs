//! Reads the directories of a TIFF or BigTIFF file (TIFF 6.0, section 2). BigTIFF has 64-bit counts and offsets.

use std::collections::HashSet;

/// The largest number of entries in all directories of one file. A directory counts as at least [`FEW`] entries,
/// so that 62,500 pages are allowed.
const MOST: usize = 1_000_000;
/// The smallest number of entries that is counted for a directory.
const FEW: usize = 16;
/// The tag of the orientation, which is the same in EXIF data and in a TIFF.
const ORIENTATION: u16 = 274;

/// The bytes of a file with TIFF directories, and how its numbers are written.
#[derive(Clone, Copy)]
pub(in crate::data) struct Directories<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// Whether the file is a BigTIFF.
    is_big: bool,
}

impl<'a> Directories<'a> {
    /// Reads the header of a file. Returns `None` if it does not begin like a TIFF.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let (big_endian, is_big) = match bytes.get(..4)? {
            b"II\x2a\0" => (false, false),
            b"MM\0\x2a" => (true, false),
            b"II\x2b\0" => (false, true),
            b"MM\0\x2b" => (true, true),
            _ => return None,
        };
        Some(Self { bytes, big_endian, is_big })
    }

    /// Returns the first directory, or `None` if it lies outside the file.
    pub fn first(self) -> Option<Directory<'a>> {
        self.at(if self.is_big { self.number(8, 8)? } else { self.number(4, 4)? })
    }

    /// Returns the directories in the order of their chain. The chain ends when it returns to an earlier
    /// directory or leaves the file. Returns `None` if they have more entries than any real file.
    pub fn all(self) -> Option<Vec<Directory<'a>>> {
        let mut seen = HashSet::new();
        let (mut all, mut entries) = (Vec::new(), 0);
        let mut next = self.first();
        while let Some(directory) = next.filter(|directory| seen.insert(directory.entries_at)) {
            entries += directory.count.max(FEW);
            if entries > MOST {
                return None;
            }
            next = directory.next();
            all.push(directory);
        }
        Some(all)
    }

    /// Returns the directory at an offset, or `None` if it lies outside the file.
    fn at(self, offset: u64) -> Option<Directory<'a>> {
        let start = usize::try_from(offset).ok().filter(|&start| start > 0)?;
        let size = if self.is_big { 8 } else { 2 };
        let count = usize::try_from(self.number(start, size)?).ok()?;
        // The count is limited to the entries that fit into the file.
        let available = self.bytes.len().saturating_sub(start) / if self.is_big { 20 } else { 12 };
        Some(Directory { file: self, entries_at: start + size, count: count.min(available + 1) })
    }

    /// Returns the unsigned number of `size` bytes (1, 2, 4 or 8) at `offset`, or `None` if it lies outside the
    /// file.
    fn number(self, offset: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(offset..offset.checked_add(size)?)?;
        let append = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        Some(if self.big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) })
    }
}

/// A directory, which describes one page.
#[derive(Clone, Copy)]
pub(in crate::data) struct Directory<'a> {
    file: Directories<'a>,
    /// The offset of the first entry.
    entries_at: usize,
    /// The number of entries, limited to what fits into the file.
    count: usize,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Entry {
    /// The tag.
    pub tag: u16,
    /// The type code of the numbers (TIFF 6.0, section 2).
    kind: u64,
    /// The number of numbers.
    pub count: u64,
    /// The offset of the numbers in the file; they may lie in the entry itself.
    place: u64,
}

impl Entry {
    /// Returns the number of bytes of one number, or `None` for an unknown type.
    pub fn size(&self) -> Option<u64> {
        match self.kind {
            1 | 2 | 6 | 7 => Some(1),
            3 | 8 => Some(2),
            4 | 9 | 11 | 13 => Some(4),
            5 | 10 | 12 | 16..=18 => Some(8),
            _ => None,
        }
    }

    /// Returns whether the entry has bytes of unspecified meaning.
    pub fn is_bytes(&self) -> bool {
        matches!(self.kind, 1 | 7)
    }

    /// Returns whether the entry is a text.
    pub fn is_text(&self) -> bool {
        self.kind == 2
    }
}

impl<'a> Directory<'a> {
    /// Iterates over the entries that lie within the file.
    pub fn entries(self) -> impl Iterator<Item = Entry> + 'a {
        let file = self.file;
        let (length, width) = if file.is_big { (20, 8) } else { (12, 4) };
        (0..self.count).map_while(move |index| {
            let at = self.entries_at.checked_add(index.checked_mul(length)?)?;
            let (tag, kind) = (file.number(at, 2)? as u16, file.number(at + 2, 2)?);
            let (count, value) = (file.number(at + 4, width)?, at + 4 + width);
            let entry = Entry { tag, kind, count, place: value as u64 };
            // Numbers that do not fit into the entry are stored at an offset.
            let is_inside =
                entry.size().and_then(|size| count.checked_mul(size)).is_none_or(|all| all <= width as u64);
            Some(if is_inside { entry } else { Entry { place: file.number(value, width)?, ..entry } })
        })
    }

    /// Returns whether the type of an entry is unknown, so that the length of its numbers cannot be determined.
    pub fn has_unknown_types(self) -> bool {
        self.entries().any(|entry| entry.size().is_none())
    }

    /// Returns whether the file is a BigTIFF.
    pub fn is_big(self) -> bool {
        self.file.is_big
    }

    /// Returns the entry of a tag. If there are several, it returns the last one, as the decoder does.
    pub fn entry(self, tag: u16) -> Option<Entry> {
        self.entries().filter(|entry| entry.tag == tag).last()
    }

    /// Returns how often a tag occurs in the directory.
    pub fn times(self, tag: u16) -> usize {
        self.entries().filter(|entry| entry.tag == tag).count()
    }

    /// Returns the unsigned integers stored under `tag`. Returns `None` if the tag is missing, has another type,
    /// or lies outside the file.
    pub fn values(self, tag: u16) -> Option<Vec<u64>> {
        let (entry, size) = self.whole(tag)?;
        self.range(entry)?.step_by(size).map(|at| self.file.number(at, size)).collect()
    }

    /// Returns the first of the unsigned integers stored under `tag`, or `None` as [`Self::values`] does or if
    /// there are none.
    pub fn one(self, tag: u16) -> Option<u64> {
        let (entry, size) = self.whole(tag)?;
        self.range(entry).filter(|range| !range.is_empty()).and_then(|range| self.file.number(range.start, size))
    }

    /// Returns the entry of a tag and the number of bytes of each of its numbers, if these are unsigned
    /// integers.
    fn whole(self, tag: u16) -> Option<(Entry, usize)> {
        let entry = self.entry(tag).filter(|entry| matches!(entry.kind, 1 | 3 | 4 | 13 | 16 | 18))?;
        Some((entry, entry.size()? as usize))
    }

    /// Returns the bytes of an entry's numbers, or `None` if they lie outside the file.
    pub fn content(self, entry: Entry) -> Option<&'a [u8]> {
        self.file.bytes.get(self.range(entry)?)
    }

    /// Returns the range of an entry's numbers in the file, or `None` if they lie outside it.
    pub fn range(self, entry: Entry) -> Option<std::ops::Range<usize>> {
        let length = usize::try_from(entry.size()?.checked_mul(entry.count)?).ok()?;
        let start = usize::try_from(entry.place).ok()?;
        let end = start.checked_add(length).filter(|&end| end <= self.file.bytes.len())?;
        Some(start..end)
    }

    /// Returns the orientation, 1 to 8, or `None` if it is missing or invalid.
    pub fn orientation(self) -> Option<u16> {
        let orientation = self.one(ORIENTATION)?;
        u16::try_from(orientation).ok().filter(|number| (1..=8).contains(number))
    }

    /// Returns the next directory of the chain, or `None` if there is none.
    fn next(self) -> Option<Self> {
        let (length, width) = if self.file.is_big { (20, 8) } else { (12, 4) };
        let at = self.entries_at.checked_add(self.count.checked_mul(length)?)?;
        self.file.at(self.file.number(at, width)?)
    }

    /// Returns `value` as `size` bytes, at most 8, in the byte order of this file.
    pub fn written(self, value: u64, size: usize) -> Vec<u8> {
        if self.file.big_endian {
            value.to_be_bytes()[8 - size..].to_vec()
        } else {
            value.to_le_bytes()[..size].to_vec()
        }
    }

    /// Returns all bytes of the file.
    pub fn file(self) -> &'a [u8] {
        self.file.bytes
    }
}
