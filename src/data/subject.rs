//! The subject of an image, as far as its file name tells. The same person in two splits makes a score too high.

use super::dataset::names::fold;

/// The subject that a file name names: the `sub-S…` part of QaTa-COV19 and other names after the BIDS pattern, up to the next
/// underscore or dot. None where the name says nothing. Case is kept, a `mask_` before it passed over.
pub fn subject(name: &str) -> Option<&str> {
    let name = name.get(..5).filter(|start| start.eq_ignore_ascii_case("mask_")).map_or(name, |_| &name[5..]);
    let is_subject = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sub-"));
    let end = name.find(['_', '.']).unwrap_or(name.len());
    (is_subject && end > 4).then(|| &name[..end])
}

/// Returns a short code for a subject, eight hexadecimal digits of a hash. A model bundle holds these codes, so that
/// an evaluation can tell which subjects were in the training data while the bundle names nobody. All spellings of a
/// name have the same code.
pub fn subject_code(subject: &str) -> String {
    let hash = blake3::hash(fold(subject).as_bytes());
    hash.to_hex()[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_subject() {
        assert_eq!(subject("sub-S09345_ses-E20848_run-1.png"), Some("sub-S09345"));
        assert_eq!(subject("mask_sub-S09345_ses-E2.png"), Some("sub-S09345"));
        assert_eq!(subject("sub-7.png"), Some("sub-7"));
        for without in ["covid_1579.png", "sub-.png", "cju0qkwl.jpg", "", "mask_", "übung.png"] {
            assert_eq!(subject(without), None, "{without}");
        }
    }

    #[test]
    fn a_code_tells_subjects_apart_and_not_their_spelling() {
        assert_eq!(subject_code("sub-S1"), subject_code("sub-s1"));
        assert_eq!(subject_code("sub-J\u{f6}rg"), subject_code("sub-JO\u{308}RG"));
        assert_ne!(subject_code("sub-S1"), subject_code("sub-S2"));
        assert_eq!(subject_code("sub-S1").len(), 8);
    }
}
