//! The forms of a prompt in the study of robustness: how a mask changes when the words do.

use serde::Serialize;

use super::lexicon::{Token, tokens};
use super::mirror::{in_case_of, mirror};
use super::parse::parse;
use super::report::{Left, Options, Style, augment, distil};
use super::value::Prompt;

/// A form of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As it is.
    Structured,
    /// Written out as a report.
    Augmented,
    /// The report condensed to a prompt again.
    Distilled,
    /// No text.
    Empty,
    /// The words in random order.
    Shuffled,
    /// Left and right exchanged.
    SideSwapped,
    /// Upper and lower, top and bottom exchanged.
    ZoneSwapped,
    /// Another number.
    CountChanged,
    /// About a third of the words left out.
    WordDropout,
    /// A text about something else.
    Irrelevant,
    /// The description of a mask by rule, which the caller gives.
    Description,
}

/// Texts about something else.
const IRRELEVANT: [&str; 6] = [
    "The weather is sunny with a light breeze from the sea.",
    "A recipe for bread needs flour, water, salt and yeast.",
    "The train to the city leaves every hour from platform nine.",
    "Two musicians played a quiet piece for piano and cello.",
    "The library opens at eight and closes in the evening.",
    "A small boat crossed the lake before the storm came.",
];
/// The share of words that are left out.
const DROPOUT: f32 = 0.3;

impl Form {
    /// All forms.
    pub const ALL: [Self; 11] = [
        Self::Structured,
        Self::Augmented,
        Self::Distilled,
        Self::Empty,
        Self::Shuffled,
        Self::SideSwapped,
        Self::ZoneSwapped,
        Self::CountChanged,
        Self::WordDropout,
        Self::Irrelevant,
        Self::Description,
    ];

    /// Returns the name, as the command line takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structured => "structured",
            Self::Augmented => "augmented",
            Self::Distilled => "distilled",
            Self::Empty => "empty",
            Self::Shuffled => "shuffled",
            Self::SideSwapped => "side-swapped",
            Self::ZoneSwapped => "zone-swapped",
            Self::CountChanged => "count-changed",
            Self::WordDropout => "word-dropout",
            Self::Irrelevant => "irrelevant",
            Self::Description => "description",
        }
    }

    /// Returns the form of a name; `None` if there is none.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Returns `text` in this form. The same text and seed give the same result. `style` is the style of the reports,
    /// `description` the text of [`Form::Description`].
    ///
    /// Returns `None` if the text has no such form: it is not understood, names no number, or there is no
    /// description.
    pub fn apply(self, text: &str, seed: u64, style: Style, description: Option<&str>) -> Option<String> {
        let mut random = fastrand::Rng::with_seed(seed);
        match self {
            Self::Structured => Some(text.to_owned()),
            Self::Augmented => report(text, seed, style),
            Self::Distilled => {
                // Both ways "left" is the image's.
                let options = Options { left: Left::Image, with_possible: true, limit: None };
                report(text, seed, style).map(|report| distil(&report, &options).text())
            }
            Self::Empty => Some(String::new()),
            Self::Shuffled => Some(shuffled(text, &mut random)),
            Self::SideSwapped => Some(mirror(text)),
            Self::ZoneSwapped => Some(zones_swapped(text, &mut random)),
            Self::CountChanged => count_changed(text, &mut random),
            Self::WordDropout => Some(thinned(text, &mut random)),
            Self::Irrelevant => random.choice(IRRELEVANT).map(String::from),
            Self::Description => description.map(String::from),
        }
    }
}

fn report(text: &str, seed: u64, style: Style) -> Option<String> {
    let prompt = parse(text).prompt?;
    Some(augment(&prompt, style, seed, Left::Image))
}

/// Returns the words in another order, without the marks.
fn shuffled(text: &str, random: &mut fastrand::Rng) -> String {
    let words: Vec<String> = words(text).into_iter().map(|token| text[token.bytes].to_owned()).collect();
    let mut order = words.clone();
    random.shuffle(&mut order);
    if order == words {
        // Two words may stay by chance.
        let by = usize::from(order.len() > 1);
        order.rotate_left(by);
    }
    order.join(" ")
}

fn words(text: &str) -> Vec<Token> {
    tokens(text).into_iter().filter(|token| token.is_word).collect()
}

