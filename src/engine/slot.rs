//! A slot for one value, in which a newer value replaces one that was not taken yet.

use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

/// A slot shared by writer and reader, which never queues more than one value.
pub struct LatestSlot<T> {
    value: Arc<Mutex<Option<T>>>,
    signal: Sender<()>,
    arrivals: Receiver<()>,
}

impl<T> Clone for LatestSlot<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), signal: self.signal.clone(), arrivals: self.arrivals.clone() }
    }
}

impl<T> Default for LatestSlot<T> {
    fn default() -> Self {
        let (signal, arrivals) = bounded(1);
        Self { value: Arc::default(), signal, arrivals }
    }
}

impl<T> LatestSlot<T> {
    /// Stores `value` and returns the value it replaced. Never waits for the reader.
    pub fn put(&self, value: T) -> Option<T> {
        let replaced = self.lock().replace(value);
        // A full signal channel already says that a value is waiting.
        let _ = self.signal.try_send(());
        replaced
    }

    /// Takes the value, if there is one.
    pub fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Becomes readable after a value was stored. The value may already have been taken when it is read.
    pub fn arrivals(&self) -> &Receiver<()> {
        &self.arrivals
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<T>> {
        // A value is swapped in one step, so that a poisoned lock contains no partial value.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_value_replaces_one_still_waiting() {
        let slot = LatestSlot::default();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert!(slot.arrivals().try_recv().is_ok());
        assert_eq!(slot.take(), Some(2));
        assert_eq!(slot.take(), None);
    }
}
