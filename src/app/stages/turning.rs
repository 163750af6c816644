//! Values that are turned, with undo and redo.

use crate::infer::Dials;

/// Steps back that are kept.
const KEPT: usize = 200;

/// The values in use; none where nothing is turned.
#[derive(Clone, Debug, Default)]
pub struct Turning {
    dials: Option<Dials>,
    past: Vec<Option<Dials>>,
    future: Vec<Option<Dials>>,
}

impl Turning {
    /// The values in place of the model's own.
    pub fn dials(&self) -> Option<&Dials> {
        self.dials.as_ref()
    }

    /// Uses `dials`, or the model's own. A step that goes on with the one before, as a slider that is still held, is undone with it.
    pub fn turn(&mut self, dials: Option<Dials>, goes_on: bool) {
        if dials == self.dials {
            return;
        }
        if !goes_on || self.past.is_empty() {
            self.past.push(self.dials.clone());
            let surplus = self.past.len().saturating_sub(KEPT);
            self.past.drain(..surplus);
        }
        self.future.clear();
        self.dials = dials;
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
            self.future.push(std::mem::replace(&mut self.dials, past));
        }
    }

    /// One step on again.
    pub fn redo(&mut self) {
        if let Some(future) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.dials, future));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dials(order: usize) -> Option<Dials> {
        Some(Dials { order: vec![order], ..Dials::default() })
    }

    #[test]
    fn a_held_slider_is_one_step() {
        let mut turning = Turning::default();
        turning.turn(dials(1), false);
        turning.turn(dials(2), true);
        turning.turn(dials(3), true);
        turning.turn(dials(4), false);
        turning.undo();
        assert_eq!(turning.dials(), dials(3).as_ref());
        turning.undo();
        assert_eq!(turning.dials(), None);
        assert!(!turning.can_undo());
        turning.redo();
        turning.redo();
        assert_eq!(turning.dials(), dials(4).as_ref());
        turning.undo();
        turning.turn(dials(9), false);
        assert!(!turning.can_redo(), "a new step ends what was undone");
    }
}
