//! The states of cases in the worklist: filters with their counts, the state of the open case, the reader's name.

mod states;

pub use states::{badge, filters, name_question, open_case};
