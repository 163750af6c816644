//! The way out of a thread for what nobody asked for.

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
    /// Reports `event`. Waits if the reader is far behind; forgets the event if there is no reader any more.
    pub(super) fn send(&self, event: Event) {
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }
}
