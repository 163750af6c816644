//! The header of a table: the row that names the column of the images and that of the sentences.

use super::listing::stem;
use super::row::{NAMES, SENTENCES};

/// Rows that are looked at for a header; above it may stand a title, a date, empty rows.
pub const LOOKED_AT: usize = 10;

/// Where the columns of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Column of the names.
    pub name: usize,
    /// Column of the sentences.
    pub sentence: usize,
    /// Rows above it.
    pub above: usize,
    /// Whether there is a row for it. A table may begin with its first image and sentence.
    pub is_written: bool,
}

/// The header among the first rows of a table; none where it has not both columns.
pub fn find(rows: &[(u64, Vec<String>)]) -> Option<Header> {
    for (above, (_, cells)) in rows.iter().take(LOOKED_AT).enumerate() {
        let clean: Vec<String> =
            cells.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
        let column =
            |wanted: &[&str]| wanted.iter().find_map(|wanted| clean.iter().position(|name| name == wanted));
        if let (Some(name), Some(sentence)) = (column(NAMES), column(SENTENCES)) {
            return Some(Header { name, sentence, above, is_written: true });
        }
        // Below the first image no header comes, and above it there is one that lacks a column, unless it is the first row.
        if clean.len() >= 2 && stem(&clean[0]) != clean[0] {
            return (above == 0).then_some(Header { name: 0, sentence: 1, above, is_written: false });
        }
    }
    None
}

/// What a table without the columns has in place of them: the fullest of its first rows.
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
