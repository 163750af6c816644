//! Reads tables of prompts: CSV in any usual encoding and with any usual separator, XLSX, and JSON.

use std::io::Read;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::header::{self, Header};
use super::row::{Row, push};
use super::{entries, workbook};
use crate::data::DataError;
use crate::data::error::{caught, one_line};

/// The largest accepted size of a table file, in bytes.
const MOST_BYTES: u64 = 64 << 20;
/// The most cells of a CSV table.
const MOST_CELLS: usize = 8_000_000;
/// The most columns of a CSV table that are read.
const MOST_COLUMNS: usize = 512;
/// The number of bytes at the beginning of a text in which its separator is searched.
const MOST_TOP: usize = 64 << 10;

/// Returns the rows of the table at `path`, and remarks about how it was read.
///
/// # Errors
/// Returns an error if the file cannot be read, is not a table, is too large, or lacks a column.
pub fn read(path: &Path) -> Result<(Vec<Row>, Vec<String>), DataError> {
    of_bytes(path, bytes(path)?)
}

/// Returns what [`read`] does, for a table at `path` with this content.
///
/// # Errors
/// Returns the errors of [`read`].
pub(super) fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<(Vec<Row>, Vec<String>), DataError> {
    let refuse = |reason: String| DataError::Table { path: path.to_owned(), reason };
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    match end.as_str() {
        "xlsx" => caught(path, || of_workbook(path, &bytes)),
        "json" => {
            let (text, remarks) = decoded(path, bytes);
            let entries = entries::read(&text).map_err(refuse)?;
            if entries.rows.is_empty() && !entries.is_empty {
                let needed = "image name and prompt".into();
                return Err(DataError::NoColumns { path: path.to_owned(), needed, found: "neither".into() });
            }
            Ok((entries.rows, remarks))
        }
        _ => {
            let (text, mut remarks) = decoded(path, bytes);
            let (declared, text, passed) = declared_separator(&text);
            let separator = declared.unwrap_or_else(|| separator(text));
            if separator != b',' {
                let name = if separator == b'\t' { "tabs".into() } else { format!("'{}'", char::from(separator)) };
                remarks.push(format!("{} is separated by {name}", path.display()));
            }
            if text.bytes().filter(|byte| *byte == separator).count() > MOST_CELLS {
                return Err(refuse(format!("it has more than {MOST_CELLS} cells")));
            }
            let rows = separated(text, separator).map(|row| row.map(|(line, cells)| (line + passed, cells)));
            Ok((rows_of(path, rows, true, &mut remarks)?, remarks))
        }
    }
}

/// Reads the rows of a workbook's first sheet that has both columns.
fn of_workbook(path: &Path, bytes: &[u8]) -> Result<(Vec<Row>, Vec<String>), DataError> {
    let refuse = |reason: String| DataError::Table { path: path.to_owned(), reason };
    let mut book = workbook::Book::open(bytes).map_err(refuse)?;
    let names = book.sheets();
    // Sheets that cannot be read, for instance charts, are ignored.
    let has_columns = |book: &mut workbook::Book, name: &String| {
        book.first_rows(name).is_ok_and(|rows| header::find(&rows).is_some_and(|header| header.is_written))
    };
    let place = names.iter().position(|name| has_columns(&mut book, name)).unwrap_or(0);
    let name = names.get(place).ok_or_else(|| refuse("it has no sheet".into()))?;
    let mut remarks = Vec::new();
    if place > 0 {
        let name: String = name.chars().take(60).collect();
        remarks.push(format!("{} is read from its sheet '{name}', which has the columns", path.display()));
    }
    let rows = book.rows(name).map_err(refuse)?;
    Ok((rows_of(path, rows.map(Ok), false, &mut remarks)?, remarks))
}

