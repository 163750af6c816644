//! Reads the bytes of a DICOM file in order, and the headers of its elements. No memory is allocated merely
//! because a header claims a length.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use dicom_core::{Tag, VR};

use crate::data::{DataError, Limit};

/// An undefined length, which means that a delimiter ends the value.
const UNDEFINED: u32 = u32::MAX;

/// How elements are written: the part of a transfer syntax that concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Whether elements name their value representation.
    pub is_explicit: bool,
    /// Whether numbers begin with their most significant byte (big-endian).
    pub is_big: bool,
}

impl Writing {
    /// Explicit VR, little-endian, as in most transfer syntaxes.
    pub const EXPLICIT: Self = Self { is_explicit: true, is_big: false };
    /// Implicit VR, little-endian.
    pub const IMPLICIT: Self = Self { is_explicit: false, is_big: false };

    /// Returns a number of 16 bits.
    fn word(self, bytes: [u8; 2]) -> u16 {
        if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// Returns a number of 32 bits.
    fn long(self, bytes: [u8; 4]) -> u32 {
        if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Returns the 16-bit numbers of a value; an odd last byte is ignored.
    pub fn words(self, bytes: &[u8]) -> Vec<u16> {
        bytes.as_chunks().0.iter().map(|&pair| self.word(pair)).collect()
    }
}

/// The header of an element or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The tag of the element.
    pub tag: Tag,
    /// The value representation; `UN` if none is given.
    pub vr: VR,
    /// The number of bytes of the value; `None` if a delimiter ends it.
    pub length: Option<u32>,
}

/// Returns whether the length of a value representation has 32 bits in explicit VR (DICOM PS3.5, 7.1.2). This
/// holds for unknown ones as well.
pub fn is_long(vr: VR) -> bool {
    use VR::{AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, PN, SH, SL, SS, ST, TM, UI, UL, US};
    !matches!(
        vr,
        AE | AS | AT | CS | DA | DS | DT | FD | FL | IS | LO | LT | PN | SH | SL | SS | ST | TM | UI | UL | US
    )
}

/// The origin of the bytes.
enum Source<'a> {
    File(BufReader<File>),
    Bytes(Box<dyn Read + 'a>),
}

/// A file that is read from its beginning, or the inflated content of one.
pub struct Stream<'a> {
    path: &'a Path,
    source: Source<'a>,
    /// The bytes that were peeked at and not read yet.
    ahead: Vec<u8>,
    /// The number of bytes read so far.
    place: u64,
    /// The total number of bytes; `None` for inflated content, where it is not known.
    total: Option<u64>,
    limit: Limit,
}

impl<'a> Stream<'a> {
    /// Creates a stream of a file of `total` bytes.
    pub fn of_file(path: &'a Path, file: File, total: u64, limit: Limit) -> Self {
        let source = Source::File(BufReader::new(file));
        Self { path, source, ahead: Vec::new(), place: 0, total: Some(total), limit }
    }

