//! Values that are turned, with undo and redo.

use crate::infer::Overrides;

/// Steps back that are kept.
const KEPT: usize = 200;

/// The values in use; none where nothing is turned.
#[derive(Clone, Debug, Default)]
pub struct OverrideHistory {
    overrides: Option<Overrides>,
    past: Vec<Option<Overrides>>,
    future: Vec<Option<Overrides>>,
}

impl OverrideHistory {
    /// The values in place of the model's own.
    pub fn overrides(&self) -> Option<&Overrides> {
        self.overrides.as_ref()
    }

    /// Uses `overrides`, or the model's own. A step that goes on with the one before, as a slider that is still held, is undone with it.
    pub fn turn(&mut self, overrides: Option<Overrides>, goes_on: bool) {
        if overrides == self.overrides {
            return;
        }
        if !goes_on || self.past.is_empty() {
            self.past.push(self.overrides.clone());
            let surplus = self.past.len().saturating_sub(KEPT);
            self.past.drain(..surplus);
        }
        self.future.clear();
        self.overrides = overrides;
    }

    /// Whether there is a step to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is a step to do again.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// One step back.
    pub fn undo(&mut self) {
        if let Some(past) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.overrides, past));
        }
    }

    /// One step on again.
    pub fn redo(&mut self) {
        if let Some(future) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.overrides, future));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(order: usize) -> Option<Overrides> {
        Some(Overrides { order: vec![order], ..Overrides::default() })
    }

    #[test]
    fn a_held_slider_is_one_step() {
        let mut override_history = OverrideHistory::default();
        override_history.turn(overrides(1), false);
        override_history.turn(overrides(2), true);
        override_history.turn(overrides(3), true);
        override_history.turn(overrides(4), false);
        override_history.undo();
        assert_eq!(override_history.overrides(), overrides(3).as_ref());
        override_history.undo();
        assert_eq!(override_history.overrides(), None);
        assert!(!override_history.can_undo());
        override_history.redo();
        override_history.redo();
        assert_eq!(override_history.overrides(), overrides(4).as_ref());
        override_history.undo();
        override_history.turn(overrides(9), false);
        assert!(!override_history.can_redo(), "a new step ends what was undone");
    }
}
