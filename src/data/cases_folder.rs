//! The folder beside the data in which the states of cases lie. Searches for images leave it out.

/// The name of the folder.
pub const CASES_FOLDER: &str = "himix-cases";
