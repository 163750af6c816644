//! The forms of a prompt for a demonstration: structured, as a report, condensed again, and empty.

use super::PinSpec;
use crate::text::prompt::parse;
use crate::text::prompt::report::{Left, Options, Style, augment, distil};

/// The seed of the report's wording, so that a demonstration is the same each time.
const SEED: u64 = 1;

/// Returns the variants of a prompt that show what reports do to a model; `None` if the prompt states no finding that
/// the grammars know.
pub fn demonstration(prompt: &str, threshold: f32) -> Option<Vec<PinSpec>> {
    let structured = parse(prompt).prompt?;
    let report = augment(&structured, Style::Paper, SEED, Left::Image);
    let options = Options { left: Left::Image, with_possible: false, limit: None };
    let distilled = distil(&report, &options).text();
    let forms = [
        ("Structured", structured.to_string()),
        ("As a report", report),
        ("Distilled", distilled),
        ("Empty", String::new()),
    ];
    let spec = |(name, prompt): (&str, String)| {
        // A prompt is a single line.
        let prompt = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        PinSpec { name: name.to_owned(), prompt, is_compared: false, threshold }
    };
    Some(forms.map(spec).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_say_the_same_but_for_the_empty_one() {
        for prompt in [
            "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.",
            "one small pink round polyp located in center",
        ] {
            let forms = demonstration(prompt, 0.5).expect("a prompt of a known grammar");
            let names: Vec<&str> = forms.iter().map(|form| form.name.as_str()).collect();
            assert_eq!(names, ["Structured", "As a report", "Distilled", "Empty"]);
            assert_eq!(parse(&forms[0].prompt).prompt, parse(prompt).prompt);
            assert!(forms[1].prompt.len() > 2 * prompt.len(), "{}", forms[1].prompt);
            assert_eq!(forms[2].prompt, forms[0].prompt);
            assert_eq!(forms[3].prompt, "");
        }
        assert_eq!(demonstration("asdf qwerty banana zebra", 0.5), None);
    }
}
