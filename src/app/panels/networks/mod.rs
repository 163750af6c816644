//! The comparison of several networks: what is compared, the grid of masks, and the numbers.

pub mod choice;
pub mod grid;
pub mod numbers;
