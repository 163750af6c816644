//! The attributes in which frames at one position may differ, such as time, echo and b-value.

use super::frame::{Echo, Frame};

/// An attribute in which frames at one position may differ.
pub struct Key {
    /// The name of the attribute in notes.
    pub what: &'static str,
    /// Whether images at one position that differ in this attribute are a sequence in time.
    pub is_time: bool,
    /// Returns a number for sorting and a name, or `None` if a frame lacks the attribute.
    pub of: fn(&Frame) -> Option<(f64, String)>,
}

/// The attributes in the order in which they are tried.
pub const KEYS: &[Key] = &[
    Key {
        what: "segment",
        is_time: false,
        of: |frame| frame.segment.map(|number| (f64::from(number), format!("segment {number}"))),
    },
    Key {
        what: "echo",
        is_time: false,
        of: |frame| {
            frame.echo.map(|echo| match echo {
                Echo::Number(number) => (number, format!("echo {number}")),
                Echo::Time(time) => (time, format!("echo time {} ms", tidy(time))),
            })
        },
    },
    Key {
        what: "b-value",
        is_time: false,
        of: |frame| frame.b_value.map(|value| (value, format!("b = {}", tidy(value)))),
    },
    Key {
        what: "image type",
        is_time: false,
        of: |frame| (!frame.image_type.is_empty()).then(|| (0.0, format!("image type {}", frame.image_type))),
    },
    Key {
        what: "trigger",
        is_time: true,
        of: |frame| frame.trigger.map(|time| (time, format!("trigger {} ms", tidy(time)))),
    },
    Key { what: "time", is_time: true, of: |frame| clock(&frame.time) },
    Key {
        what: "acquisition",
        is_time: true,
        of: |frame| frame.acquisition.map(|number| (number, format!("acquisition {number}"))),
    },
    Key {
        what: "temporal position",
        is_time: true,
        of: |frame| frame.temporal.map(|number| (number, format!("temporal position {number}"))),
    },
];

/// Parses a time of day, for instance "103105.25", "10:31:05" or "20240102103105". Returns a number for sorting,
/// which includes a date, and a text. Returns `None` if it is not a time.
pub fn clock(text: &str) -> Option<(f64, String)> {
    let digits: String = text.chars().filter(|sign| *sign != ':').collect();
    let digits = digits.split(['+', '-', '&']).next()?.trim().to_owned();
    let whole = digits.split('.').next()?.len();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let time = if whole > 6 { digits.get(8..).filter(|time| time.len() >= 2)? } else { digits.as_str() };
    if !is_number || time.len() < 2 {
        return None;
    }
    let pair = |at: usize| time.get(at..at + 2).unwrap_or("00");
    let fraction = time.get(6..).unwrap_or("").trim_end_matches('0').trim_end_matches('.');
    // Times are truncated to milliseconds for display; scanners write six digits.
    let fraction = fraction.get(..4).unwrap_or(fraction);
    Some((digits.parse().ok()?, format!("time {}:{}:{}{fraction}", pair(0), pair(2), pair(4))))
}

/// Rounds a number to two decimals for display.
fn tidy(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
