//! The facts about the ground truth: how it was interpreted and aligned with its image.

use super::words::{count, few};
use super::{Fact, Section};
use crate::data::Truth;
use crate::data::mask::Label;

/// The most labels or file names that are listed.
const LABELS: usize = 24;

/// Returns the facts about a ground truth.
pub fn truth_facts(truth: &Truth) -> Vec<Section> {
    let laid = &truth.laid;
    let name =
        |path: &std::path::PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let names: Vec<String> = truth.files.iter().map(name).collect();
    let mut rows = vec![
        Fact::new(if names.len() == 1 { "File" } else { "Files" }, few(&names, LABELS), "as opened"),
        Fact::new("Mask type", laid.labels.kind.words(), "from its values"),
        Fact::new("Alignment", laid.pairing.words(), "from the positions and sizes of mask and image"),
        Fact::new("Foreground", foreground(truth), "as chosen; by default all labels except background"),
    ];
    let classes: Vec<&Label> = laid.labels.classes().collect();
    for label in classes.iter().take(LABELS) {
        let colour = label.colour.map_or_else(String::new, |[r, g, b]| format!(" (#{r:02x}{g:02x}{b:02x})"));
        let state = if truth.choice.has(label) { "" } else { ", not foreground" };
        let value = format!("{}{state}", pixels(label.pixels));
        rows.push(Fact::new(&format!("Label {}{colour}", label.value), value, "counted in all slices"));
    }
    if let Some(more) = classes.len().checked_sub(LABELS).filter(|more| *more > 0) {
        rows.push(Fact::new("Further labels", more.to_string(), "counted in all slices"));
    }
    let covered = laid.covered.iter().filter(|is| **is).count();
    if covered < laid.covered.len() {
        let value = format!("{covered} of {}", count(laid.covered.len(), "slice", "slices"));
        rows.push(Fact::new("Covers", value, "the others have no ground truth"));
    }
    if let Some(oddity) = truth.oddity() {
        rows.push(Fact::new("Warning", oddity.warning(), "from its pixels"));
    }
    let notes = super::notes(&laid.labels.notes);
    rows.extend(notes.rows);
    vec![Section { title: "Ground truth", rows }]
}

/// Describes which labels count as foreground, with the number of their pixels.
fn foreground(truth: &Truth) -> String {
    let pixels = pixels(truth.laid.labels.foreground(&truth.choice));
    match truth.choice.to_string().as_str() {
        "" => format!("no label; {pixels}"),
        labels => format!("{labels}; {pixels}"),
    }
}

fn pixels(number: u64) -> String {
    if number == 1 { "1 pixel".into() } else { format!("{number} pixels") }
}