/// Reads the content of a file, unless it is too large for a table.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let length = file.metadata().map_err(|error| DataError::reading(path, &error))?.len();
    let mut bytes = Vec::new();
    if length <= MOST_BYTES {
        bytes.reserve_exact(length as usize);
        // A pipe, for instance, can deliver more bytes than its size states.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| DataError::reading(path, &error))?;
    }
    if length.max(bytes.len() as u64) > MOST_BYTES {
        let reason = format!("it has more than {} MiB; a table of prompts has a few", MOST_BYTES >> 20);
        return Err(DataError::Table { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// Reads and decodes a text file, such as a list of names.
pub fn text(path: &Path) -> Result<String, DataError> {
    Ok(decoded(path, bytes(path)?).0)
}

/// Decodes a text by its byte order mark. Without one, it is read as UTF-16 if one of the two bytes of its first
/// characters is zero, else as UTF-8 if that is valid, else as Windows-1252. A remark names the encoding if it is
/// not UTF-8, and another one says if parts of the text are not valid in it.
fn decoded(path: &Path, bytes: Vec<u8>) -> (String, Vec<String>) {
    let (encoding, mark) = encoding(&bytes);
    let (text, is_damaged) = match (encoding == UTF_8, mark) {
        (true, 0) => (String::from_utf8(bytes).unwrap_or_default(), false),
        _ => {
            let (text, is_damaged) = encoding.decode_without_bom_handling(&bytes[mark..]);
            (text.into_owned(), is_damaged)
        }
    };
    let mut remarks = Vec::new();
    if encoding != UTF_8 {
        remarks.push(format!("{} is read as {}", path.display(), encoding.name()));
    }
    if is_damaged {
        let (path, name) = (path.display(), encoding.name());
        remarks
            .push(format!("{path} has bytes that are not {name}, which are read as \u{fffd}; save it as UTF-8"));
    }
    (text, remarks)
}

/// Decodes a text of which every byte is to be kept, see [`decoded`], and returns its encoding and the length of its byte
/// order mark with it.
///
/// # Errors
/// Returns a message if the text is not valid in one encoding as a whole. Without a byte order mark, a text that is not
/// UTF-8 throughout but has letters in UTF-8 may have been put together from several files.
pub(super) fn decoded_exactly(bytes: &[u8]) -> Result<(String, &'static Encoding, usize), String> {
    let (encoding, mark) = encoding(bytes);
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    let Some(text) = text.filter(|text| !text.contains('\0')) else {
        return Err(format!("it has bytes that are not {}; save the table as UTF-8", encoding.name()));
    };
    if encoding == WINDOWS_1252 {
        if bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
            return Err("some of its rows are UTF-8 and others are not; save the table as UTF-8".into());
        }
        // The bytes to which Windows-1252 gives no letter are decoded as control characters.
        if text.contains(|letter: char| ('\u{80}'..='\u{9f}').contains(&letter)) {
            return Err("its encoding is not known; save the table as UTF-8".into());
        }
    }
    Ok((text.into_owned(), encoding, mark))
}

/// Returns the encoding of a text, see [`decoded`], and the length of its byte order mark.
fn encoding(bytes: &[u8]) -> (&'static Encoding, usize) {
    if let Some(found) = Encoding::for_bom(bytes) {
        return found;
    }
    match bytes {
        [_, 0, _, 0, ..] => (UTF_16LE, 0),
        [0, _, 0, _, ..] => (UTF_16BE, 0),
        _ if std::str::from_utf8(bytes).is_ok() => (UTF_8, 0),
        _ => (WINDOWS_1252, 0),
    }
}

/// Returns the separator that a first line such as `sep=;` declares, as Excel writes and reads it, the text
/// after that line, and the number of skipped lines.
pub(super) fn declared_separator(text: &str) -> (Option<u8>, &str, u64) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    let said = first.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &first.as_bytes()[4..]);
    match said {
        Some(&[separator]) if separator.is_ascii() && !separator.is_ascii_alphanumeric() => {
            (Some(separator), rest, 1)
        }
        _ => (None, text, 0),
    }
}

/// A text of separated cells, for tables other than those of prompts.
pub struct Separated {
    text: String,
    separator: u8,
    /// The number of lines above `text` that were skipped.
    passed: u64,
}

impl Separated {
    /// Reads a table at `path` in any usual encoding and with any usual separator. `is_header` recognises the cells of the
    /// first row.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is too large.
    pub fn read(path: &Path, is_header: impl Fn(&[String]) -> bool) -> Result<Self, DataError> {
        Ok(Self::of(&text(path)?, is_header))
    }

    /// Does the same with the text of a table.
    pub fn of(text: &str, is_header: impl Fn(&[String]) -> bool) -> Self {
        let (declared, text, passed) = declared_separator(text);
        let finds = |rows: &[(u64, Vec<String>)]| rows.first().is_some_and(|(_, cells)| is_header(cells));
        let separator = declared.unwrap_or_else(|| separator_by(text, finds));
        Self { text: text.to_owned(), separator, passed }
    }

