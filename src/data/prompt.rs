//! Adapts a prompt to the mirroring of its image.

/// Returns the prompt for the mirrored image: the words "left" and "right" are exchanged and keep their case.
/// Other words that contain them, such as "bright", stay unchanged.
pub fn mirror(prompt: &str) -> String {
    let is_letter = |letter: char| letter.is_alphanumeric();
    let mut mirrored = String::with_capacity(prompt.len() + 8);
    let mut rest = prompt;
    while !rest.is_empty() {
        let between = rest.find(is_letter).unwrap_or(rest.len());
        let (other, after) = rest.split_at(between);
        let (word, after) = after.split_at(after.find(|letter| !is_letter(letter)).unwrap_or(after.len()));
        mirrored += other;
        mirrored += &other_side(word);
        rest = after;
    }
    mirrored
}

/// Returns the word for the other side, or the word itself if it names no side.
fn other_side(word: &str) -> String {
    let other = match word.to_ascii_lowercase().as_str() {
        "left" => "right",
        "right" => "left",
        _ => return word.to_owned(),
    };
    let is_large = |letter: Option<char>| letter.is_some_and(char::is_uppercase);
    if word.chars().all(char::is_uppercase) {
        other.to_uppercase()
    } else if is_large(word.chars().next()) {
        other[..1].to_uppercase() + &other[1..]
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
