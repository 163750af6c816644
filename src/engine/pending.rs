//! A request on its way: what was asked, since when, how far it is, and what came of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::job::{Failure, Ticket};
use super::wake::Wake;

/// Requests of one kind, of which the newest counts: `Q` says what was asked, `A` is the answer.
///
/// The window keeps one for each thing that it asks for; the answer comes to it and to nobody else.
pub struct Pending<Q, A> {
    /// The newest request, answered or not.
    asked: Option<Asked<Q>>,
    /// Whether its answer is still to come.
    is_open: bool,
    newest: Ticket,
    inbox: Arc<Inbox<A>>,
}

/// What came last and was not taken yet.
type Inbox<A> = Mutex<Option<(Ticket, Result<A, Failure>)>>;

/// A request.
pub struct Asked<Q> {
    /// Its number.
    pub ticket: Ticket,
    /// What was asked.
    pub what: Q,
    /// When, or when the wait for an answer began.
    pub since: Instant,
    shared: Arc<Shared>,
}

/// What both sides see of a request while it is worked on.
#[derive(Default)]
struct Shared {
    is_cancelled: AtomicBool,
    progress: Mutex<Option<(usize, usize)>>,
}

impl<Q> Asked<Q> {
    /// So much of so much is done; `None` before that is known.
    pub fn progress(&self) -> Option<(usize, usize)> {
        *locked(&self.shared.progress)
    }

    /// Whether it was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled.load(Ordering::Relaxed)
    }
}

impl<Q, A> Default for Pending<Q, A> {
    fn default() -> Self {
        Self { asked: None, is_open: false, newest: 0, inbox: Arc::default() }
    }
}

impl<Q, A> Pending<Q, A> {
    /// The request whose answer is still to come.
    pub fn pending(&self) -> Option<&Asked<Q>> {
        self.asked.as_ref().filter(|_| self.is_open)
    }

    /// What was asked last, whether or not it was answered; `None` after it was forgotten.
    pub fn asked(&self) -> Option<&Q> {
        self.asked.as_ref().map(|asked| &asked.what)
    }

    /// Number of the newest request, or of what made it outdated.
    pub fn newest(&self) -> Ticket {
        self.newest
    }

