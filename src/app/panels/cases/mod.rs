//! The work on cases: their states in the worklist, pairs for training, the
//! agreement of readers.

pub mod pair;
pub mod readers;
mod states;

pub use states::{badge, filters, name_question, open_case};
