//! Reads the sheets of an XLSX workbook. calamine inflates everything in the file, and allocates the rectangle
//! around the outermost cells. It therefore receives a workbook that was inflated here, within limits, and is
//! asked for single cells.

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};

use super::header::LOOKED_AT;
use crate::data::error::one_line;

/// The most bytes of inflated XML; a prompt takes about two hundred.
const MOST_XML: u64 = 32 << 20;
/// The most bytes of a tag, which may list thousands of cells.
const MOST_TAG: usize = 64 << 10;
/// The most attributes of a tag. The limit is needed because the XML reader compares each attribute with all
/// before it.
const MOST_ATTRIBUTES: usize = 512;
/// Parts of a workbook that are not read and may have any content.
const UNREAD: [&[u8]; 7] =
    [b"docProps/", b"customXml/", b"xl/charts/", b"xl/comments", b"xl/drawings/", b"xl/pivot", b"xl/theme/"];
/// The most cells of a sheet.
const MOST_CELLS: usize = 4_000_000;
/// The most columns that are read.
const MOST_COLUMNS: u32 = 512;
/// The most bytes of text in all cells. The XML does not bound it, because many cells may refer to one shared
/// text.
const MOST_TEXT: usize = 64 << 20;

/// The most sheets that are read.
const MOST_SHEETS: usize = 64;
/// The most cells of a sheet, including empty ones, in which its header is searched.
const MOST_LOOKED_AT: usize = 20_000;

/// A row: its line number, from 1, and its cells.
type Line = (u64, Vec<String>);

/// A workbook whose sheets can be read.
pub struct Book(Xlsx<Cursor<Vec<u8>>>);

impl Book {
    /// Opens a workbook from the bytes of its file.
    ///
    /// # Errors
    /// Returns a one-line message if the file is not a workbook, is damaged or encrypted, or exceeds a limit.
    pub fn open(bytes: &[u8]) -> Result<Self, String> {
        Xlsx::new(Cursor::new(unpacked(bytes)?)).map(Self).map_err(|error| one_line(&error))
    }

    /// Returns the names of the sheets, at most 64.
    pub fn sheets(&self) -> Vec<String> {
        self.0.sheet_names().into_iter().take(MOST_SHEETS).collect()
    }

    /// Returns the rows that may contain a header.
    pub fn first_rows(&mut self, sheet: &str) -> Result<Vec<Line>, String> {
        Ok(lines(self.cells(sheet, Some(MOST_LOOKED_AT))?).take(LOOKED_AT).collect())
    }

    /// Iterates over the rows of a sheet that have a cell, in their order.
    pub fn rows(&mut self, sheet: &str) -> Result<impl Iterator<Item = Line> + use<>, String> {
        self.cells(sheet, None).map(lines)
    }

    /// Returns the cells of a sheet that are not empty, among its first `until` cells or among all.
    fn cells(&mut self, sheet: &str, until: Option<usize>) -> Result<Vec<Cell>, String> {
        let refuse = |error: calamine::XlsxError| one_line(&error);
        let mut reader = self.0.worksheet_cells_reader(sheet).map_err(refuse)?;
        let (mut cells, mut length, mut seen) = (Vec::new(), 0, 0);
        while until.is_none_or(|until| seen < until)
            && let Some(cell) = reader.next_cell().map_err(refuse)?
        {
            seen += 1;
            let ((row, column), value) = (cell.get_position(), Data::from(cell.get_value().clone()));
            if value == Data::Empty || column >= MOST_COLUMNS {
                continue;
            }
            let text = value.to_string();
            length += text.len();
            if length > MOST_TEXT || cells.len() == MOST_CELLS {
                return Err(format!("it has more than {MOST_CELLS} cells or {} MiB of text", MOST_TEXT >> 20));
            }
            cells.push(Cell { row, column, text });
        }
        Ok(cells)
    }
}

struct Cell {
    row: u32,
    column: u32,
    text: String,
}

fn lines(mut cells: Vec<Cell>) -> impl Iterator<Item = Line> {
    cells.sort_by_key(|cell| (cell.row, cell.column));
    let first = cells.iter().map(|cell| cell.column).min().unwrap_or(0);
    let mut rest = cells.into_iter().peekable();
    std::iter::from_fn(move || {
        let row = rest.peek()?.row;
        let mut line = Vec::new();
        while let Some(cell) = rest.next_if(|cell| cell.row == row) {
            line.resize((cell.column - first) as usize, String::new());
            line.push(cell.text);
        }
        Some((u64::from(row) + 1, line))
    })
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}

