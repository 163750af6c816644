//! Reads the bytes of a DICOM file in order, and the headers of its elements. Nothing is allocated because a header
//! claims it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use dicom_core::{Tag, VR};

use crate::data::{DataError, Limit};

/// Undefined length: the value ends with a delimiter.
const UNDEFINED: u32 = u32::MAX;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Whether elements name their type.
    pub is_explicit: bool,
    /// Whether numbers begin with their most significant byte.
    pub is_big: bool,
}

impl Writing {
    /// Explicit, least significant byte first, as in all but three transfer syntaxes.
    pub const EXPLICIT: Self = Self { is_explicit: true, is_big: false };
    /// Implicit, least significant byte first.
    pub const IMPLICIT: Self = Self { is_explicit: false, is_big: false };

    fn word(self, bytes: [u8; 2]) -> u16 {
        if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn long(self, bytes: [u8; 4]) -> u32 {
        if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Returns the 16-bit numbers of a value.
    pub fn words(self, bytes: &[u8]) -> Vec<u16> {
        bytes.as_chunks().0.iter().map(|&pair| self.word(pair)).collect()
    }
}

/// The header of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The element.
    pub tag: Tag,
    /// The type; `UN` if none is given.
    pub vr: VR,
    /// Bytes of the value; `None` if a delimiter ends it.
    pub length: Option<u32>,
}

/// Whether the length of a type has 32 bits (DICOM PS3.5, 7.1.2), as for unknown types.
pub fn is_long(vr: VR) -> bool {
    use VR::{AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, PN, SH, SL, SS, ST, TM, UI, UL, US};
    !matches!(
        vr,
        AE | AS | AT | CS | DA | DS | DT | FD | FL | IS | LO | LT | PN | SH | SL | SS | ST | TM | UI | UL | US
    )
}

enum Source<'a> {
    File(BufReader<File>),
    Bytes(Box<dyn Read + 'a>),
}

/// A file from its beginning, or the inflated content of one.
pub struct Stream<'a> {
    path: &'a Path,
    source: Source<'a>,
    /// Bytes that were peeked at and not read yet.
    ahead: Vec<u8>,
    place: u64,
    /// Total number of bytes; not known for inflated content.
    total: Option<u64>,
    limit: Limit,
}

impl<'a> Stream<'a> {
    /// Reads a file of `total` bytes.
    pub fn of_file(path: &'a Path, file: File, total: u64, limit: Limit) -> Self {
        let source = Source::File(BufReader::new(file));
        Self { path, source, ahead: Vec::new(), place: 0, total: Some(total), limit }
    }

    /// Inflates the rest of the file, at most `limit`.
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

    /// Returns the number of bytes left; `None` if it is not known.
    pub fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.place))
    }

    /// Makes an error that names the file.
    pub fn damaged(&self, reason: impl std::fmt::Display) -> DataError {
        DataError::damaged(self.path, reason)
    }

    /// Returns the next bytes, at most `count`, without reading them.
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

    /// Reads `N` bytes; `None` if fewer are left.
    fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, DataError> {
        let bytes: Option<[u8; N]> = self.peek(N)?.try_into().ok();
        if bytes.is_some() {
            self.ahead.drain(..N);
            self.place += N as u64;
        }
        Ok(bytes)
    }

    /// Reads the header of the next element or item; `None` at the end.
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

    /// Refuses a value that extends beyond `end` or the file, or that cannot be inflated within the limit.
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

    /// Returns where a value ends; `None` if a delimiter ends it.
    pub fn end_of(&self, header: Header, end: Option<u64>) -> Result<Option<u64>, DataError> {
        let Some(length) = header.length else { return Ok(None) };
        self.fits(header.tag, length, end)?;
        Ok(Some(self.place + u64::from(length)))
    }

    /// Skips a value.
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

    /// Appends a value to `bytes`.
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
