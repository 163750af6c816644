//! Names of readers, and the names of their folders.

use crate::data::dataset::fold;
use crate::data::fingerprint;

/// The most letters of a name that its folder has.
const LONGEST: usize = 40;
/// Names that some systems reserve for devices.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Returns whether two names mean the same reader: they differ in case, Unicode form or surrounding spaces at most.
pub fn is_same_reader(one: &str, other: &str) -> bool {
    fold(one.trim()) == fold(other.trim())
}

/// Returns the name of a reader's folder: letters and digits of the name, in lower case. If others had to be replaced, it
/// ends with a part of the name's fingerprint, so that different readers have different folders.
pub fn folder_name(reader: &str) -> String {
    let folded = fold(reader.trim());
    let plain: String = folded
        .chars()
        .take(LONGEST)
        .map(|letter| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' })
        .collect();
    let plain = plain.trim_matches('.').to_owned();
    let is_reserved = RESERVED.iter().any(|name| plain.trim_end_matches(|c: char| c.is_ascii_digit()) == *name);
    match plain == folded && !plain.is_empty() && !is_reserved {
        true => plain,
        false => format!("{plain}-{}", &fingerprint::of_bytes(folded.as_bytes())[..8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_has_a_folder_of_their_own() {
        assert_eq!(folder_name("Anna"), "anna");
        assert_eq!(folder_name(" JÖRG "), folder_name("jo\u{308}rg"));
        assert!(folder_name("a/../b").starts_with("a_.._b-"));
        let names = ["a b", "a_b", "a/b", "", "..", ".", "con", "COM1", "con.", "x".repeat(80).as_str(), "…"]
            .map(folder_name);
        let different: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        for name in &names {
            assert!(!name.contains(['/', '\\', ':']) && !name.starts_with('.') && name.len() < 60, "{name}");
        }
        assert!(is_same_reader("Anna ", "anna") && !is_same_reader("Anna", "Hanna"));
    }
}
