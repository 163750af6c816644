//! Prints prompts in the wording of a data set.

use std::fmt;

use super::polyps::Noun;
use super::value::Prompt;
use super::{lungs, polyps};

impl Prompt {
    /// Prints a prompt of several polyps with "polyps which are" instead of the data set's "polyp which is"; other
    /// prompts as [`fmt::Display`] does.
    pub fn print_plural(&self) -> String {
        match self {
            Self::Lungs(lungs) => lungs::print(lungs),
            Self::Polyps(polyps) => polyps::print(polyps, Noun::Plural),
        }
    }
}

impl fmt::Display for Prompt {
    /// Prints the prompt in the wording of its data set: QaTa-COV19 with a capital first letter and a full stop, or
    /// Kvasir-SEG. What the prompt does not say is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lungs(lungs) => f.write_str(&lungs::print(lungs)),
            Self::Polyps(polyps) => f.write_str(&polyps::print(polyps, Noun::AsInData)),
        }
    }
}
