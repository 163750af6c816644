//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod computing;
mod judging;
mod numbers;
mod opening;
mod painting;
mod reading;
mod saving;
mod variants;

pub use computing::*;
pub use judging::*;
pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use reading::*;
pub use saving::*;
pub use variants::*;
