//! The tasks of the window, each with a layout of its own.

use serde::{Deserialize, Serialize};

/// A task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// An image, its mask, the prompt.
    #[default]
    Read,
    /// The inside of the network.
    Stages,
    /// Training.
    Train,
}

impl Tab {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Read, Self::Stages, Self::Train];

    /// Its name in the window.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Stages => "Stages",
            Self::Train => "Train",
        }
    }
}
