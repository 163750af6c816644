//! Undo and redo for all kinds of changes, in chronological order.

use std::time::{Duration, Instant};

/// The maximum number of steps that are kept.
const KEPT: usize = 200;

/// The usual limit on the memory of all steps together, in bytes.
const LIMIT: usize = 256 << 20;

/// A change whose memory is counted.
pub trait Weigh {
    /// Returns the memory that the change takes beyond a few words, in bytes.
    fn bytes(&self) -> usize {
        0
    }
}

/// A change that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<C> {
    /// The name of the change, to follow the word "Undo".
    pub name: String,
    /// The change.
    pub change: C,
}

/// The undo and redo steps. `C` is a change, and `K` is the kind of a change that consists of many small ones,
/// such as those of a slider.
#[derive(Clone, Debug)]
pub struct History<C, K> {
    past: Vec<Step<C>>,
    future: Vec<Step<C>>,
    /// The kind and the time of the newest change.
    last: Option<(K, Instant)>,
    /// The maximum memory of all steps, in bytes. The newest step is kept in any case.
    limit: usize,
}

impl<C, K> Default for History<C, K> {
    fn default() -> Self {
        Self { past: Vec::new(), future: Vec::new(), last: None, limit: LIMIT }
    }
}

impl<C: Weigh, K: PartialEq> History<C, K> {
    /// Limits the memory of all steps together, in bytes. The oldest ones are forgotten first, the newest never.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
        self.forget();
    }

    /// Returns the memory of all steps, in bytes.
    pub fn bytes(&self) -> usize {
        self.past.iter().chain(&self.future).map(|step| step.change.bytes()).sum()
    }

    /// Returns the names of the steps that can be undone, the newest first.
    pub fn past(&self) -> impl Iterator<Item = &str> {
        self.past.iter().rev().map(|step| step.name.as_str())
    }

    /// Returns the names of the steps that can be redone, the next one first.
    pub fn future(&self) -> impl Iterator<Item = &str> {
        self.future.iter().rev().map(|step| step.name.as_str())
    }

    /// Returns the name of the step to undo; `None` if there is none.
    pub fn undo_name(&self) -> Option<&str> {
        self.past.last().map(|step| step.name.as_str())
    }

    /// Returns the name of the step to redo; `None` if there is none.
    pub fn redo_name(&self) -> Option<&str> {
        self.future.last().map(|step| step.name.as_str())
    }

    /// Records a single step that no later step is merged with.
    pub fn record(&mut self, step: Step<C>) {
        self.push(step, None);
    }

    /// Records a step that later steps of the same kind may be merged with. If the newest step is of the same kind
    /// and at most `within` old, `join` merges the new step, its second argument, into the existing one.
    pub fn record_held(
        &mut self,
        step: Step<C>,
        kind: K,
        within: Duration,
        now: Instant,
        join: impl FnOnce(&mut Step<C>, Step<C>),
    ) {
        let goes_on =
            self.last.as_ref().is_some_and(|(last, at)| *last == kind && now.duration_since(*at) < within);
        let last = Some((kind, now));
        match self.past.last_mut().filter(|_| goes_on) {
            Some(before) => {
                join(before, step);
                self.future.clear();
                self.last = last;
            }
            None => self.push(step, last),
        }
    }

    /// Returns the step to undo, which becomes the next one to redo; `None` if there is none.
    pub fn undo(&mut self) -> Option<&Step<C>> {
        self.last = None;
        let step = self.past.pop()?;
        self.future.push(step);
        self.future.last()
    }

    /// Returns the step to redo, which becomes the next one to undo; `None` if there is none.
    pub fn redo(&mut self) -> Option<&Step<C>> {
        self.last = None;
        let step = self.future.pop()?;
        self.past.push(step);
        self.past.last()
    }

    /// Puts the step back that was returned last, because it could not be undone (`was_undo`) or redone.
    pub fn put_back(&mut self, was_undo: bool) {
        let (from, to) =
            if was_undo { (&mut self.future, &mut self.past) } else { (&mut self.past, &mut self.future) };
        to.extend(from.pop());
    }

    /// Removes the steps whose change concerns something that no longer exists.
    pub fn retain(&mut self, is_kept: impl Fn(&C) -> bool) {
        self.past.retain(|step| is_kept(&step.change));
        self.future.retain(|step| is_kept(&step.change));
        self.last = None;
    }

    fn push(&mut self, step: Step<C>, last: Option<(K, Instant)>) {
        self.future.clear();
        self.last = last;
        self.past.push(step);
        self.forget();
    }

    /// Forgets the oldest steps beyond the limits.
    fn forget(&mut self) {
        let mut bytes = self.bytes();
        let mut surplus = self.past.len().saturating_sub(KEPT);
        for (place, step) in self.past.iter().enumerate().take(self.past.len().saturating_sub(1)) {
            if bytes > self.limit {
                surplus = surplus.max(place + 1);
            }
            bytes -= step.change.bytes();
        }
        self.past.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = History<[i32; 2], char>;

    impl Weigh for [i32; 2] {
        fn bytes(&self) -> usize {
            10
        }
    }

    fn step(name: &str, from: i32, to: i32) -> Step<[i32; 2]> {
        Step { name: name.into(), change: [from, to] }
    }

    fn hold(history: &mut Numbers, kind: char, [from, to]: [i32; 2], at: Instant) {
        let within = Duration::from_millis(700);
        let join = |before: &mut Step<[i32; 2]>, after: Step<[i32; 2]>| before.change[1] = after.change[1];
        history.record_held(step("held", from, to), kind, within, at, join);
    }

    #[test]
    fn what_follows_quickly_and_is_of_one_kind_is_one_step() {
        let (mut history, start) = (Numbers::default(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        hold(&mut history, 'a', [1, 2], after(0));
        hold(&mut history, 'a', [2, 3], after(500));
        hold(&mut history, 'a', [3, 4], after(1000));
        hold(&mut history, 'a', [4, 5], after(5000));
        hold(&mut history, 'b', [5, 6], after(5001));
        history.record(step("alone", 6, 7));
        hold(&mut history, 'b', [7, 8], after(5002));
        let steps: Vec<[i32; 2]> = std::iter::from_fn(|| history.undo().map(|step| step.change)).collect();
        assert_eq!(steps, [[7, 8], [6, 7], [5, 6], [4, 5], [1, 4]]);
    }

    #[test]
    fn a_step_has_its_name_in_both_directions_and_a_new_one_ends_what_was_undone() {
        let mut history = Numbers::default();
        assert_eq!(history.undo_name(), None);
        assert_eq!(history.undo(), None);
        history.record(step("threshold", 1, 2));
        history.record(step("ruler", 2, 3));
        assert_eq!((history.undo_name(), history.redo_name()), (Some("ruler"), None));
        assert_eq!(history.undo().map(|step| step.change), Some([2, 3]));
        assert_eq!((history.undo_name(), history.redo_name()), (Some("threshold"), Some("ruler")));
        assert_eq!(history.redo().map(|step| step.change), Some([2, 3]));
        history.undo();
        history.record(step("window", 2, 4));
        assert_eq!(history.redo_name(), None);
    }

    #[test]
    fn a_step_that_cannot_be_done_is_put_back() {
        let mut history = Numbers::default();
        (1..4).for_each(|at| history.record(step(["", "a", "b", "c"][at], 0, 1)));
        history.undo();
        let names = |history: &Numbers| {
            let [past, future] = [history.past().collect::<String>(), history.future().collect::<String>()];
            (past, future)
        };
        let before = names(&history);
        assert_eq!(before, ("ba".into(), "c".into()));
        history.undo();
        history.put_back(true);
        assert_eq!(names(&history), before);
        history.redo();
        history.put_back(false);
        assert_eq!(names(&history), before);
    }

    #[test]
    fn a_step_after_an_undo_is_not_joined_to_an_older_one() {
        let (mut history, start) = (Numbers::default(), Instant::now());
        hold(&mut history, 'a', [1, 2], start);
        history.record(step("alone", 2, 3));
        history.undo();
        hold(&mut history, 'a', [2, 9], start);
        assert_eq!(history.undo().map(|step| step.change), Some([2, 9]));
    }

    #[test]
    fn it_is_bounded_and_forgets_what_is_gone() {
        let mut history = Numbers::default();
        (0..=KEPT as i32).for_each(|at| history.record(step("many", at, at + 1)));
        history.retain(|change| change[0] % 2 == 1);
        let steps: Vec<[i32; 2]> = std::iter::from_fn(|| history.undo().map(|step| step.change)).collect();
        assert_eq!((steps.len(), steps[0], steps[99]), (100, [199, 200], [1, 2]), "the oldest is gone");
    }

    #[test]
    fn its_memory_is_limited() {
        let mut history = Numbers::default();
        history.set_limit(35);
        (0..5).for_each(|at| history.record(step("many", at, at + 1)));
        assert_eq!((history.past().count(), history.bytes()), (3, 30));
        history.undo();
        history.set_limit(5);
        assert_eq!((history.past().count(), history.future().count()), (1, 1), "the newest is kept");
    }
}
