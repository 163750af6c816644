//! Quantities and files in words.

use std::path::Path;

pub use crate::engine::PRESETS;

/// The last part of a path, for people.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A duration with a sensible number of digits: 40 s, 12 min, 1 h 5 min.
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 => format!("{seconds:.0} s"),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// An amount of memory in MiB or GiB.
pub fn memory(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1000.0 { format!("{mebibytes:.0} MiB") } else { format!("{:.1} GiB", mebibytes / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_for_people() {
        assert_eq!(duration(29.4), "29 s");
        assert_eq!(duration(61.0), "1 min");
        assert_eq!(duration(3900.0), "1 h 5 min");
        assert_eq!(memory(300 << 20), "300 MiB");
        assert_eq!(memory(3 << 29), "1.5 GiB");
    }
}
