//! Exchanges left and right in a text.

use super::lexicon::tokens;
use super::words::Side;

/// Returns the prompt for the mirrored image: the words "left" and "right" are exchanged and keep their case. Other
/// words that contain them, such as "bright", stay unchanged. This also exchanges the side of the image for the
/// side of the patient.
pub fn mirror(prompt: &str) -> String {
    let mut mirrored = String::with_capacity(prompt.len() + 8);
    let mut done = 0;
    for token in tokens(prompt) {
        let word = &prompt[token.bytes.clone()];
        // Only letters of the Latin alphabet: other letters may become these in lower case.
        let Some(side) = Side::of(&token.text).filter(|side| word.eq_ignore_ascii_case(side.word())) else {
            continue;
        };
        mirrored += &prompt[done..token.bytes.start];
        mirrored += &in_case_of(word, side.other().word());
        done = token.bytes.end;
    }
    mirrored + &prompt[done..]
}

/// Returns `other` in capitals if `word` is in capitals, or with a capital first letter if `word` has one.
pub(super) fn in_case_of(word: &str, other: &str) -> String {
    if word.chars().all(char::is_uppercase) {
        other.to_uppercase()
    } else if word.chars().next().is_some_and(char::is_uppercase) {
        crate::text::capitalised(other)
    } else {
        other.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_exchanged_and_nothing_else() {
        let prompt = "Bilateral infection, areas,lower left lung and upper Right lung; LEFT, bright, leftover.";
        let mirrored = "Bilateral infection, areas,lower right lung and upper Left lung; RIGHT, bright, leftover.";
        assert_eq!(mirror(prompt), mirrored);
        assert_eq!(mirror(mirrored), prompt);
        for same in ["", "  ", "größe: 3×4", "top, bottom of the image"] {
            assert_eq!(mirror(same), same);
        }
        assert_eq!(mirror("top left, right"), "top right, left");
    }
}