/// Returns an archive without compression of those XML parts of a workbook that are read.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let damaged = "its archive is damaged";
    let tail = bytes.len().saturating_sub(22 + 0xffff);
    let end =
        tail + bytes[tail..].windows(4).rposition(|four| four == b"PK\x05\x06").ok_or("it is no workbook")?;
    let (count, mut place) = short(bytes, end + 10).zip(long(bytes, end + 16)).ok_or(damaged)?;
    let mut archive = Archive::default();
    for _ in 0..count {
        let entry = bytes.get(place..).filter(|entry| entry.starts_with(b"PK\x01\x02")).ok_or(damaged)?;
        let number = |at| short(entry, at).ok_or(damaged);
        let (flags, method) = (number(8)?, number(10)?);
        let (name, extra, comment) = (number(28)?, number(30)?, number(32)?);
        let (packed, start) = long(entry, 20).zip(long(entry, 42)).ok_or(damaged)?;
        let name = entry.get(46..46 + name).ok_or(damaged)?;
        place += 46 + name.len() + extra + comment;
        let is_read = name.ends_with(b".xml") || name.ends_with(b".rels");
        if !is_read || UNREAD.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        if flags & 1 != 0 {
            return Err("it is encrypted".into());
        }
        let head = bytes.get(start..).filter(|head| head.starts_with(b"PK\x03\x04")).ok_or(damaged)?;
        let begin = 30 + short(head, 26).ok_or(damaged)? + short(head, 28).ok_or(damaged)?;
        let packed = begin.checked_add(packed).and_then(|end| head.get(begin..end)).ok_or(damaged)?;
        match method {
            0 => archive.add(name, packed)?,
            8 => archive.add(name, flate2::read::DeflateDecoder::new(packed))?,
            _ => return Err(format!("its archive is compressed by method {method}")),
        }
    }
    Ok(archive.finish())
}

/// An archive that is being written.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Archive {
    fn add(&mut self, name: &[u8], mut content: impl Read) -> Result<(), String> {
        let start = self.bytes.len();
        let mut common = vec![20, 0];
        common.resize(26, 0);
        common[22..24].copy_from_slice(&(name.len() as u16).to_le_bytes());
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name);
        let begin = self.bytes.len();
        let left = MOST_XML.saturating_sub(begin as u64);
        let read = content.by_ref().take(left + 1).read_to_end(&mut self.bytes);
        let length = read.map_err(|error| one_line(&error))?;
        if length as u64 > left {
            return Err(format!("it holds more than {} MiB", MOST_XML >> 20));
        }
        let content = &self.bytes[begin..];
        if tags(content).any(|tag| tag.len() > MOST_TAG) {
            return Err(format!("it has a tag of more than {MOST_TAG} bytes"));
        }
        if tags(content).any(|tag| tag.iter().filter(|&&byte| byte == b'=').count() > MOST_ATTRIBUTES) {
            return Err(format!("it has a tag of more than {MOST_ATTRIBUTES} attributes"));
        }
        let mut sum = flate2::Crc::new();
        sum.update(content);
        common[10..14].copy_from_slice(&sum.sum().to_le_bytes());
        for at in [14, 18] {
            common[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
        }
        self.bytes[start + 4..start + 4 + common.len()].copy_from_slice(&common);
        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(&common);
        self.directory.extend([0; 10]);
        self.directory.extend((start as u32).to_le_bytes());
        self.directory.extend(name);
        self.count += 1;
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        let (start, length) = (self.bytes.len() as u32, self.directory.len() as u32);
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend([self.count; 2].iter().flat_map(|value| value.to_le_bytes()));
        self.bytes.extend([length, start].iter().flat_map(|value| value.to_le_bytes()));
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

/// Iterates over the content of the tags, except for those that begin with `<!`, such as comments.
fn tags(xml: &[u8]) -> impl Iterator<Item = &[u8]> {
    let tags = xml.split(|&byte| byte == b'<').skip(1).filter(|tag| tag.first() != Some(&b'!'));
    tags.map(|tag| tag.split(|&byte| byte == b'>').next().unwrap_or(tag))
}
