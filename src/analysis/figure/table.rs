//! The numbers of a figure as a table.

use std::fmt::Display;
use std::io::{self, Write};

use crate::data::write;

/// Columns and rows. The name of a column includes its unit, if it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, with as many cells as there are columns; a cell is empty if there is no value.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// Appends a row.
    pub fn push<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(cells.into());
    }

    /// Writes the table as comma-separated values, with the column names first.
    ///
    /// # Errors
    /// Returns the errors of `out`.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        // A number that begins with a minus sign is no formula.
        let cell = |cell: &String| if cell.parse::<f64>().is_ok() { cell.clone() } else { write::text_cell(cell) };
        for record in std::iter::once(&self.columns).chain(&self.rows) {
            writer.write_record(record.iter().map(cell))?;
        }
        writer.flush()
    }
}

/// Formats a number with all its digits, so that parsing it gives the same number.
pub fn cell(value: impl Display) -> String {
    value.to_string()
}

/// Formats an optional number; empty if there is none.
pub fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_comma_is_quoted_and_read_back() {
        let mut table = Table::new(&["image", "prompt", "dice_per_image"]);
        table.push(["a.png".into(), "a \"small\" area, left\nlung".into(), cell(0.1f32)]);
        table.push(["b.png".into(), String::new(), optional(None::<f64>)]);
        let mut text = Vec::new();
        table.write(&mut text).expect("written");
        let mut reader = csv::Reader::from_reader(text.as_slice());
        assert_eq!(reader.headers().expect("names"), vec!["image", "prompt", "dice_per_image"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows[0], vec!["a.png", "a \"small\" area, left\nlung", "0.1"]);
        assert_eq!(rows[1], vec!["b.png", "", ""]);
    }
}
