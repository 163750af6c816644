//! Scores on plain slices.

mod confusion;
mod hausdorff;
mod spread;

pub use confusion::Confusion;
pub use hausdorff::{hd95, hd95_of};
pub use spread::{Spread, mean_std};
