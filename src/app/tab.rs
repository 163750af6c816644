//! The tasks of the window, each with its own layout.

use serde::{Deserialize, Serialize};

/// A task, which has its own tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// Viewing an image with its mask and its prompt.
    #[default]
    Read,
    /// Drawing and correcting masks.
    Annotate,
    /// Comparing prompts and finding out which of their words matter.
    Prompts,
    /// Inspecting the intermediate results of the network.
    Stages,
    /// Comparing networks.
    Compare,
    /// Training a model.
    Train,
}

impl Tab {
    /// All tasks, in display order.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Annotate, Self::Prompts, Self::Stages, Self::Compare, Self::Train];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Annotate => "Annotate",
            Self::Prompts => "Prompts",
            Self::Stages => "Stages",
            Self::Compare => "Compare",
            Self::Train => "Train",
        }
    }
}
