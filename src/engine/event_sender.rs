//! The way out of a thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::message::Event;

/// Called after every report, so that the window draws again. Must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Sends events and wakes the reader.
#[derive(Clone)]
pub(super) struct EventSender {
    pub(super) events: Sender<Event>,
    pub(super) wake: Wake,
    /// What is made of an event before it is sent; the thread of the compared model marks its own.
    pub(super) mark: fn(Event) -> Event,
}

impl EventSender {
    /// Reports `event`. Waits if the reader is far behind; forgets the event if there is no reader any more.
    pub(super) fn send(&self, event: Event) {
        if self.events.send((self.mark)(event)).is_ok() {
            (self.wake)();
        }
    }
}

/// Runs `work` and turns a panic into its message.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| panic_text(&*payload))
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("no reason given").to_owned()
}
