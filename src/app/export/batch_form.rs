//! The form of a batch.

use crate::analysis::export::Format;

/// Whose prompts a batch uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptsOf {
    /// Those that every case has: edited ones, and those of its data set.
    #[default]
    Cases,
    /// The prompt in the text field, for all cases.
    Field,
}

/// The settings of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchForm {
    /// Whose prompts are used.
    pub prompts: PromptsOf,
    /// The formats.
    pub formats: Vec<Format>,
    /// The folder of the results as text.
    pub out: String,
}

impl Default for BatchForm {
    fn default() -> Self {
        Self { prompts: PromptsOf::default(), formats: vec![Format::Png], out: String::new() }
    }
}
