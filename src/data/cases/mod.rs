//! What readers did with the cases of a folder: states (*to do, draft, done, rejected*), who set them and when, and the
//! masks that were accepted.
//!
//! Everything lies in the folder [`FOLDER`] beside the data, with a folder of its own for every reader, so that two
//! readers of a shared folder never write the same file:
//!
//! ```text
//! himix-cases/anna/cases.json      states; see the module `file`
//! himix-cases/anna/masks/a.png     accepted masks, named as their images: PNG for an image,
//!                                  NIfTI (a.nii.gz) for a stack
//! ```
//!
//! If the folder of the data cannot be written to, the same lies in the folder of the settings. Both places are read.
//! docs/files.md describes the format.

mod file;
mod masks;
mod reader;
mod store;
mod time;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::cases_folder::CASES_FOLDER;
pub use masks::{MaskPair, MaskPairs, pairs_of_folders};
pub use reader::is_same_reader;
pub use store::{CaseStore, ReaderPlace};

/// The folder of the readers' work. What lies in it is never listed as an image.
pub const FOLDER: &str = CASES_FOLDER;

/// How far a reader is with a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Nothing was done yet, or the case was taken back.
    #[default]
    ToDo,
    /// The case was changed and not accepted yet.
    Draft,
    /// The mask was accepted.
    Done,
    /// The case cannot be used, for instance because the image is damaged.
    Rejected,
}

impl CaseState {
    /// All states, in the order of the work.
    pub const ALL: [Self; 4] = [Self::ToDo, Self::Draft, Self::Done, Self::Rejected];

    /// Returns the name for display, as it stands within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToDo => "to do",
            Self::Draft => "draft",
            Self::Done => "done",
            Self::Rejected => "rejected",
        }
    }
}

/// What a reader did with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseEntry {
    /// The state.
    pub state: CaseState,
    /// When the state was set: RFC 3339 in UTC, as in `2026-11-27T18:12:07.125Z`.
    pub at: String,
    /// The file of the accepted mask; `None` if there is none.
    pub mask: Option<PathBuf>,
}

/// The cases of one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderCases {
    /// The reader's name.
    pub reader: String,
    /// What was done, by the identifier of the case ([`CaseStore::id`]).
    pub cases: BTreeMap<String, CaseEntry>,
}

/// A change to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseChange {
    /// The identifier of the case ([`CaseStore::id`]).
    pub id: String,
    /// The new state.
    pub state: CaseState,
    /// The name of the accepted mask below the reader's folder ([`ReaderPlace::mask_name`]); `None` keeps the one that is
    /// known.
    pub mask: Option<String>,
}
