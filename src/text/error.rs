//! Errors of vocabularies. Every message is one line: the file, what is wrong, and what to do.

use std::path::PathBuf;

/// A vocabulary that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// No file has that name.
    #[error("{}: there is no such vocabulary; give the model's vocab.txt or tokenizer.json", path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file exists but cannot be read as text.
    #[error("{}: the vocabulary cannot be read ({reason}); give the model's vocab.txt or tokenizer.json", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file has no entries.
    #[error("{}: the vocabulary is empty; copy it again from the model it belongs to", path.display())]
    Empty {
        /// The file asked for.
        path: PathBuf,
    },
    /// Entries are missing without which no prompt can be encoded.
    #[error("{}: the vocabulary has no entry {entries}; give that of a BERT model", path.display())]
    NoEntry {
        /// The file asked for.
        path: PathBuf,
        /// The missing entries.
        entries: String,
    },
}
