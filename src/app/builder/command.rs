//! User commands of the builder.

use crate::text::prompt::report::Left;
use crate::text::prompt::{Grammar, Prompt};

/// A named change of the builder's state. What is clicked together goes to the prompt by
/// [`Command::SetPrompt`](crate::app::command::Command::SetPrompt).
#[derive(Clone, Debug, PartialEq)]
pub enum BuilderCommand {
    /// Choose whose sides are read and clicked.
    Sides(Left),
    /// Show the diagram of a grammar.
    Show(Grammar),
    /// Offer a prompt in place of a text that has other words; `None` takes the offer back.
    Offer(Option<Prompt>),
}
