//! Scores of masks: Dice, IoU and Hausdorff distance, on plain slices of pixel values.

mod confusion;
mod hausdorff;
mod spread;

pub use confusion::Confusion;
pub use hausdorff::{hd95, hd95_of};
pub use spread::{Spread, mean_std};
