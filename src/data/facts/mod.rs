//! What there is to say of a picture and of its truth: rows of name and value, each with where the value comes from. The window's panel
//! and the command line show the same rows.

mod geometry;
mod source;
mod truth;
mod values;
mod words;

use serde::Serialize;

use super::{Image, Volume};
pub use truth::truth_facts;
pub use words::place;

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// The rows, in the order in which they are shown.
    pub rows: Vec<Fact>,
}

/// One thing that is known, or known not to be said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value with its unit; several lines where it is a matrix or a list.
    pub value: String,
    /// Where the value comes from: an element of the file, a derivation, or "the file does not say".
    pub origin: String,
    /// Whether it can identify a person, directly or in an archive.
    #[serde(skip)]
    pub is_private: bool,
}

/// What a value that the file does not give is said to be, and where that comes from.
const UNKNOWN: [&str; 2] = ["not known", "the file does not say"];

impl Fact {
    /// Something that is known from `origin`.
    fn new(name: &str, value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), origin: origin.into(), is_private: false }
    }

    /// Something that the file does not say.
    fn unknown(name: &str) -> Self {
        let [value, origin] = UNKNOWN;
        Self::new(name, value, origin)
    }

    /// The same where it can identify a person.
    fn private(self) -> Self {
        Self { is_private: true, ..self }
    }
}

/// All that is known of a volume and of its slice `slice`, from 0, whose values `image` has. It runs through these.
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

/// Sentences that something had to be assumed or is odd.
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

/// The sections without the rows that can identify a person.
pub fn without_private(sections: &[Section]) -> Vec<Section> {
    let public = |section: &Section| Section {
        title: section.title,
        rows: section.rows.iter().filter(|row| !row.is_private).cloned().collect(),
    };
    sections.iter().map(public).filter(|section| !section.rows.is_empty()).collect()
}

/// As plain text: a line for each title, and beneath it indented rows of name, value and origin.
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
