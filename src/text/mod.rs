//! Prompts to token ids.

mod error;
mod tokenizer;

pub use error::TextError;
pub use tokenizer::{Encoding, Tokenizer};
