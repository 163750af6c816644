//! The subject of an image, as far as the file name tells. Scores are too high if the same person is in two
//! splits.

use super::dataset::names::fold;

/// Returns the subject in a file name after the BIDS pattern, as in QaTa-COV19: the leading `sub-…` up to the
/// next underscore or dot, with its case kept. A preceding `mask_` is ignored. `None` if the name has no
/// subject.
pub fn subject(name: &str) -> Option<&str> {
    let name = name.get(..5).filter(|start| start.eq_ignore_ascii_case("mask_")).map_or(name, |_| &name[5..]);
    let is_subject = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sub-"));
    let end = name.find(['_', '.']).unwrap_or(name.len());
    (is_subject && end > 4).then(|| &name[..end])
}

/// Returns the subject in a file name, or the name itself if it has none, so that statistics that resample subjects
/// treat every image without a subject as a person of its own. This is an assumption: `covid_*` images of QaTa-COV19
/// name no subject, and some show the same person.
pub fn subject_or_name(name: &str) -> &str {
    subject(name).unwrap_or(name)
}

/// Returns a short code for a subject: the first eight hexadecimal digits of a hash. A model bundle holds these
/// codes, so that an evaluation can tell which subjects were in the training data although the bundle names
/// nobody. Names that differ only in case or in their Unicode form have the same code.
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
    fn an_image_without_a_subject_is_its_own() {
        assert_eq!(subject_or_name("sub-S09345_ses-E20848_run-1.png"), "sub-S09345");
        assert_eq!(subject_or_name("covid_1579.png"), "covid_1579.png");
        assert_eq!(subject_or_name(""), "");
    }

    #[test]
    fn a_code_tells_subjects_apart_and_not_their_spelling() {
        assert_eq!(subject_code("sub-S1"), subject_code("sub-s1"));
        assert_eq!(subject_code("sub-J\u{f6}rg"), subject_code("sub-JO\u{308}RG"));
        assert_ne!(subject_code("sub-S1"), subject_code("sub-S2"));
        assert_eq!(subject_code("sub-S1").len(), 8);
    }
}
