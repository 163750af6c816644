//! A row of a table of prompts, and the headers of its two columns.

/// Headers of the column of image names, in the order of preference.
pub const NAMES: &[&str] =
    &["image", "img", "image_name", "img_name", "image_id", "filename", "file_name", "file", "name", "id"];
/// Headers of the column of prompts.
pub const PROMPTS: &[&str] =
    &["description", "sentence", "prompt", "prompts", "text", "caption", "report", "sentences", "descriptions"];
/// The most rows of a table.
const MOST_ROWS: usize = 1_000_000;
/// The longest accepted cell, in bytes.
const MOST_CELL: usize = 1 << 20;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the row, from 1; in a JSON file the number of the entry.
    pub line: u64,
    /// The name of the image as written, without surrounding spaces.
    pub name: String,
    /// The prompt, unchanged.
    pub prompt: String,
}

/// Appends a row.
///
/// # Errors
/// Returns a message if there are more than a million rows or if a cell is longer than 1 MiB.
pub fn push(rows: &mut Vec<Row>, row: Row) -> Result<(), String> {
    if rows.len() == MOST_ROWS {
        return Err(format!("it has more than {MOST_ROWS} rows"));
    }
    let longest = row.name.len().max(row.prompt.len());
    if longest > MOST_CELL {
        return Err(format!("line {} has a cell of {longest} bytes; a prompt has a few hundred", row.line));
    }
    rows.push(row);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_an_end() {
        let mut rows = Vec::new();
        let mut add =
            |length: usize| push(&mut rows, Row { line: 7, name: "a".into(), prompt: "x".repeat(length) });
        assert_eq!(add(1 << 20), Ok(()));
        for length in [(1 << 20) + 1, 2 << 20] {
            let expected = format!("line 7 has a cell of {length} bytes; a prompt has a few hundred");
            assert_eq!(add(length), Err(expected));
        }
        assert_eq!(rows.len(), 1);
    }
}