/// Exchanges upper and lower, top and bottom. A middle zone becomes the upper or the lower one, if there is no other.
fn zones_swapped(text: &str, random: &mut fastrand::Rng) -> String {
    let words = words(text);
    let has_end = words.iter().any(|word| matches!(word.text.as_str(), "upper" | "lower" | "top" | "bottom"));
    let middle = *random.choice(&["upper", "lower"]).unwrap_or(&"upper");
    let centre = *random.choice(&["top", "bottom"]).unwrap_or(&"top");
    let mut swapped = String::with_capacity(text.len());
    let mut done = 0;
    for word in words {
        let other = match word.text.as_str() {
            "upper" => "lower",
            "lower" => "upper",
            "top" => "bottom",
            "bottom" => "top",
            "middle" if !has_end => middle,
            "center" | "centre" if !has_end => centre,
            _ => continue,
        };
        swapped += &text[done..word.bytes.start];
        swapped += &in_case_of(&text[word.bytes.clone()], other);
        done = word.bytes.end;
    }
    swapped + &text[done..]
}

/// Prints the prompt with another number, of one to six; `None` if it names none.
fn count_changed(text: &str, random: &mut fastrand::Rng) -> Option<String> {
    let mut prompt = parse(text).prompt?;
    let number = match &mut prompt {
        Prompt::Lungs(lungs) => lungs.areas.as_mut(),
        Prompt::Polyps(polyps) => polyps.number.as_mut(),
    }?;
    let old = *number;
    let new = random.u32(1..=5);
    *number = if new >= old { new + 1 } else { new };
    Some(prompt.to_string())
}

/// Leaves words out: at least one, and never all.
fn thinned(text: &str, random: &mut fastrand::Rng) -> String {
    let words = words(text);
    if words.len() < 2 {
        return text.to_owned();
    }
    let mut is_kept: Vec<bool> = words.iter().map(|_| random.f32() >= DROPOUT).collect();
    let kept = is_kept.iter().filter(|is_kept| **is_kept).count();
    if kept == 0 || kept == words.len() {
        let index = random.usize(0..words.len());
        is_kept[index] = !is_kept[index];
    }
    let left_out: Vec<_> =
        words.into_iter().zip(is_kept).filter(|(_, is_kept)| !is_kept).map(|(word, _)| word.bytes).collect();
    super::phrases::without(text, &left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung.";

    #[test]
    fn every_form_is_what_its_name_says() {
        let form = |form: Form, seed| form.apply(PROMPT, seed, Style::Paper, Some("a mask"));
        for seed in 0..20 {
            assert_eq!(form(Form::Structured, seed).as_deref(), Some(PROMPT));
            assert_eq!(form(Form::Distilled, seed).as_deref(), Some(PROMPT));
            assert!(form(Form::Augmented, seed).is_some_and(|text| text.starts_with("FINDINGS: ")));
            assert_eq!(form(Form::Empty, seed).as_deref(), Some(""));
            let mirrored =
                "Bilateral pulmonary infection, two infected areas, upper right lung and all left lung.";
            assert_eq!(form(Form::SideSwapped, seed).as_deref(), Some(mirrored));
            let swapped = "Bilateral pulmonary infection, two infected areas, lower left lung and all right lung.";
            assert_eq!(form(Form::ZoneSwapped, seed).as_deref(), Some(swapped));
            let counted = form(Form::CountChanged, seed).expect("a number");
            assert!(counted != PROMPT && counted.ends_with("upper left lung and all right lung."), "{counted}");
            assert_eq!(form(Form::Description, seed).as_deref(), Some("a mask"));
            let count = |text: &str| text.split_whitespace().count();
            let shuffled = form(Form::Shuffled, seed).expect("words");
            assert!(
                count(&shuffled) == count(PROMPT)
                    && !shuffled.starts_with("Bilateral pulmonary infection two inf")
            );
            let thinned = form(Form::WordDropout, seed).expect("words");
            assert!(count(&thinned) < count(PROMPT) && !thinned.is_empty(), "{thinned}");
            for form in Form::ALL {
                let again = |seed| form.apply(PROMPT, seed, Style::Detailed, None);
                assert_eq!(again(seed), again(seed), "{}", form.name());
                assert_eq!(Form::of(form.name()), Some(form));
            }
        }
        assert_eq!(Form::CountChanged.apply("left lung", 1, Style::Paper, None), None);
        assert_eq!(Form::Augmented.apply("banana", 1, Style::Paper, None), None);
    }
}
