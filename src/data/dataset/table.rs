//! Tables of sentences: CSV in any usual encoding and with any usual separator, XLSX, JSON.

use std::io::Read;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16LE, WINDOWS_1252};

use super::{entries, workbook};
use crate::data::DataError;
use crate::data::error::{caught, one_line};

/// Headers of the column of image names, in the order of preference.
pub const NAMES: &[&str] =
    &["image", "img", "image_name", "img_name", "image_id", "filename", "file_name", "file", "name", "id"];
/// Headers of the column of sentences.
pub const SENTENCES: &[&str] =
    &["description", "sentence", "prompt", "prompts", "text", "caption", "report", "sentences", "descriptions"];
/// Largest table that is read, bytes; most rows, cells and columns, and the longest cell.
const MOST_BYTES: u64 = 64 << 20;
const MOST_ROWS: usize = 1_000_000;
const MOST_CELLS: usize = 8_000_000;
const MOST_COLUMNS: usize = 512;
const MOST_CELL: usize = 1 << 20;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line, from 1; in a JSON file the number of the entry.
    pub line: u64,
    /// Image, as it is written.
    pub name: String,
    /// Sentence, unchanged.
    pub sentence: String,
}

/// The rows of the table at `path` and what there is to remark on it.
pub fn read(path: &Path) -> Result<(Vec<Row>, Vec<String>), DataError> {
    let refuse = |reason: String| DataError::Table { path: path.to_owned(), reason };
    let bytes = bytes(path)?;
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    match end.as_str() {
        "xlsx" => {
            let rows = caught(path, || workbook::rows(&bytes).map_err(refuse))?;
            Ok((rows_of(path, rows.map(Ok))?, Vec::new()))
        }
        "json" => {
            let (text, remarks) = decoded(path, bytes);
            let entries = entries::read(&text).map_err(refuse)?;
            if entries.rows.is_empty() && !entries.is_empty {
                let needed = "image name and sentence".into();
                return Err(DataError::NoColumns { path: path.to_owned(), needed, found: "neither".into() });
            }
            Ok((entries.rows, remarks))
        }
        _ => {
            let (text, mut remarks) = decoded(path, bytes);
            let separator = separator(&text);
            if separator != b',' {
                let name = if separator == b'\t' { "tabs".into() } else { format!("'{}'", char::from(separator)) };
                remarks.push(format!("{} is separated by {name}", path.display()));
            }
            if text.bytes().filter(|byte| *byte == separator).count() > MOST_CELLS {
                return Err(refuse(format!("it has more than {MOST_CELLS} cells")));
            }
            Ok((rows_of(path, separated(&text, separator))?, remarks))
        }
    }
}

/// The content of a file, if it is of the size of a table.
fn bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let length = file.metadata().map_err(|error| DataError::reading(path, &error))?.len();
    let mut bytes = Vec::new();
    if length <= MOST_BYTES {
        bytes.reserve_exact(length as usize);
        // What is no file, a pipe for instance, may have more than it says.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| DataError::reading(path, &error))?;
    }
    if length.max(bytes.len() as u64) > MOST_BYTES {
        let reason = format!("it has more than {} MiB; a table of sentences has a few", MOST_BYTES >> 20);
        return Err(DataError::Table { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// A list of names, one a line.
pub fn text(path: &Path) -> Result<String, DataError> {
    Ok(decoded(path, bytes(path)?).0)
}

/// The text, whatever it is encoded in: what its byte order mark says, else UTF-8, else UTF-16 by its zeros, else Windows-1252.
fn decoded(path: &Path, bytes: Vec<u8>) -> (String, Vec<String>) {
    let remark = |encoding: &'static Encoding| vec![format!("{} is read as {}", path.display(), encoding.name())];
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        let text = encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
        return (text, if encoding == UTF_8 { Vec::new() } else { remark(encoding) });
    }
    if bytes.len() > 3 && bytes[1] == 0 && bytes[3] == 0 {
        return (UTF_16LE.decode_without_bom_handling(&bytes).0.into_owned(), remark(UTF_16LE));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, Vec::new()),
        Err(error) => {
            let text = WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned();
            (text, remark(WINDOWS_1252))
        }
    }
}

/// What separates the columns: what the first line has most of.
fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // The last of equals: a comma unless there is more of another.
    *[b'|', b'\t', b';', b','].iter().max_by_key(|separator| count(separator)).unwrap_or(&b',')
}

/// Line and cells of every row, the header among them.
fn separated(text: &str, separator: u8) -> impl Iterator<Item = Result<(u64, Vec<String>), String>> {
    let reader = csv::ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(text.as_bytes());
    reader.into_records().map(|record| {
        let record = record.map_err(|error| one_line(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.iter().take(MOST_COLUMNS).map(str::to_owned).collect()))
    })
}

/// Finds the two columns by the first row. A first row that begins with the name of an image is a row, not a header.
fn rows_of(
    path: &Path,
    mut rows: impl Iterator<Item = Result<(u64, Vec<String>), String>>,
) -> Result<Vec<Row>, DataError> {
    let refuse = |reason: String| DataError::Table { path: path.to_owned(), reason };
    let missing =
        |found: String| DataError::NoColumns { path: path.to_owned(), needed: "Image, Description".into(), found };
    let Some(first) = rows.next() else { return Err(missing("none".into())) };
    let (line, header) = first.map_err(refuse)?;
    let clean: Vec<String> =
        header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
    let column = |wanted: &[&str]| wanted.iter().find_map(|wanted| clean.iter().position(|name| name == wanted));
    let is_image = |name: &String| super::listing::stem(name) != name;
    let mut found = Vec::new();
    let mut take = |(line, mut cells): (u64, Vec<String>), (name, sentence): (usize, usize)| {
        let sentence = cells.get_mut(sentence).map(std::mem::take).unwrap_or_default();
        let name = cells.get(name).map(|name| name.trim().to_owned()).unwrap_or_default();
        if name.is_empty() && sentence.is_empty() {
            return Ok(());
        }
        push(&mut found, Row { line, name, sentence }).map_err(refuse)
    };
    let columns = match (column(NAMES), column(SENTENCES)) {
        (Some(name), Some(sentence)) => (name, sentence),
        _ if clean.len() >= 2 && is_image(&clean[0]) => {
            take((line, header), (0, 1))?;
            (0, 1)
        }
        _ => return Err(missing(header.join(", ").chars().take(200).collect())),
    };
    for row in rows {
        take(row.map_err(refuse)?, columns)?;
    }
    Ok(found)
}

/// Appends a row, within reason.
pub fn push(rows: &mut Vec<Row>, row: Row) -> Result<(), String> {
    if rows.len() == MOST_ROWS {
        return Err(format!("it has more than {MOST_ROWS} rows"));
    }
    let longest = row.name.len().max(row.sentence.len());
    if longest > MOST_CELL {
        return Err(format!("line {} has a cell of {longest} bytes; a sentence has a few hundred", row.line));
    }
    rows.push(row);
    Ok(())
}
