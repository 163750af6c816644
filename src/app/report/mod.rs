//! Reports: a report condensed to a prompt, and the prompt written out as a report.

pub mod command;
mod marks;

pub use command::ReportCommand;
pub use marks::{Kind, Mark, Row, marks, rows};

use super::HimixApp;
use super::builder::{Whose, listed};
use crate::engine::Pending;
use crate::engine::jobs::DistilReport;
use crate::text::prompt::report::{Distilled, Left, Options, Style, augment, distil, is_report};
use crate::text::prompt::{Prompt, parse};

/// The maximum length of a report in the window, in characters.
pub const LONGEST: usize = 200_000;

/// A report that was read.
#[derive(Debug)]
pub struct Read {
    /// The request that it answers.
    pub of: DistilReport,
    /// What the report says.
    pub distilled: Distilled,
    /// The phrases by what they gave, in the order of the report.
    pub rows: Vec<Row>,
    /// The stretches of the report to mark, in order and apart from each other.
    pub marks: Vec<Mark>,
}

/// The state of the Report panel.
pub struct Report {
    /// The report that the user typed or pasted.
    pub text: String,
    /// Whose left a report means.
    pub left: Left,
    /// Whether what a report calls possible is taken into the prompt.
    pub with_possible: bool,
    /// What the report said when it was read last.
    pub read: Option<Read>,
    /// The request to read the report.
    pub reading: Pending<DistilReport, (DistilReport, Distilled)>,
    /// The style of the report that is written.
    pub style: Style,
    /// The number of the wording.
    pub seed: u64,
    basis: Basis,
}

/// What the written report is made from.
#[derive(Debug, Default)]
struct Basis {
    /// The prompt as it was when it was read last.
    text: String,
    /// What it says; `None` if it says nothing that a report can be written of.
    prompt: Option<Prompt>,
    /// The words of the prompt that are not in the report; empty if there are none.
    lost: String,
    /// The report, with what it was written for.
    written: Option<(Style, u64, Left, String)>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            text: String::new(),
            left: Left::Image,
            with_possible: true,
            read: None,
            reading: Pending::default(),
            style: Style::Paper,
            seed: 0,
            basis: Basis::default(),
        }
    }
}

impl Report {
    /// Returns the request that reads the report as it is now.
    fn request(&self, whose: Whose) -> DistilReport {
        let (left, with_possible) = (whose.of_report(self.left), self.with_possible);
        DistilReport { text: self.text.as_str().into(), left, with_possible }
    }

    /// Reads the prompt that a report is to be written of, if it has changed. While the prompt is the written report
    /// itself, the report stays what it was written of.
    pub fn follow(&mut self, prompt: &str, whose: Whose) {
        let basis = &mut self.basis;
        if basis.text != prompt {
            let is_written = basis.written.as_ref().is_some_and(|(.., report)| report == prompt);
            if !is_written {
                (basis.prompt, basis.lost) = said(prompt, whose.of_report(self.left));
                basis.written = None;
            }
            basis.text = prompt.to_owned();
        }
        let wanted = (self.style, self.seed, whose.of_report(self.left));
        let is_current =
            basis.written.as_ref().is_some_and(|(style, seed, left, _)| (*style, *seed, *left) == wanted);
        if !is_current {
            let report = basis.prompt.as_ref().map(|prompt| augment(prompt, wanted.0, wanted.1, wanted.2));
            basis.written = report.map(|report| (wanted.0, wanted.1, wanted.2, report));
        }
    }

    /// Returns the structured prompt that the written report is made from.
    pub fn structured(&self) -> Option<&Prompt> {
        self.basis.prompt.as_ref()
    }

    /// Returns the written report.
    pub fn written(&self) -> Option<&str> {
        self.basis.written.as_ref().map(|(.., report)| report.as_str())
    }

    /// Returns the words of the prompt that the written report does not have; empty if there are none.
    pub fn lost(&self) -> &str {
        &self.basis.lost
    }
}

