//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod computing;
mod judging;
mod numbers;
mod opening;
mod painting;
mod recovery;
mod saving;
mod session;
mod variants;
mod variants_table;

pub use computing::*;
pub use judging::*;
pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use recovery::*;
pub use saving::*;
pub use session::*;
pub use variants::*;
pub use variants_table::*;