    /// Iterates over the line number and the cells of every row, including the header.
    pub fn rows(&self) -> impl Iterator<Item = Result<(u64, Vec<String>), String>> {
        let passed = self.passed;
        separated(&self.text, self.separator).map(move |row| row.map(|(line, cells)| (line + passed, cells)))
    }
}

/// Returns the separator of the columns of a table of prompts, see [`separator_by`].
pub(super) fn separator(text: &str) -> u8 {
    separator_by(text, |rows| header::find(rows).is_some_and(|header| header.is_written))
}

/// Returns the separator of the columns: the first with whose first rows `finds` finds a header, in the order of their
/// frequency in the first line that is not blank, or else the most frequent one.
fn separator_by(text: &str, finds: impl Fn(&[(u64, Vec<String>)]) -> bool) -> u8 {
    let first = text.lines().find(|line| !line.trim_matches(['"', ' ']).is_empty()).unwrap_or_default();
    let count = |separator: u8| first.bytes().filter(|byte| *byte == separator).count();
    let mut order = [b',', b';', b'\t', b'|'];
    // The sort is stable, so that a comma comes first unless another separator is more frequent.
    order.sort_by_key(|separator| std::cmp::Reverse(count(*separator)));
    let top = &text[..text.floor_char_boundary(MOST_TOP)];
    let fits = |separator: &u8| {
        let rows: Vec<_> = separated(top, *separator).take(header::LOOKED_AT).map_while(Result::ok).collect();
        finds(&rows)
    };
    order.into_iter().find(fits).unwrap_or(order[0])
}

/// Iterates over the line number and the cells of every row, including the header.
fn separated(text: &str, separator: u8) -> impl Iterator<Item = Result<(u64, Vec<String>), String>> {
    let mut builder = csv::ReaderBuilder::new();
    let reader = builder.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    reader.into_records().map(|record| {
        let record = record.map_err(|error| one_line(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.iter().take(MOST_COLUMNS).map(str::to_owned).collect()))
    })
}

/// Finds the two columns and takes them from every row below their header. If `are_even`, as for a text file,
/// all rows must have as many cells as the header; another number means that a prompt lacks its quotes.
fn rows_of(
    path: &Path,
    mut rows: impl Iterator<Item = Result<(u64, Vec<String>), String>>,
    are_even: bool,
    remarks: &mut Vec<String>,
) -> Result<Vec<Row>, DataError> {
    let refuse = |reason: String| DataError::Table { path: path.to_owned(), reason };
    let mut top = Vec::new();
    while top.len() < header::LOOKED_AT
        && let Some(row) = rows.next()
    {
        top.push(row.map_err(refuse)?);
    }
    let Some(Header { name, prompt, above, is_written }) = header::find(&top) else {
        let (path, found) = (path.to_owned(), header::said(&top));
        return Err(DataError::NoColumns { path, needed: "Image, Description".into(), found });
    };
    if above > 0 && is_written {
        let line = top[above].0;
        remarks.push(format!(
            "the header of {} is in line {line}; what stands above it is passed over",
            path.display()
        ));
    }
    let width = top[above].1.len();
    let mut found = Vec::new();
    for row in top.into_iter().skip(above + usize::from(is_written)).map(Ok).chain(rows) {
        let (line, mut cells) = row.map_err(refuse)?;
        let is_filled = |cells: &[String]| cells.iter().any(|cell| !cell.trim().is_empty());
        if are_even && is_filled(&cells) && (cells.len() < width || is_filled(&cells[width..])) {
            let (count, first) = (cells.len(), if is_written { "the header" } else { "the first row" });
            let reason =
                format!("line {line} has {count} cells where {first} has {width}; put quotes around its prompt");
            return Err(refuse(reason));
        }
        let prompt = cells.get_mut(prompt).map(std::mem::take).unwrap_or_default();
        let name = cells.get(name).map(|name| name.trim().to_owned()).unwrap_or_default();
        if !name.is_empty() || !prompt.is_empty() {
            push(&mut found, Row { line, name, prompt }).map_err(refuse)?;
        }
    }
    Ok(found)
}
