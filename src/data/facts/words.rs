//! Numbers, places and lists for people.

/// A number with up to `digits` decimals, without zeros that say nothing.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // No sign before nothing.
    if text == "-0" { "0".into() } else { text.into() }
}

/// A place in the patient, given in mm to the left, to the back and to the head as DICOM counts them, by the side that it lies on:
/// "R 12.3  A 45.6  I 7.0".
pub fn place(at: [f64; 3]) -> String {
    let letters = [['R', 'L'], ['A', 'P'], ['I', 'S']];
    let part = |(axis, value): (usize, f64)| {
        // What is rounded to nothing lies on no side that matters.
        let is_positive = value > -0.05;
        format!("{} {:.1}", letters[axis][usize::from(is_positive)], value.abs())
    };
    at.into_iter().enumerate().map(part).collect::<Vec<_>>().join("  ")
}

/// A few of many: the first `most`, and how many more there are.
pub fn few(all: &[String], most: usize) -> String {
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(most) {
        None | Some(0) => shown,
        Some(more) => format!("{shown}, and {more} more"),
    }
}

/// So many of something.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
