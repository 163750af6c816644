//! The journal of an annotation: every change of it, in a file that survives the end of the program, however that ends.
//!
//! A journal begins with a header that says which image it is about. Each further record is a list of edits that were
//! applied together, so that replaying a journal gives the annotation. Undo and redo are edits as well. A journal that
//! has grown is replaced by a new one, whose edits lead to the same annotation directly. A saved annotation is such a file.
//! `docs/files.md` describes the format.

mod file;
mod format;
mod identity;
mod lock;
mod replay;
mod snapshot;
#[cfg(test)]
mod tests;

pub use file::{JournalFile, JournalState, OpenedJournal, Refusal, open, read};
pub use format::{
    Header, JournalError, Record, Records, SavedIn, Seal, Tail, VERSION, encode_record, encode_start, encode_to,
};
pub use identity::ImageIdentity;
pub use replay::{Replayed, header, replay};
pub use snapshot::{file_content, snapshot};

/// The file extension of saved annotations.
pub const EXTENSION: &str = "himixa";
