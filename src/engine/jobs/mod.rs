//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod computing;
mod influence;
mod judging;
mod numbers;
mod opening;
mod painting;
mod proposals;
mod reading;
mod robustness;
mod saving;
mod variants;

pub use computing::*;
pub use influence::*;
pub use judging::*;
pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use proposals::*;
pub use reading::*;
pub use robustness::*;
pub use saving::*;
pub use variants::*;
