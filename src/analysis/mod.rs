//! What is read from an inspection: maps, filters, refinement, figures. Plain arithmetic on plain arrays.

pub mod filter;
pub mod maps;
pub mod refinement;
