//! Notification of the window by a thread.

use std::sync::Arc;

/// A function that is called after every report so that the window draws again. It must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;
