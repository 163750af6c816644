//! Capital letters at the beginning of sentences.

/// Returns a text with a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_alone_becomes_a_capital() {
        assert_eq!(capitalised("brush stroke of LVIT"), "Brush stroke of LVIT");
        assert_eq!(
            (capitalised("é 3"), capitalised("3 é"), capitalised("")),
            ("É 3".into(), "3 é".into(), "".into())
        );
        assert_eq!(capitalised("ﬁbrosis"), "FIbrosis", "a ligature has two capitals");
    }
}
