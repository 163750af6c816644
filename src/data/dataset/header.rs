//! The header of a table: the row that names the columns of images and prompts.

use super::listing::stem;
use super::row::{NAMES, PROMPTS};

/// The number of rows that are searched for a header. A title, a date or empty rows may come before it.
pub const LOOKED_AT: usize = 10;

/// The columns of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Index of the column of image names.
    pub name: usize,
    /// Index of the column of prompts.
    pub prompt: usize,
    /// Number of rows above the header, or above the first image if there is no header.
    pub above: usize,
    /// Whether there is a header row. A table may begin with its first image and prompt.
    pub is_written: bool,
}

/// Finds the header among the first rows of a table, given with their line numbers. `None` if the two columns
/// are not found.
pub fn find(rows: &[(u64, Vec<String>)]) -> Option<Header> {
    let mut is_first = true;
    for (above, (_, cells)) in rows.iter().take(LOOKED_AT).enumerate() {
        let clean: Vec<String> =
            cells.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
        let column =
            |wanted: &[&str]| wanted.iter().find_map(|wanted| clean.iter().position(|name| name == wanted));
        if let (Some(name), Some(prompt)) = (column(NAMES), column(PROMPTS)) {
            return Some(Header { name, prompt, above, is_written: true });
        }
        // No header can follow the first image. If another row that is not empty precedes it, that row is a header
        // without both columns.
        if clean.len() >= 2 && stem(&clean[0]) != clean[0] {
            return is_first.then_some(Header { name: 0, prompt: 1, above, is_written: false });
        }
        is_first &= clean.iter().all(String::is_empty);
    }
    None
}

/// Describes what a table has instead of the columns: the row with the most filled cells before the first image.
pub fn said(rows: &[(u64, Vec<String>)]) -> String {
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let mut fullest: &[String] = &[];
    for (_, cells) in rows {
        if cells.first().is_some_and(|first| stem(first) != first) {
            break;
        }
        if filled(cells) > filled(fullest) {
            fullest = cells;
        }
    }
    if fullest.is_empty() {
        return "none".into();
    }
    fullest.join(", ").chars().take(200).collect()
}
