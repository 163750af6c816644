//! Facts about a volume and its ground truth: rows of name and value, each with the value's origin. The window's
//! panel and the command line show the same rows.

mod geometry;
mod source;
mod truth;
mod values;
mod words;

use serde::Serialize;

use super::{Image, Volume};
pub use truth::truth_facts;
pub use words::place;

/// The facts about one topic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// The topic.
    pub title: &'static str,
    /// The rows, in the order in which they are shown.
    pub rows: Vec<Fact>,
}

/// One fact, or the statement that it is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// Name of the fact.
    pub name: String,
    /// The value with its unit; several lines for a matrix or a list.
    pub value: String,
    /// The origin of the value: an element of the file, a derivation, or "the file does not say".
    pub origin: String,
    /// Whether the value can identify a person, directly or through an archive.
    #[serde(skip)]
    pub is_private: bool,
}

/// The value and the origin of a fact that is missing from the file.
const UNKNOWN: [&str; 2] = ["not known", "the file does not say"];

impl Fact {
    /// Returns a fact that is known from `origin`.
    pub fn new(name: &str, value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), origin: origin.into(), is_private: false }
    }

    /// Returns a fact that is missing from the file.
    fn unknown(name: &str) -> Self {
        let [value, origin] = UNKNOWN;
        Self::new(name, value, origin)
    }

    /// Returns the fact, marked as one that can identify a person.
    fn private(self) -> Self {
        Self { is_private: true, ..self }
    }
}

/// Returns the facts about a volume and its slice `slice`, counted from 0, whose values `image` holds. It
/// iterates over all of these values.
pub fn facts(volume: &Volume, slice: usize, image: &Image) -> Vec<Section> {
    let sections = [
        source::file(volume),
        geometry::section(volume, slice),
        values::section(volume, slice, image),
        source::identity(volume, slice),
        notes(&[volume.notes.as_slice(), volume.assumptions.as_slice()].concat()),
    ];
    sections.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

/// Returns the section of the notes. Equal notes are listed once.
fn notes(notes: &[String]) -> Section {
    let mut rows: Vec<Fact> = Vec::new();
    for note in notes {
        if !rows.iter().any(|row| row.value == *note) {
            rows.push(Fact::new(
                &format!("Note {}", rows.len() + 1),
                note.as_str(),
                "found when the file was read",
            ));
        }
    }
    Section { title: "Notes", rows }
}

/// Returns the sections without the rows that can identify a person.
pub fn without_private(sections: &[Section]) -> Vec<Section> {
    let public = |section: &Section| Section {
        title: section.title,
        rows: section.rows.iter().filter(|row| !row.is_private).cloned().collect(),
    };
    sections.iter().map(public).filter(|section| !section.rows.is_empty()).collect()
}

/// Formats sections as plain text: a line for each title, and below it indented rows of name, value and origin.
pub fn text(sections: &[Section]) -> String {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let name = rows().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let is_short = |length: &usize| *length <= 40;
    let value = rows().flat_map(|row| row.value.lines()).map(|line| line.chars().count()).filter(is_short).max();
    let value = value.unwrap_or(0);
    let mut text = String::new();
    for section in sections {
        text += &format!("{}\n", section.title);
        for row in &section.rows {
            let mut lines = row.value.lines();
            let first = lines.next().unwrap_or_default();
            let origin = if row.origin.is_empty() { String::new() } else { format!("  ({})", row.origin) };
            text += format!("  {:<name$}  {first:<value$}{origin}", row.name).trim_end();
            text.push('\n');
            lines.for_each(|line| text += &format!("  {:<name$}  {line}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests;
