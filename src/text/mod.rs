//! Converts prompts to token ids.

mod capital;
mod error;
pub mod presets;
pub mod prompt;
mod tokenizer;
pub mod vocabulary;

pub use capital::capitalised;
pub use error::TextError;
pub use tokenizer::{Encoding, Tokenizer};
