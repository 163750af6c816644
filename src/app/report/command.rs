//! User commands of the Report panel.

use crate::text::prompt::report::{Left, Style};

/// A named change of the panel's state. What is used as a prompt goes to it by
/// [`Command::SetPrompt`](crate::app::command::Command::SetPrompt).
#[derive(Clone, Debug, PartialEq)]
pub enum ReportCommand {
    /// Set the report.
    SetText(String),
    /// Choose whose left a report means.
    Left(Left),
    /// Take what the report calls possible into the prompt, or leave it out.
    WithPossible(bool),
    /// Choose the style of the report that is written.
    Style(Style),
    /// Write the report in another wording.
    Next,
}
