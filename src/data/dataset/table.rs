//! Tables of sentences: CSV in any usual encoding and with any usual separator, XLSX, JSON.

use std::path::Path;

use calamine::{Data, Reader, Xlsx};
use encoding_rs::{Encoding, UTF_8, UTF_16LE, WINDOWS_1252};
use serde_json::Value;

use crate::data::DataError;
use crate::data::error::one_line;

/// Headers of the column of image names, in the order of preference.
const NAMES: &[&str] =
    &["image", "img", "image_name", "img_name", "image_id", "filename", "file_name", "file", "name", "id"];
/// Headers of the column of sentences.
const SENTENCES: &[&str] =
    &["description", "sentence", "prompt", "prompts", "text", "caption", "report", "sentences", "descriptions"];
/// Largest table that is read, bytes.
const MAX_BYTES: u64 = 256 << 20;

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
    let length = std::fs::metadata(path).map_err(|error| DataError::reading(path, &error))?.len();
    if length > MAX_BYTES {
        return Err(refuse(format!("it has {} MiB; a table of sentences has a few", length >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| DataError::reading(path, &error))?;
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    match end.as_str() {
        "xlsx" => Ok((rows_of(path, workbook(&bytes).map_err(refuse)?.into_iter())?, Vec::new())),
        "json" => {
            let (text, remarks) = decoded(path, &bytes);
            let value: Value = serde_json::from_str(&text).map_err(|error| refuse(one_line(&error)))?;
            let rows = entries(&value);
            if rows.is_empty() && !is_empty(&value) {
                let needed = "image name and sentence".into();
                return Err(DataError::NoColumns { path: path.to_owned(), needed, found: "neither".into() });
            }
            Ok((rows, remarks))
        }
        _ => {
            let (text, mut remarks) = decoded(path, &bytes);
            let separator = separator(&text);
            if separator != b',' {
                let name = if separator == b'\t' { "tabs".into() } else { format!("'{}'", char::from(separator)) };
                remarks.push(format!("{} is separated by {name}", path.display()));
            }
            Ok((rows_of(path, separated(path, &text, separator)?.into_iter())?, remarks))
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The text, whatever it is encoded in: what its byte order mark says, else UTF-8, else UTF-16 by its zeros, else Windows-1252.
fn decoded(path: &Path, bytes: &[u8]) -> (String, Vec<String>) {
    let remark = |encoding: &'static Encoding| vec![format!("{} is read as {}", path.display(), encoding.name())];
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let text = encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
        return (text, if encoding == UTF_8 { Vec::new() } else { remark(encoding) });
    }
    if bytes.len() > 3 && bytes[1] == 0 && bytes[3] == 0 {
        return (UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(), remark(UTF_16LE));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), Vec::new()),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(), remark(WINDOWS_1252)),
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
fn separated(path: &Path, text: &str, separator: u8) -> Result<Vec<(u64, Vec<String>)>, DataError> {
    let refuse = |error: csv::Error| DataError::Table { path: path.to_owned(), reason: one_line(&error) };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(text.as_bytes());
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(refuse)?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.iter().map(str::to_owned).collect()))
    };
    reader.records().map(row).collect()
}

/// The first sheet of a workbook.
fn workbook(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes))
        .map_err(|error: calamine::XlsxError| one_line(&error))?;
    let sheet = book.worksheet_range_at(0).ok_or("it has no sheet")?.map_err(|error| one_line(&error))?;
    let first = u64::from(sheet.start().map_or(0, |(row, _)| row)) + 1;
    let cell = |cell: &Data| if matches!(cell, Data::Empty) { String::new() } else { cell.to_string() };
    let rows = sheet.rows().enumerate();
    Ok(rows.map(|(index, row)| (first + index as u64, row.iter().map(cell).collect())).collect())
}

/// Finds the two columns by the first row. A first row that begins with the name of an image is a row, not a header.
fn rows_of(path: &Path, mut rows: impl Iterator<Item = (u64, Vec<String>)>) -> Result<Vec<Row>, DataError> {
    let missing =
        |found: String| DataError::NoColumns { path: path.to_owned(), needed: "Image, Description".into(), found };
    let Some((line, header)) = rows.next() else { return Err(missing("none".into())) };
    let clean: Vec<String> =
        header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
    let column = |wanted: &[&str]| wanted.iter().find_map(|wanted| clean.iter().position(|name| name == wanted));
    let is_image = |name: &String| super::listing::stem(name) != name;
    let row = |(line, cells): (u64, Vec<String>), (name, sentence): (usize, usize)| Row {
        line,
        name: cells.get(name).map(|name| name.trim().to_owned()).unwrap_or_default(),
        sentence: cells.get(sentence).cloned().unwrap_or_default(),
    };
    let (columns, first) = match (column(NAMES), column(SENTENCES)) {
        (Some(name), Some(sentence)) => ((name, sentence), None),
        _ if clean.len() >= 2 && is_image(&clean[0]) => ((0, 1), Some(row((line, header), (0, 1)))),
        _ => return Err(missing(header.join(", "))),
    };
    let rest = rows.map(|cells| row(cells, columns));
    Ok(first.into_iter().chain(rest).filter(|row| !(row.name.is_empty() && row.sentence.is_empty())).collect())
}

/// Rows of a JSON file: an object of names and sentences, or a list of objects with both.
fn entries(value: &Value) -> Vec<Row> {
    let row = |(index, name, sentence): (usize, &str, String)| Row {
        line: index as u64 + 1,
        name: name.trim().to_owned(),
        sentence,
    };
    match value {
        Value::Object(map) => map
            .iter()
            .enumerate()
            .filter_map(|(index, (name, value))| Some(row((index, name, sentence_of(value)?))))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let name = NAMES.iter().find_map(|key| entry.get(key)?.as_str())?;
                Some(row((index, name, sentence_of(entry)?)))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A text; the first of a list of texts; what an object has under a known name; of prompts that are numbered ("p0" … "p9") the last
/// that says something, because later ones say more.
fn sentence_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => list.first().and_then(Value::as_str).map(str::to_owned),
        Value::Object(map) => {
            if let Some(inner) = SENTENCES.iter().find_map(|key| map.get(*key)) {
                return sentence_of(inner);
            }
            let is_number = |key: &str| {
                key.strip_prefix('p')
                    .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
            };
            let mut numbered: Vec<(&String, &Value)> = map.iter().filter(|(key, _)| is_number(key)).collect();
            numbered.sort_by_key(|(key, _)| key[1..].parse::<u32>().unwrap_or(0));
            let said = numbered.iter().rev().filter_map(|(_, value)| sentence_of(value));
            said.into_iter().find(|text| !text.trim().is_empty())
        }
        _ => None,
    }
}
