//! Determines the memory that the decoder would allocate before it decodes: for the lists of a directory, and
//! for what compressed data announce.

use std::ops::Range;

use super::directory::Directory;
use super::page::Page;
use crate::data::jpeg::{self, Frame};

/// The first tag of the private data of programs, which the decoder does not read.
const NOTES: u16 = 700;
/// The number of bytes that the decoder allocates for an entry of a list.
const ENTRY: u64 = 48;
/// The number of bytes of a frame header that are examined, with a margin.
const HEADER: usize = 64;

/// Returns the number of bytes that the decoder allocates for the lists of a directory. It allocates what a list
/// claims before it reads the list.
///
/// # Errors
/// Returns a message that names a list that is longer than the file.
pub(super) fn lists(directory: Directory) -> Result<u64, String> {
    let length = directory.file().len() as u64;
    let mut needed: u64 = 0;
    for entry in directory.entries().filter(|entry| entry.tag < NOTES) {
        let size = entry.size().unwrap_or(8);
        if entry.count.checked_mul(size).is_none_or(|all| all > length) {
            return Err(format!("tag {} claims {} numbers in a file of {length} bytes", entry.tag, entry.count));
        }
        // Each character of a text takes one byte.
        needed = needed.saturating_add(if entry.is_text() { entry.count } else { ENTRY * entry.count });
    }
    Ok(needed)
}

/// Refuses JPEG data that are larger than their strips or tiles, because the decoder would decode all of the
/// data for each strip or tile. Returns the number of samples of the largest frame.
///
/// # Errors
/// Returns a message with the size of a frame that is too large.
pub(super) fn frames(directory: Directory, page: &Page) -> Result<u64, String> {
    // Samples come in whole blocks of 8, and colour samples may cover two pixels along each side.
    let [columns, rows] = page.chunk().map(|side| (side as usize).max(1).next_multiple_of(16));
    let (mut larger, mut most) = (None, 0);
    see_frames(directory, |frame| {
        most = most.max((frame.columns * frame.rows * frame.samples) as u64);
        if frame.columns > columns || frame.rows > rows {
            larger = Some(frame);
        }
    });
    match larger {
        Some(frame) => {
            Err(format!("a part of {columns}x{rows} pixels has a JPEG of {}x{}", frame.columns, frame.rows))
        }
        None => Ok(most),
    }
}

/// Passes everything on a page that the decoder could take for a frame header to `see`. If the pages of a file
/// cannot be separated, everything in the file is passed.
fn see_frames(directory: Directory, mut see: impl FnMut(Frame)) {
    let bytes = directory.file();
    let Some((parts, tables)) = parts(directory).zip(jpeg_tables(directory)) else {
        return jpeg::frames(bytes).for_each(see);
    };
    jpeg::frames(tables).for_each(&mut see);
    // The decoder puts the tables before each part. It removes the end marker of the tables and the start marker
    // of the part, so a header may begin in one and end in the other.
    let before = &tables[..tables.len().saturating_sub(2)];
    let before = &before[before.len().saturating_sub(HEADER)..];
    if !before.is_empty() {
        for part in &parts {
            let begin = part.start.saturating_add(2).min(part.end);
            let joined = [before, &bytes[begin..part.end.min(begin + HEADER)]].concat();
            jpeg::frames(&joined).for_each(&mut see);
        }
    }
    for part in merged(parts) {
        jpeg::frames(&bytes[part]).for_each(&mut see);
    }
}

/// Merges ranges that overlap or touch. `parts` must be sorted by their starts.
pub(super) fn merged(parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for part in parts {
        match all.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => all.push(part),
        }
    }
    all
}

/// Returns the ranges of the strips or tiles within the file, sorted by their starts. Returns `None` if the
/// decoder could find other ranges.
pub(super) fn parts(directory: Directory) -> Option<Vec<Range<usize>>> {
    let length = directory.file().len();
    let (offsets, lengths) = match [273, 279, 324, 325].map(|tag| directory.times(tag)) {
        [1, 1, 0, 0] => directory.values(273).zip(directory.values(279))?,
        [0, 0, 1, 1] => directory.values(324).zip(directory.values(325))?,
        _ => return None,
    };
    let clamped = |(offset, size): (u64, u64)| {
        let start = usize::try_from(offset).unwrap_or(length).min(length);
        start..start.saturating_add(usize::try_from(size).unwrap_or(length)).min(length)
    };
    let is_whole = offsets.len() == lengths.len();
    let mut parts: Vec<_> = offsets.into_iter().zip(lengths).map(clamped).collect();
    parts.sort_by_key(|part| part.start);
    is_whole.then_some(parts)
}