    /// Asks the thread to break the request off. Its answer is then [`Failure::Cancelled`], or what it had by then.
    pub fn cancel(&self) {
        if let Some(asked) = self.pending() {
            asked.shared.is_cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Waits for nothing any more: what was asked is outdated since `ticket`.
    pub fn forget(&mut self, ticket: Ticket) {
        self.cancel();
        (self.asked, self.is_open, self.newest) = (None, false, ticket);
    }

    /// The wait for the newest answer counts from `since`.
    pub fn waits_since(&mut self, since: Instant) {
        self.asked.iter_mut().for_each(|asked| asked.since = since);
    }

    /// The newest answer, once. Answers to earlier requests are passed over.
    pub fn take(&mut self) -> Option<Result<A, Failure>> {
        let is_open = self.is_open;
        let (ticket, outcome) = self.take_any()?;
        (is_open && ticket == self.newest).then_some(outcome)
    }

    /// The answer that came last, also to an earlier request, with the number of that; for what is better late than never. Failures of
    /// earlier requests are passed over.
    pub fn take_any(&mut self) -> Option<(Ticket, Result<A, Failure>)> {
        let (ticket, outcome) = locked(&self.inbox).take()?;
        if self.is_open && ticket == self.newest {
            self.is_open = false;
        } else if outcome.is_err() {
            return None;
        }
        Some((ticket, outcome))
    }

    /// A request as it is sent; it counts from [`Self::sent`] on.
    pub(super) fn prepare(&self, ticket: Ticket, what: Q, wake: Wake) -> (Asked<Q>, Reply<A>) {
        let shared = Arc::<Shared>::default();
        let asked = Asked { ticket, what, since: Instant::now(), shared: shared.clone() };
        (asked, Reply { ticket, inbox: self.inbox.clone(), shared, wake })
    }

    /// The request is on its way; nobody waits for the one before any more.
    pub(super) fn sent(&mut self, asked: Asked<Q>) {
        self.cancel();
        self.newest = asked.ticket;
        (self.asked, self.is_open) = (Some(asked), true);
    }
}

/// The way back to who asked. A request is answered through it once, or not at all if a newer one replaced it before it was begun.
pub(super) struct Reply<A> {
    /// Number of the request.
    pub(super) ticket: Ticket,
    inbox: Arc<Inbox<A>>,
    shared: Arc<Shared>,
    wake: Wake,
}

impl<A> Reply<A> {
    /// Answers. The answer to a later request is not replaced.
    pub(super) fn answer(self, outcome: Result<A, Failure>) {
        let mut inbox = locked(&self.inbox);
        if inbox.as_ref().is_none_or(|(ticket, _)| *ticket <= self.ticket) {
            *inbox = Some((self.ticket, outcome));
        }
        drop(inbox);
        (self.wake)();
    }

    /// Says that `done` of `count` is done.
    pub(super) fn progress(&self, done: usize, count: usize) {
        *locked(&self.shared.progress) = Some((done, count));
        (self.wake)();
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled.load(Ordering::Relaxed)
    }

    /// What cancels the request from elsewhere.
    pub(super) fn canceller(&self) -> Canceller {
        Canceller(self.shared.clone())
    }
}

/// Cancels a request.
pub(super) struct Canceller(Arc<Shared>);

impl Canceller {
    pub(super) fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// A value is swapped in one step, so a poisoned lock holds nothing half-written.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests that do not replace each other, for example to write files: each gets its answer.
pub struct Several<Q, A>(Vec<Pending<Q, A>>);

impl<Q, A> Default for Several<Q, A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Q, A> Several<Q, A> {
    /// How many are on their way.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is on its way.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was asked and what came of it, of all that were answered since the last time.
    pub fn take(&mut self) -> Vec<(Q, Result<A, Failure>)> {
        let mut taken = Vec::new();
        let waiting = self.0.drain(..).filter_map(|mut pending| match pending.take() {
            Some(outcome) => {
                taken.extend(pending.asked.map(|asked| (asked.what, outcome)));
                None
            }
            None => Some(pending),
        });
        self.0 = waiting.collect();
        taken
    }

    pub(super) fn push(&mut self, pending: Pending<Q, A>) {
        self.0.push(pending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pending: &mut Pending<&'static str, u32>, ticket: Ticket, what: &'static str) -> Reply<u32> {
        let (asked, reply) = pending.prepare(ticket, what, Arc::new(|| ()));
        pending.sent(asked);
        reply
    }

    #[test]
    fn the_newest_request_wins() {
        let mut pending = Pending::default();
        let first = ask(&mut pending, 1, "a");
        let second = ask(&mut pending, 2, "b");
        assert!(first.is_cancelled() && !second.is_cancelled());
        first.answer(Ok(10));
        assert_eq!(pending.take(), None, "an answer to what is outdated");
        assert!(pending.pending().is_some());
        second.progress(3, 4);
        assert_eq!(pending.pending().and_then(Asked::progress), Some((3, 4)));
        second.answer(Ok(20));
        assert_eq!(pending.take(), Some(Ok(20)));
        assert_eq!((pending.take(), pending.pending().is_none(), pending.asked()), (None, true, Some(&"b")));
    }

    #[test]
    fn a_late_answer_replaces_no_newer_one() {
        let mut pending = Pending::default();
        let first = ask(&mut pending, 1, "a");
        let second = ask(&mut pending, 2, "b");
        second.answer(Ok(20));
        first.answer(Ok(10));
        assert_eq!(pending.take_any(), Some((2, Ok(20))));
    }

    #[test]
    fn earlier_answers_are_there_for_who_wants_them_but_not_earlier_failures() {
        let mut pending = Pending::default();
        let first = ask(&mut pending, 1, "a");
        let second = ask(&mut pending, 2, "b");
        let _third = ask(&mut pending, 3, "c");
        first.answer(Ok(10));
        assert_eq!(pending.take_any(), Some((1, Ok(10))));
        second.answer(Err(Failure::Failed("broken".into())));
        assert_eq!(pending.take_any(), None);
        assert!(pending.pending().is_some(), "the newest is still to come");
    }

    #[test]
    fn what_is_forgotten_has_no_answer() {
        let mut pending = Pending::default();
        let reply = ask(&mut pending, 1, "a");
        pending.forget(2);
        assert!(reply.is_cancelled() && pending.pending().is_none() && pending.asked().is_none());
        reply.answer(Ok(10));
        assert_eq!((pending.take(), pending.newest()), (None, 2));
    }

    #[test]
    fn several_are_answered_each() {
        let mut several = Several::default();
        let replies: Vec<_> = [(1, "a"), (2, "b")]
            .into_iter()
            .map(|(ticket, what)| {
                let mut pending = Pending::default();
                let reply = ask(&mut pending, ticket, what);
                several.push(pending);
                reply
            })
            .collect();
        for (reply, answer) in replies.into_iter().zip([Ok(1), Err(Failure::Cancelled)]) {
            reply.answer(answer);
        }
        assert_eq!(several.take(), [("a", Ok(1)), ("b", Err(Failure::Cancelled))]);
        assert!(several.is_empty());
    }
}
