//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod computing;
mod numbers;
mod opening;
mod painting;
mod reading;
mod saving;

pub use computing::*;
pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use reading::*;
pub use saving::*;