/// Returns the JPEG tables (tag 347), which precede the data of every strip or tile. The result is empty if
/// there are none, and `None` if they cannot be determined.
fn jpeg_tables(directory: Directory<'_>) -> Option<&[u8]> {
    match directory.times(347) {
        0 => Some(&[]),
        1 => {
            let entry = directory.entry(347)?;
            directory.content(entry).filter(|_| entry.is_bytes())
        }
        _ => None,
    }
}

/// Returns the number of bytes of decoded data that the decoder of Zstandard keeps: the largest window of any
/// frame that may begin anywhere in the file (RFC 8878, 3.1.1.1). The decoder refuses windows of more than 128
/// MiB itself.
pub(super) fn zstd_window(bytes: &[u8]) -> u64 {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let window = |at: usize| -> Option<u64> {
        let descriptor = *bytes.get(at + 4)?;
        if descriptor & 0x20 == 0 {
            let byte = *bytes.get(at + 5)?;
            let base = 1_u64 << (10 + (byte >> 3));
            return Some(base + base / 8 * u64::from(byte & 7));
        }
        // In a single segment the window has the size of the content, which is stored after the dictionary's
        // number.
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let size = 1 << (descriptor >> 6);
        let field = bytes.get(at + 5 + dictionary..)?.get(..size)?;
        let number = field.iter().rev().fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
        Some(if size == 2 { number + 256 } else { number })
    };
    let starts = bytes.windows(4).enumerate().filter(|(_, four)| *four == MAGIC);
    starts.filter_map(|(at, _)| window(at)).filter(|&window| window <= 128 << 20).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directories;
    use super::*;

    #[test]
    fn a_list_longer_than_the_file_is_found() {
        let lists = |tag: u16, kind: u16, count: u32| {
            let mut bytes = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
            bytes.extend([tag, kind].iter().flat_map(|number| number.to_le_bytes()));
            bytes.extend([count, 8, 0].iter().flat_map(|number| number.to_le_bytes()));
            lists(Directories::of(&bytes).and_then(Directories::first).expect("a directory"))
        };
        assert_eq!(lists(273, 4, 3), Ok(3 * ENTRY));
        assert!(lists(256, 4, 4_784_129).is_err_and(|text| text.contains("tag 256 claims 4784129")));
        assert_eq!(lists(270, 2, 20), Ok(20));
        assert_eq!(lists(34_675, 7, 4_000_000_000), Ok(0), "a colour profile is not read");
    }

    #[test]
    fn lists_of_a_bigtiff_are_counted() {
        let lists = |count: u64| {
            let mut bytes = b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
            bytes.extend([273, 16].iter().flat_map(|number: &u16| number.to_le_bytes()));
            bytes.extend([count, 8, 0].iter().flat_map(|number| number.to_le_bytes()));
            lists(Directories::of(&bytes).and_then(Directories::first).expect("a directory"))
        };
        assert_eq!(lists(5), Ok(5 * ENTRY));
        assert!(lists(u64::MAX / 2).is_err());
    }

    #[test]
    fn the_window_of_zstandard() {
        let frame = |descriptor: u8, rest: &[u8]| [&[0, 0, 0x28, 0xb5, 0x2f, 0xfd, descriptor][..], rest].concat();
        assert_eq!(zstd_window(&frame(0, &[0x58])), 2 << 20);
        assert_eq!(zstd_window(&frame(0, &[0x5b])), (2 << 20) + 3 * (256 << 10));
        assert_eq!(zstd_window(&frame(0x60, &[0, 1])), 512);
        assert_eq!(zstd_window(&frame(0xa0, &[0, 0, 2, 0])), 2 << 16);
        assert_eq!(zstd_window(b"(\xb5/"), 0);
    }
}
