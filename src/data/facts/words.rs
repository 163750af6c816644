//! Formatting of numbers, positions and lists.

/// Formats a number with up to `digits` decimals, without trailing zeros.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // Zero has no sign.
    if text == "-0" { "0".into() } else { text.into() }
}

/// Formats a position in the patient with letters for the sides: "R 12.3  A 45.6  I 7.0". The position is given
/// in the patient coordinates of DICOM, in mm to the left, to the back and to the head.
pub fn place(at: [f64; 3]) -> String {
    let letters = [['R', 'L'], ['A', 'P'], ['I', 'S']];
    let part = |(axis, value): (usize, f64)| {
        // A coordinate that is rounded to 0 has no meaningful side.
        let is_positive = value > -0.05;
        format!("{} {:.1}", letters[axis][usize::from(is_positive)], value.abs())
    };
    at.into_iter().enumerate().map(part).collect::<Vec<_>>().join("  ")
}

/// Lists the first `most` items, and says how many more there are.
pub fn few(all: &[String], most: usize) -> String {
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(most) {
        None | Some(0) => shown,
        Some(more) => format!("{shown}, and {more} more"),
    }
}

/// Formats a number with the noun in the singular or the plural.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
