//! A new or changed row in a CSV table, with every other byte of the table kept.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::data::dataset::header::{self, Header, LOOKED_AT};
use crate::data::dataset::marks::key;
use crate::data::dataset::table;
use crate::data::error::one_line;

/// The header of a new table, as the authors of HiMix have it.
const HEADER: &str = "Image,Description\n";

/// The place of a row in its text, without its line break, and its cells.
type PlacedRow = (Range<usize>, Vec<String>);

/// Returns the bytes of a table with the prompt of an image: in the first row of the image if `replaces`, otherwise in a
/// new last row. Other columns of a new row stay empty. A table without bytes gets a header.
///
/// # Errors
/// Returns a message if the text of the table cannot be decoded without a doubt, if it has no columns for images and
/// prompts, or if its encoding lacks a letter.
pub fn with_row(bytes: &[u8], name: &str, prompt: &str, replaces: bool) -> Result<Vec<u8>, String> {
    let (text, encoding, mark) = table::decoded_exactly(bytes)?;
    if text.trim().is_empty() {
        return Ok(
            [HEADER.as_bytes(), line(&[name.to_owned(), one_line(&prompt)], b',')?.as_bytes(), b"\n"].concat()
        );
    }
    let (declared, rest, _) = table::declared_separator(&text);
    let separator = declared.unwrap_or_else(|| table::separator(rest));
    let passed = text.len() - rest.len();
    let rows = rows(rest, separator)?;
    let top: Vec<(u64, Vec<String>)> = rows.iter().take(LOOKED_AT).map(|(_, cells)| (0, cells.clone())).collect();
    let Header { name: of_name, prompt: of_prompt, above, is_written } =
        header::find(&top).ok_or("it has no columns for images and prompts")?;
    let first = above + usize::from(is_written);
    let is_own = |(_, cells): &&PlacedRow| cells.get(of_name).is_some_and(|cell| key(cell.trim()) == key(name));
    let own = rows.iter().skip(first).find(is_own).filter(|_| replaces);
    let mut cells = own.map_or_else(Vec::new, |(_, cells)| cells.clone());
    cells.resize(cells.len().max(top[above].1.len()), String::new());
    if own.is_none() {
        name.clone_into(&mut cells[of_name]);
    }
    cells[of_prompt] = one_line(&prompt);
    let line = line(&cells, separator)?;
    let (place, line) = match own {
        Some((place, _)) => (passed + place.start..passed + place.end, line),
        None => {
            let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let gap = if text.ends_with(['\n', '\r']) { "" } else { end };
            (text.len()..text.len(), format!("{gap}{line}{end}"))
        }
    };
    let byte = |place: usize| mark + length(&text[..place], encoding);
    let written = encoded(&line, encoding)?;
    Ok([&bytes[..byte(place.start)], &written, &bytes[byte(place.end)..]].concat())
}

/// Returns the place and the cells of every row, without its line break.
fn rows(text: &str, separator: u8) -> Result<Vec<PlacedRow>, String> {
    let mut builder = csv::ReaderBuilder::new();
    let reader = builder.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut rows: Vec<PlacedRow> = Vec::new();
    for record in reader.into_records() {
        let record = record.map_err(|error| one_line(&error))?;
        let start = record.position().map_or(0, |position| position.byte() as usize);
        rows.push((start..text.len(), record.iter().map(str::to_owned).collect()));
    }
    for place in 0..rows.len() {
        let end = rows.get(place + 1).map_or(text.len(), |(next, _)| next.start);
        let start = rows[place].0.start;
        let row = text.get(start..end).unwrap_or_default();
        // The reader may count the line break of the row before.
        let begins = start + row.len() - row.trim_start_matches(['\r', '\n']).len();
        rows[place].0 = begins..start + row.trim_end_matches(['\r', '\n']).len().max(begins - start);
    }
    Ok(rows)
}

/// Returns the cells as a line without its break.
fn line(cells: &[String], separator: u8) -> Result<String, String> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| one_line(&error))?;
    let bytes = writer.into_inner().map_err(|error| one_line(&error))?;
    let line = String::from_utf8(bytes).map_err(|error| one_line(&error))?;
    Ok(line.trim_end_matches('\n').to_owned())
}

