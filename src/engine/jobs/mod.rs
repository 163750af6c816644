//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod comparing;
mod computing;
mod influence;
mod judging;
mod numbers;
mod opening;
mod painting;
mod proposals;
mod reading;
mod recovery;
mod robustness;
mod saving;
mod session;
mod variants;
mod variants_table;

pub use comparing::*;
pub use computing::*;
pub use influence::*;
pub use judging::*;
pub use numbers::*;
pub use opening::*;
pub use painting::*;
pub use proposals::*;
pub use reading::*;
pub use recovery::*;
pub use robustness::*;
pub use saving::*;
pub use session::*;
pub use variants::*;
pub use variants_table::*;
