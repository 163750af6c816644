//! Converts prompts to token ids.

mod capital;
mod error;
pub mod presets;
pub mod prompt;
mod tokenizer;
mod unknown_words;
pub mod vocabulary;

pub use capital::capitalised;
pub use error::TextError;
pub use tokenizer::{Encoding, Tokenizer};
pub use unknown_words::UnknownWords;
