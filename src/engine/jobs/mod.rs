//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod numbers;
mod opening;
mod painting;
mod saving;

pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use saving::*;
