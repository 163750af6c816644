//! Scores on plain slices.

mod confusion;
mod spread;

pub use confusion::Confusion;
pub use spread::{Spread, mean_std};
