//! The channel on which a thread reports events that were not requested.

use crossbeam_channel::Sender;

use super::event::Event;
use super::wake::Wake;

/// Sends events and wakes the reader.
#[derive(Clone)]
pub(super) struct EventSender {
    pub(super) events: Sender<Event>,
    pub(super) wake: Wake,
}

impl EventSender {
    /// Sends `event`. It waits if the queue is full and discards the event if there is no reader any more.
    pub(super) fn send(&self, event: Event) {
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }
}