    /// Returns a stream of the inflated rest of the file, at most `limit` bytes.
    pub fn inflated(self, limit: Limit) -> Self {
        let (path, ahead) = (self.path, std::io::Cursor::new(self.ahead));
        let rest: Box<dyn Read + 'a> = match self.source {
            Source::File(file) => Box::new(ahead.chain(file)),
            Source::Bytes(bytes) => Box::new(ahead.chain(bytes)),
        };
        let source = Source::Bytes(Box::new(flate2::read::DeflateDecoder::new(rest)));
        Self { path, source, ahead: Vec::new(), place: 0, total: None, limit }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Returns the memory limit.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Returns the number of bytes read so far.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// Returns the number of bytes left, or `None` if it is not known.
    pub fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.place))
    }

    /// Returns an error that names the file.
    pub fn damaged(&self, reason: impl std::fmt::Display) -> DataError {
        DataError::damaged(self.path, reason)
    }

    /// Returns the next bytes without reading them: `count`, or fewer at the end of the file.
    pub fn peek(&mut self, count: usize) -> Result<&[u8], DataError> {
        if self.ahead.len() < count {
            let missing = count - self.ahead.len();
            let mut ahead = std::mem::take(&mut self.ahead);
            let read = (&mut self.source).take(missing as u64).read_to_end(&mut ahead);
            read.map_err(|error| self.damaged(error))?;
            self.ahead = ahead;
        }
        Ok(&self.ahead[..self.ahead.len().min(count)])
    }

    /// Reads `N` bytes. Returns `None` if fewer are left.
    fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, DataError> {
        let bytes: Option<[u8; N]> = self.peek(N)?.try_into().ok();
        if bytes.is_some() {
            self.ahead.drain(..N);
            self.place += N as u64;
        }
        Ok(bytes)
    }

    /// Reads the header of the next element or item. Returns `None` at the end of the file.
    pub fn header(&mut self, writing: Writing) -> Result<Option<Header>, DataError> {
        let Some([a, b, c, d]) = self.array()? else { return Ok(None) };
        let tag = Tag(writing.word([a, b]), writing.word([c, d]));
        let early = "it ends in the header of an element";
        let Some(next) = self.array::<4>()? else { return Err(self.damaged(early)) };
        let (vr, length) = if tag.0 == 0xfffe || !writing.is_explicit {
            (VR::UN, writing.long(next))
        } else {
            let vr = VR::from_binary([next[0], next[1]]).unwrap_or(VR::UN);
            if is_long(vr) {
                let Some(length) = self.array()? else { return Err(self.damaged(early)) };
                (vr, writing.long(length))
            } else {
                (vr, u32::from(writing.word([next[2], next[3]])))
            }
        };
        Ok(Some(Header { tag, vr, length: (length != UNDEFINED).then_some(length) }))
    }

    /// Returns an error for a value that extends beyond `end` or the file, or that cannot be inflated within the
    /// limit.
    fn fits(&self, tag: Tag, length: u32, end: Option<u64>) -> Result<(), DataError> {
        let behind = self.place + u64::from(length);
        let total = [end, self.total].into_iter().flatten().min();
        if let Some(total) = total.filter(|total| behind > *total) {
            let (group, element, left) = (tag.0, tag.1, total.saturating_sub(self.place));
            return Err(self.damaged(format!(
                "element ({group:04x},{element:04x}) claims {length} bytes, and {left} are left"
            )));
        }
        match self.total {
            None => self.limit.allow(self.path, behind),
            Some(_) => Ok(()),
        }
    }

    /// Returns the position at which a value ends, or `None` if a delimiter ends it. The value must end before
    /// `end`, which is the end of the data around it.
    pub fn end_of(&self, header: Header, end: Option<u64>) -> Result<Option<u64>, DataError> {
        let Some(length) = header.length else { return Ok(None) };
        self.fits(header.tag, length, end)?;
        Ok(Some(self.place + u64::from(length)))
    }

    /// Skips a value of `length` bytes.
    pub fn skip(&mut self, tag: Tag, length: u32, end: Option<u64>) -> Result<(), DataError> {
        self.fits(tag, length, end)?;
        let held = self.ahead.len().min(length as usize);
        self.ahead.drain(..held);
        let rest = u64::from(length) - held as u64;
        let passed = match &mut self.source {
            Source::File(file) => file.seek_relative(rest as i64).map(|()| rest),
            Source::Bytes(bytes) => std::io::copy(&mut bytes.take(rest), &mut std::io::sink()),
        };
        self.place += u64::from(length);
        match passed {
            Ok(count) if count == rest => Ok(()),
            Ok(_) => Err(self.damaged("it ends within a value")),
            Err(error) => Err(self.damaged(error)),
        }
    }

    /// Reads a value and appends it to `bytes`.
    pub fn value(&mut self, header: Header, end: Option<u64>, bytes: &mut Vec<u8>) -> Result<(), DataError> {
        let length = header.length.unwrap_or(0);
        self.fits(header.tag, length, end)?;
        bytes.reserve_exact(length as usize);
        let held = self.ahead.len().min(length as usize);
        bytes.extend(self.ahead.drain(..held));
        let rest = u64::from(length) - held as u64;
        self.place += u64::from(length);
        match (&mut self.source).take(rest).read_to_end(bytes) {
            Ok(count) if count as u64 == rest => Ok(()),
            Ok(_) => Err(self.damaged("it ends within a value")),
            Err(error) => Err(self.damaged(error)),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}
