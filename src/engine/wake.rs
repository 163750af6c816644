//! How a thread makes the window look.

use std::sync::Arc;

/// Called after every report, so that the window draws again. Must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;
