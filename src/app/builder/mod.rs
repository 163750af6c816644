//! The builder: the prompt as a value that is clicked together, in step with its text.

mod apply;
pub mod command;
mod whose;

pub use whose::Whose;

use self::command::BuilderCommand;
use super::command::Command;
use crate::text::prompt::report::Left;
use crate::text::prompt::{Grammar, Lungs, Parsed, Polyps, Prompt, mirror, parse};

/// The maximum number of words that are listed as lost.
const LISTED: usize = 8;

/// The state of the builder.
#[derive(Debug)]
pub struct Builder {
    /// Whose sides the user reads and clicks. It has an effect only where the file says which side is which.
    pub left: Left,
    /// The grammar that the user chose, with the grammar of the text at that time: another text has its own grammar.
    chosen: Option<(Grammar, Option<Grammar>)>,
    offer: Option<Offer>,
    /// The text that was read last, and what it says.
    text: String,
    parsed: Parsed,
    mirrored: Option<String>,
}

/// A prompt that waits for the user's consent, because the text holds words that it does not have.
#[derive(Debug)]
struct Offer {
    /// The text that it would replace. The offer is void once the text is another one.
    of: String,
    prompt: Prompt,
}

impl Default for Builder {
    fn default() -> Self {
        let (text, parsed) = (String::new(), Parsed::default());
        Self { left: Left::Image, chosen: None, offer: None, text, parsed, mirrored: None }
    }
}

impl Builder {
    /// Reads the text of the prompt, if it has changed.
    pub fn read(&mut self, text: &str) {
        if text == self.text {
            return;
        }
        self.text = text.to_owned();
        self.parsed = parse(text);
        self.mirrored = Some(mirror(text)).filter(|mirrored| mirrored != text);
        self.offer.take_if(|offer| offer.of != text);
    }

    /// Returns the grammar that is shown: that of the text, unless the user chose another one.
    pub fn grammar(&self) -> Grammar {
        let of_text = self.parsed.grammar();
        let chosen = self.chosen.filter(|(_, of)| *of == of_text).map(|(chosen, _)| chosen);
        chosen.or(of_text).unwrap_or(Grammar::Lungs)
    }

    /// Returns the prompt that is shown: the offered one, else what the text says in the grammar that is shown.
    pub fn prompt(&self) -> Prompt {
        let grammar = self.grammar();
        let offered = self.offer.as_ref().map(|offer| &offer.prompt);
        let known = offered.or(self.parsed.prompt.as_ref()).filter(|prompt| prompt.grammar() == grammar);
        known.cloned().unwrap_or_else(|| match grammar {
            Grammar::Lungs => Prompt::Lungs(Lungs::default()),
            Grammar::Polyps => Prompt::Polyps(Polyps::default()),
        })
    }

    /// Returns the command for a prompt that was clicked together: it replaces the text, or is offered to the user if
    /// words of the text would be lost.
    pub fn build(&self, prompt: Prompt) -> Command {
        match self.lost(&prompt).is_empty() {
            true => Command::SetPrompt(prompt.to_string()),
            false => Command::Builder(BuilderCommand::Offer(Some(prompt))),
        }
    }

    /// Returns the words of the text that `prompt` does not have. If it is in another grammar, that is the whole text.
    fn lost(&self, prompt: &Prompt) -> Vec<&str> {
        match self.parsed.grammar() {
            Some(grammar) if grammar != prompt.grammar() => vec![self.text.trim()],
            _ => self.not_understood().collect(),
        }
    }

    /// Returns the offered prompt as a text, and the words of the present text that it does not have, but for those
    /// beyond the first few; `None` if there is no offer.
    pub fn offer(&self) -> Option<(String, String)> {
        let prompt = &self.offer.as_ref()?.prompt;
        Some((prompt.to_string(), listed(self.lost(prompt).into_iter())))
    }

    /// Returns the stretches of the text that are not understood.
    pub fn not_understood(&self) -> impl Iterator<Item = &str> {
        self.parsed.not_understood.iter().filter_map(|bytes| self.text.get(bytes.clone()))
    }

    /// Returns the text with left and right exchanged; `None` if it names no side.
    pub fn mirrored(&self) -> Option<&str> {
        self.mirrored.as_deref()
    }
}

/// Lists stretches of a text in quotation marks: the first few, each shortened.
pub fn listed<'a>(mut stretches: impl Iterator<Item = &'a str>) -> String {
    let first: Vec<String> =
        stretches.by_ref().take(LISTED).map(|words| format!("“{}”", shortened(words))).collect();
    match stretches.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Returns at most 60 letters of a text, in one line and without control characters.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let mut line: String =
        text.chars().take(MOST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::{Side, Zone};

    fn reading(text: &str) -> Builder {
        let mut builder = Builder::default();
        builder.read(text);
        builder
    }

    fn clicked(builder: &Builder) -> Command {
        let Prompt::Lungs(lungs) = builder.prompt() else { panic!("a prompt of the lungs") };
        builder.build(Prompt::Lungs(lungs.toggled(Side::Left, Zone::Upper)))
    }

    #[test]
    fn words_that_are_not_understood_are_never_lost_without_consent() {
        let expected = "Unilateral pulmonary infection, one infected area, upper left lung.";
        assert_eq!(clicked(&reading("")), Command::SetPrompt(expected.into()));
        assert_eq!(clicked(&reading("no pulmonary infection")), Command::SetPrompt(expected.into()));
        let builder = reading("lower left lung, banana \u{1F600}");
        assert_eq!(builder.not_understood().collect::<Vec<_>>(), ["banana"]);
        assert!(matches!(clicked(&builder), Command::Builder(BuilderCommand::Offer(Some(_)))));
        // A text in the other grammar is lost as a whole.
        let mut builder = reading("one round polyp");
        builder.chosen = Some((Grammar::Lungs, Some(Grammar::Polyps)));
        assert_eq!(builder.grammar(), Grammar::Lungs);
        assert!(matches!(clicked(&builder), Command::Builder(BuilderCommand::Offer(Some(_)))));
        builder.read("one round polyp located in left of the image");
        assert_eq!(builder.grammar(), Grammar::Lungs, "the choice stays while the text is of the same grammar");
        builder.read("left lung");
        builder.read("one round polyp");
        assert_eq!(builder.grammar(), Grammar::Lungs);
    }

    #[test]
    fn any_text_is_shown() {
        let scripts = ["\u{0}\t\r\n\u{7}", "الرئة اليسرى", "左肺", "\u{202e}gnul tfel\u{202c}", "👨\u{200D}⚕️🫁"];
        for text in scripts {
            let builder = reading(text);
            assert_eq!(builder.grammar(), Grammar::Lungs);
            let _ = (builder.prompt(), clicked(&builder), listed(builder.not_understood()));
        }
        let long = "xyzzy, ".repeat(15_000);
        let builder = reading(&long);
        assert!(listed(builder.not_understood()).ends_with("“xyzzy” and 14992 more"));
        assert!(shortened(&"é\t".repeat(100)).chars().count() == 61);
    }
}
