//! Formatting of quantities and file names, and shortening of names to fit their place.

pub use crate::engine::PRESETS;

pub use crate::annotate::file_name;
use crate::infer::WarmUpProgress;
pub use crate::text::capitalised;

/// Why a network without text has no use for a prompt.
pub const NO_PROMPT: &str = "This network reads no prompt.";
/// Why a network that takes a box has no use for a prompt in words.
pub const BOX_ONLY: &str = "This network reads no text: it is prompted by a box in the picture.";
/// Why a network without decoder stages has no maps and no figures of them.
pub const NO_STAGES: &str = "This network has no decoder stages to show.";

/// Formats a duration with a sensible number of digits: 40 s, 12 min, 1 h 5 min.
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 => format!("{seconds:.0} s"),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Formats an amount of memory in MiB or GiB.
pub fn memory(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1000.0 { format!("{mebibytes:.0} MiB") } else { format!("{:.1} GiB", mebibytes / 1024.0) }
}

/// Says how far a GPU is that is made ready.
pub fn warming_up(progress: &WarmUpProgress) -> String {
    format!("GPU warming up {} %", progress.percent)
}

/// Explains what happens while a GPU is made ready.
pub fn about_warm_up(progress: &WarmUpProgress) -> String {
    format!(
        "{}: {}. The CPU computes until the GPU is ready; the first time this can take minutes.",
        progress.device, progress.step
    )
}

/// The character that replaces the omitted part of a name.
const LEFT_OUT: char = '…';
/// The share of the visible part of a long name that its beginning takes: patient and study are at the beginning,
/// the slice number is at the end.
const BEGINNING: f32 = 0.68;
/// The maximum number of bytes of each part of a suggested file name, and of the whole name without its kind and
/// extension.
const PART: usize = 48;
const WHOLE: usize = 120;

/// Shortens a name in the middle so that it is no wider than `room`; `width` returns the width of a character.
pub fn middle(name: &str, room: f32, width: impl FnMut(char) -> f32) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut width = width;
    let widths: Vec<f32> = letters.iter().map(|letter| width(*letter)).collect();
    if widths.iter().sum::<f32>() <= room {
        return name.to_owned();
    }
    let room = room - width(LEFT_OUT);
    let (mut taken, mut begin) = (0.0, 0);
    while begin < letters.len() && taken + widths[begin] <= room * BEGINNING {
        taken += widths[begin];
        begin += 1;
    }
    let mut end = letters.len();
    while end > begin && taken + widths[end - 1] <= room {
        end -= 1;
        taken += widths[end];
    }
    letters[..begin].iter().chain([&LEFT_OUT]).chain(&letters[end..]).collect()
}

/// Joins these parts and `kind` to a file name without an extension. Letters and digits of any script are kept,
/// other characters become hyphens, which every file system accepts. Empty parts are left out, and long parts end
/// with a whole word.
pub fn file_stem(parts: &[&str], kind: &str) -> String {
    let mut name = String::new();
    for part in parts.iter().map(|part| file_part(part)).filter(|part| !part.is_empty()) {
        if name.len() + part.len() < WHOLE {
            name += &part;
            name.push('_');
        }
    }
    name + kind
}

/// Cleans one part of the file name. Full stops and underscores are kept inside it.
fn file_part(text: &str) -> String {
    let mut part = String::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '.') {
        let word = word.trim_matches('.');
        let word = &word[..word.floor_char_boundary(PART)];
        let gap = usize::from(!part.is_empty());
        if part.len() + gap + word.len() > PART {
            break;
        }
        if gap == 1 && !word.is_empty() {
            part.push('-');
        }
        part += word;
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_in_its_middle() {
        let cut = |name: &str, room: f32| middle(name, room, |_| 1.0);
        assert_eq!(cut("covid_12.png", 12.0), "covid_12.png");
        let [one, other] = ["patient_0001_series_0004_slice_0017.png", "patient_0001_series_0004_slice_0018.png"];
        assert_eq!(cut(one, 20.0), "patient_0001…017.png");
        assert_ne!(cut(one, 20.0), cut(other, 20.0), "their ends differ");
        assert_eq!(cut("größe", 3.0), "g…e");
        assert_eq!((cut("abc", 0.0).as_str(), cut("", 0.0).as_str()), ("…", ""));
    }

    #[test]
    fn a_suggested_name_has_slice_and_prompt_and_no_character_that_a_file_system_refuses() {
        let name = file_stem(&["ct", "slice 42", "Left lung: lower/upper (two areas)."], "mask");
        assert_eq!(name, "ct_slice-42_Left-lung-lower-upper-two-areas_mask");
        assert_eq!(file_stem(&["scan", "", "  "], "overlay"), "scan_overlay");
        assert_eq!(file_stem(&["../a\\b:c\0", "", "…"], "mask"), "a-b-c_mask");
        assert_eq!(file_stem(&["sub-S1.v2", "", "größer 肺"], "mask"), "sub-S1.v2_größer-肺_mask");
        let long = file_stem(&[&"a".repeat(300), "frame 1", &"word ".repeat(80)], "overlay");
        assert!(
            long.len() < 130 && long.contains("_frame-1_word-word") && long.ends_with("word_overlay"),
            "{long}"
        );
        let wide = file_stem(&["x", "", &"肺".repeat(100)], "mask");
        assert!(wide.len() < 130, "{wide}");
    }

    #[test]
    fn quantities_are_written_for_people() {
        assert_eq!(duration(29.4), "29 s");
        assert_eq!(duration(61.0), "1 min");
        assert_eq!(duration(3900.0), "1 h 5 min");
        assert_eq!(memory(300 << 20), "300 MiB");
        assert_eq!(memory(3 << 29), "1.5 GiB");
    }
}
