//! The wordings of the variants of a prompt for training: denials and made-up words.

/// Sentences that deny an infection of the lungs.
pub(super) const NO_INFECTION: [&str; 6] = [
    "No pulmonary infection.",
    "No pulmonary infection, zero infected areas.",
    "There is no pulmonary infection.",
    "No infected area is seen.",
    "The lungs are clear, without infection.",
    "No consolidation or opacity is seen.",
];
/// Sentences that deny a polyp.
pub(super) const NO_POLYP: [&str; 5] = [
    "No polyp.",
    "no polyp located in the image",
    "There is no polyp.",
    "No polyp is seen.",
    "The mucosa is normal, without polyps.",
];

/// Returns a made-up word of two to four syllables, with one syllable at least that no English word has.
pub(super) fn made_up(random: &mut fastrand::Rng) -> String {
    const ODD: [&str; 12] =
        ["vrix", "zqu", "blorf", "gwup", "frotz", "skwi", "xol", "jub", "vronk", "plugh", "mqa", "zyx"];
    const PLAIN: [&str; 14] =
        ["ba", "do", "ke", "lim", "mor", "nu", "pas", "ro", "sit", "tal", "ven", "wo", "gri", "fen"];
    let mut syllables: Vec<&str> = (0..random.usize(1..=3)).filter_map(|_| random.choice(PLAIN)).collect();
    syllables.insert(random.usize(0..=syllables.len()), random.choice(ODD).unwrap_or("zyx"));
    syllables.concat()
}

/// The sentences that deny a finding, for a vocabulary.
pub fn denials() -> impl Iterator<Item = &'static str> {
    NO_INFECTION.into_iter().chain(NO_POLYP)
}
