//! Converts prompts to token ids.

mod error;
pub mod presets;
mod tokenizer;
pub mod vocabulary;

pub use error::TextError;
pub use tokenizer::{Encoding, Tokenizer};