/// Returns what a prompt or a report says, and its words that say nothing.
fn said(text: &str, left: Left) -> (Option<Prompt>, String) {
    if is_report(text) {
        let distilled = distil(text, &Options { left, with_possible: true, limit: None });
        let lost = listed(distilled.not_understood.iter().map(|bytes| &text[bytes.clone()]));
        return (distilled.prompt, lost);
    }
    let parsed = parse(text);
    let lost = listed(parsed.not_understood.iter().map(|bytes| &text[bytes.clone()]));
    // Of "lung" alone a report would have to invent what is the matter with it.
    (parsed.prompt.filter(|_| !parsed.parts.is_empty()), lost)
}

impl HimixApp {
    /// Applies a command of the Report panel.
    pub(super) fn apply_report(&mut self, command: ReportCommand) {
        let report = &mut self.state.report;
        match command {
            ReportCommand::SetText(text) => report.text = text,
            ReportCommand::Left(left) => report.left = left,
            ReportCommand::WithPossible(is_on) => report.with_possible = is_on,
            ReportCommand::Style(style) => report.style = style,
            ReportCommand::Next => report.seed = report.seed.wrapping_add(1),
        }
    }

    /// Requests to read the report, if it or how it is read has changed.
    pub(super) fn read_report(&mut self) {
        let whose = Whose::of(&self.state);
        let report = &mut self.state.report;
        if report.text.trim().is_empty() {
            report.read = None;
            return;
        }
        let request = report.request(whose);
        let is_read = report.read.as_ref().is_some_and(|read| read.of == request);
        // A failure is reported once and not tried again until something changes.
        let is_asked = report.reading.asked() == Some(&request);
        if is_read || is_asked {
            return;
        }
        // A queue that is full has space again later; the next frame tries again.
        let _ = self.engine.ask(&mut report.reading, request.clone(), request);
    }

    /// Takes what a report says.
    pub(super) fn take_report(&mut self) {
        let Some(outcome) = self.state.report.reading.take() else { return };
        match outcome {
            Ok((of, distilled)) => {
                let (rows, marks) = (rows(&of.text, &distilled), marks(&distilled));
                self.state.report.read = Some(Read { of, distilled, rows, marks });
            }
            Err(failure) => self.say_failure(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::report::offers_distil;

    fn whose() -> Whose {
        Whose::IMAGE
    }

    #[test]
    fn a_report_is_written_of_the_prompt_and_stays_while_it_is_the_prompt() {
        let prompt = "Unilateral pulmonary infection, one infected area, upper left lung.";
        let mut report = Report::default();
        report.follow(prompt, whose());
        for style in Style::ALL {
            report.style = style;
            report.follow(prompt, whose());
            let written = report.written().expect("a report").to_owned();
            assert_eq!(offers_distil(&written, Left::Image).as_deref(), Some(prompt), "{written}");
            report.follow(&written, whose());
            assert_eq!(report.written(), Some(written.as_str()));
            assert_eq!(report.structured().map(Prompt::to_string).as_deref(), Some(prompt));
            report.follow(prompt, whose());
        }
        report.seed = 1;
        report.follow("lower right lung banana", whose());
        assert_eq!(report.lost(), "“banana”");
        for text in ["", "lung", "banana", "asdf qwerty banana zebra", "Легкие без особенностей и так далее."]
        {
            report.follow(text, whose());
            assert_eq!(report.written(), None, "{text}");
        }
        report.follow("No pulmonary infection.", whose());
        assert!(report.written().is_some_and(|report| report.contains("No pulmonary infection.")));
    }

    #[test]
    fn a_prompt_that_is_a_report_is_read_as_one() {
        let (prompt, _) = said("FINDINGS: Opacity of the left base. IMPRESSION: Pneumonia.", Left::Patient);
        let expected = "Unilateral pulmonary infection, lower right lung.";
        assert_eq!(prompt.map(|prompt| prompt.to_string()).as_deref(), Some(expected));
    }
}
