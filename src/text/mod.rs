//! Converts prompts to token ids.

mod error;
pub mod presets;
pub mod prompt;
mod tokenizer;
pub mod vocabulary;

pub use error::TextError;
pub use tokenizer::{Encoding, Tokenizer};
