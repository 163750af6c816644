//! What a run says, kept until the window looks.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::outbox::Wake;
use crate::train::Event;

/// Messages beyond which a step replaces the step before it. A hidden window looks at nothing for hours.
const ENOUGH: usize = 20_000;
/// Shortest time between two frames that only a step asks for.
const STEP_FRAME: Duration = Duration::from_millis(200);

/// A message of the training thread.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// What the run reports.
    Event(Event),
    /// Weights that are the best so far lie here.
    Best(PathBuf),
    /// The thread has ended; with a line that says what to do where the run failed.
    Ended(Result<(), String>),
}

/// Filled by the run, which never waits for the window; emptied by the window.
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    wake: Wake,
}

#[derive(Default)]
struct Inner {
    news: VecDeque<News>,
    last_wake: Option<Instant>,
}

impl Mailbox {
    pub(super) fn new(wake: Wake) -> Self {
        Self { inner: Mutex::default(), wake }
    }

    /// Keeps `news` and wakes the window; for steps alone only now and then.
    pub(super) fn put(&self, news: News) {
        let is_step = |news: &News| matches!(news, News::Event(Event::Step { .. }));
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = is_step(&news) && inner.last_wake.is_some_and(|last| last.elapsed() < STEP_FRAME);
        if is_step(&news) && inner.news.len() >= ENOUGH && inner.news.back().is_some_and(is_step) {
            inner.news.pop_back();
        }
        inner.news.push_back(news);
        if !waits {
            inner.last_wake = Some(Instant::now());
            drop(inner);
            (self.wake)();
        }
    }

    /// Takes everything out.
    pub(super) fn take(&self) -> Vec<News> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).news.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn step(step: usize) -> News {
        News::Event(Event::Step { epoch: 1, step, steps: 9, loss: None, seconds_left: 0.0 })
    }

    #[test]
    fn nobody_looking_costs_no_more_than_so_much() {
        let mailbox = Mailbox::new(Arc::new(|| {}));
        (0..2 * ENOUGH).for_each(|number| mailbox.put(step(number)));
        mailbox.put(News::Event(Event::Paused));
        let news = mailbox.take();
        assert_eq!(news.len(), ENOUGH + 1);
        assert_eq!(news[ENOUGH - 1], step(2 * ENOUGH - 1), "the newest step is there");
        assert!(mailbox.take().is_empty());
    }
}
