//! Whether a text is a report rather than a prompt, so that its distilled form is worth offering.

use super::{Left, Options, distil};
use crate::text::prompt::lexicon::tokens;
use crate::text::prompt::parse::parse;

/// The headings of reports.
const HEADINGS: [&str; 8] =
    ["findings", "impression", "indication", "history", "technique", "comparison", "conclusion", "assessment"];
/// The fewest words of a report.
const FEWEST_WORDS: usize = 3;

/// Returns the prompt that a report condenses to, in the sides of the image; `None` if the text is no report, is a prompt
/// already, or asserts nothing that a prompt can name. `left` says whose left the report means.
///
/// The time is linear in the length of the text: some milliseconds for 100 kB.
pub fn offers_distil(text: &str, left: Left) -> Option<String> {
    if !is_report(text) {
        return None;
    }
    let options = Options { left, with_possible: true, limit: None };
    let distilled = distil(text, &options).text();
    (!distilled.is_empty() && distilled != text.trim()).then_some(distilled)
}

/// Says whether a text is a report: it has a heading of reports, several sentences with words that the grammars of
/// prompts do not have, or many of these.
pub fn is_report(text: &str) -> bool {
    let tokens = tokens(text);
    let words = tokens.iter().filter(|token| token.is_word).count();
    if words < FEWEST_WORDS {
        return false;
    }
    let parsed = parse(text);
    if parsed.is_whole() {
        return false;
    }
    let has_heading = tokens.windows(2).any(|pair| HEADINGS.contains(&pair[0].text.as_str()) && pair[1].is(":"));
    let begins_sentence = |pair: &[super::super::lexicon::Token]| pair[0].is(".") && pair[1].is_word;
    let sentences = 1 + tokens.windows(2).filter(|pair| begins_sentence(pair)).count();
    let unread = |bytes: &std::ops::Range<usize>| text[bytes.clone()].split_whitespace().count();
    let unread: usize = parsed.not_understood.iter().map(unread).sum();
    has_heading || sentences > 1 && 10 * unread >= words || 4 * unread >= words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(text: &str) -> Option<String> {
        offers_distil(text, Left::Image)
    }

    #[test]
    fn a_report_is_offered_as_a_prompt_and_a_prompt_is_not() {
        let lower = Some("Unilateral pulmonary infection, lower right lung.".to_owned());
        assert_eq!(offered("Right lower lobe consolidation with a small left pleural effusion."), lower);
        assert_eq!(offered("FINDINGS: Opacity of the right lower zone.\nIMPRESSION: Pneumonia."), lower);
        assert_eq!(
            offers_distil("Right lower lobe consolidation", Left::Patient),
            Some("Unilateral pulmonary infection, lower left lung.".to_owned())
        );
        for text in [
            "",
            "left lung",
            "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.",
            "Bilateral pulmonary infection, two infected areas, upper left lu",
            "Bilateral pulmonary infection, two infected areas, upper left lung banana.",
            "Bilateral pulmonary infection, two infected areas, upper left lung. banana",
            "one small pink circle polyp which is a projecting growth of tissue located in right of the image",
            "asdf qwerty banana zebra",
            "Pneumonische Infiltrate im linken Unterlappen, kein Pleuraerguss.",
            "Очаги инфильтрации в нижней доле левого лёгкого.",
            "The heart is normal in size. The bones are intact.",
        ] {
            assert_eq!(offered(text), None, "{text}");
        }
    }

    #[test]
    fn any_text_is_judged_and_a_long_one_at_once() {
        for text in [
            "\u{0}\u{7}\t\r\n",
            "اليسار الرئة \u{202e}left lung\u{202c} \u{1F600}\u{1F600} \u{1F468}\u{200D}\u{2695}",
        ] {
            assert_eq!(offered(text), None, "{text:?}");
        }
        let long = "No effusion. Opacity in the left lower zone, xyzzy.\t\u{1F600} ".repeat(2000);
        assert!(long.len() > 100_000);
        assert_eq!(offered(&long).as_deref(), Some("Unilateral pulmonary infection, lower left lung."));
    }
}
