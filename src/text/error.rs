//! The error of reading a vocabulary. Every message is one line that names the file, the fault and the remedy.

use std::path::PathBuf;

/// A vocabulary that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file does not exist.
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
    /// The vocabulary has no entries.
    #[error("{}: the vocabulary is empty; copy it again from the model it belongs to", path.display())]
    Empty {
        /// The file asked for.
        path: PathBuf,
    },
    /// The vocabulary lacks entries that are needed to encode any prompt.
    #[error("{}: the vocabulary has no entry {entries}; give that of a BERT model", path.display())]
    NoEntry {
        /// The file asked for.
        path: PathBuf,
        /// The missing entries, separated by commas.
        entries: String,
    },
}