/// Returns the number of bytes of a text in an encoding.
fn length(text: &str, encoding: &'static Encoding) -> usize {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        2 * text.encode_utf16().count()
    } else if encoding == WINDOWS_1252 {
        text.chars().count()
    } else {
        text.len()
    }
}

/// Encodes a text.
fn encoded(text: &str, encoding: &'static Encoding) -> Result<Vec<u8>, String> {
    if encoding == UTF_16LE {
        return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    if encoding == UTF_16BE {
        return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    let (bytes, _, is_lossy) = encoding.encode(text);
    if is_lossy {
        return Err(format!(
            "its encoding, {}, lacks a letter of the sentence; save the table as UTF-8",
            encoding.name()
        ));
    }
    Ok(bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], replaces: bool) -> String {
        let bytes = with_row(bytes, "b.png", "two, \"left\"\nlung", replaces).expect("a row");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_row_is_appended_as_the_table_is_written() {
        let row = "b.png,\"two, \"\"left\"\" lung\"\n";
        assert_eq!(text(b"", false), format!("Image,Description\n{row}"));
        assert_eq!(text(b"Image,Description\na.png,one", false), format!("Image,Description\na.png,one\n{row}"));
        let windows = text(b"\xef\xbb\xbfImage;x;Description\r\na.png;;one\r\n", false);
        assert_eq!(windows, "\u{feff}Image;x;Description\r\na.png;;one\r\nb.png;;\"two, \"\"left\"\" lung\"\r\n");
        assert_eq!(
            text(b"sep=\t\nImage\tText\n", false),
            "sep=\t\nImage\tText\nb.png\t\"two, \"\"left\"\" lung\"\n"
        );
        assert_eq!(text(b"a.png,one\n", false), format!("a.png,one\n{row}"), "without a header");
    }

    #[test]
    fn only_the_row_of_the_image_is_replaced() {
        let table =
            b"Image,Description,More\r\n\"a.png\",\"one\r\n two\",1\r\nmask_B.png,old,2\r\n\r\nc.png,three,3";
        let expected = "Image,Description,More\r\n\"a.png\",\"one\r\n two\",1\r\nmask_B.png,\"two, \"\"left\"\" lung\",2\r\n\r\nc.png,three,3";
        assert_eq!(text(table, true), expected);
        assert_eq!(text(b"Image,Text\nb.png,old", true), "Image,Text\nb.png,\"two, \"\"left\"\" lung\"");
        assert_eq!(text(b"Image,Text\n", true), text(b"Image,Text\n", false), "there is none to replace");
    }

    #[test]
    fn other_encodings_are_kept() {
        let sixteen = |text: &str| -> Vec<u8> {
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        };
        let found = with_row(&sixteen("Image,Text\na.png,größer\nb.png,𝄞 alt\n"), "b.png", "neu ü", true);
        assert_eq!(found, Ok(sixteen("Image,Text\na.png,größer\nb.png,neu ü\n")));
        let old = b"Image,Text\na.png,gr\xf6\xdfer\n";
        assert_eq!(with_row(old, "b.png", "\u{fc}", false), Ok([&old[..], b"b.png,\xfc\n"].concat()));
        assert!(
            with_row(old, "b.png", "肺", false).is_err_and(|reason| reason.contains("save the table as UTF-8"))
        );
        assert!(with_row(b"one,two\nthree,four\n", "b.png", "x", false).is_err());
    }

    #[test]
    fn a_table_in_no_one_encoding_is_refused() {
        let mixed = b"Image,Text\na.png,gr\xc3\xb6\xc3\x9fer\nc.png,gr\xf6\xdfer\n";
        let marked = b"\xef\xbb\xbfImage,Text\na.png,gr\xf6\xdfer\n";
        let japanese = b"Image,Text\na.png,\x8d\xb6\x94x\n";
        let mut halved = vec![0xff, 0xfe];
        halved.extend("Image,Text\n".encode_utf16().flat_map(u16::to_le_bytes));
        halved.push(b'a');
        let wide: Vec<u8> =
            "\u{feff}Image,Text\n".chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
        for table in [&mixed[..], marked, japanese, &halved, &wide] {
            for replaces in [false, true] {
                let refused = with_row(table, "c.png", "new", replaces);
                assert!(
                    refused.as_ref().is_err_and(|reason| reason.contains("as UTF-8")),
                    "{table:?}: {refused:?}"
                );
            }
        }
    }
}
