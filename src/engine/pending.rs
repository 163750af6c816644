//! A pending request: its content, start time, progress and answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::job::{Failure, Ticket};
use super::wake::Wake;

/// Requests of one kind, of which only the newest counts. `Q` describes the request and `A` is the answer.
///
/// The window has one `Pending` for each kind of request. Only this `Pending` receives the answer.
pub struct Pending<Q, A> {
    /// The newest request, answered or not.
    asked: Option<Asked<Q>>,
    /// Whether its answer is still pending.
    is_open: bool,
    newest: Ticket,
    inbox: Arc<Inbox<A>>,
}

/// The most recent answer that was not taken yet.
type Inbox<A> = Mutex<Option<(Ticket, Result<A, Failure>)>>;

/// A request.
pub struct Asked<Q> {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// The content of the request.
    pub what: Q,
    /// The time of the request, or the time from which the wait for its answer counts.
    pub since: Instant,
    shared: Arc<Shared>,
}

/// The state that both sides share while a request is processed.
#[derive(Default)]
struct Shared {
    is_cancelled: AtomicBool,
    progress: Mutex<Option<(usize, usize)>>,
}

impl<Q> Asked<Q> {
    /// The amount done and the total; `None` while they are unknown.
    pub fn progress(&self) -> Option<(usize, usize)> {
        *locked(&self.shared.progress)
    }

    /// Whether cancellation was requested.
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
    /// The newest request if its answer is still pending.
    pub fn pending(&self) -> Option<&Asked<Q>> {
        self.asked.as_ref().filter(|_| self.is_open)
    }

    /// The content of the newest request, whether or not it was answered; `None` after [`Self::forget`].
    pub fn asked(&self) -> Option<&Q> {
        self.asked.as_ref().map(|asked| &asked.what)
    }

    /// The ticket of the newest request, or of the event that made it outdated.
    pub fn newest(&self) -> Ticket {
        self.newest
    }

    /// Cancels the request. Its answer is then [`Failure::Cancelled`] or the partial result.
    pub fn cancel(&self) {
        if let Some(asked) = self.pending() {
            asked.shared.is_cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Discards the request, which is outdated since `ticket`.
    pub fn forget(&mut self, ticket: Ticket) {
        self.cancel();
        (self.asked, self.is_open, self.newest) = (None, false, ticket);
    }

    /// Sets the time from which the wait for the newest answer counts.
    pub fn waits_since(&mut self, since: Instant) {
        self.asked.iter_mut().for_each(|asked| asked.since = since);
    }

    /// Takes the newest answer. Answers to earlier requests are discarded.
    pub fn take(&mut self) -> Option<Result<A, Failure>> {
        let is_open = self.is_open;
        let (ticket, outcome) = self.take_any()?;
        (is_open && ticket == self.newest).then_some(outcome)
    }

    /// Takes the most recent answer, even to an earlier request, with the ticket of its request. This is for
    /// answers that are useful even if they are late. Failures of earlier requests are discarded.
    pub fn take_any(&mut self) -> Option<(Ticket, Result<A, Failure>)> {
        let (ticket, outcome) = locked(&self.inbox).take()?;
        if self.is_open && ticket == self.newest {
            self.is_open = false;
        } else if outcome.is_err() {
            return None;
        }
        Some((ticket, outcome))
    }

    /// Creates a request, which counts once [`Self::sent`] is called.
    pub(super) fn prepare(&self, ticket: Ticket, what: Q, wake: Wake) -> (Asked<Q>, Reply<A>) {
        let shared = Arc::<Shared>::default();
        let asked = Asked { ticket, what, since: Instant::now(), shared: shared.clone() };
        (asked, Reply { ticket, inbox: self.inbox.clone(), shared, wake })
    }

    /// Registers a request that was sent. The previous request is cancelled.
    pub(super) fn sent(&mut self, asked: Asked<Q>) {
        self.cancel();
        self.newest = asked.ticket;
        (self.asked, self.is_open) = (Some(asked), true);
    }
}

/// The channel for the answer to a request. Each request is answered once, or not at all if a newer one replaced
/// it before it was started.
pub(super) struct Reply<A> {
    /// The ticket of the request.
    pub(super) ticket: Ticket,
    inbox: Arc<Inbox<A>>,
    shared: Arc<Shared>,
    wake: Wake,
}

impl<A> Reply<A> {
    /// The same channel, for a thread that may fail to start. Only one of the two must answer.
    pub(super) fn another(&self) -> Self {
        let Self { ticket, inbox, shared, wake } = self;
        Self { ticket: *ticket, inbox: inbox.clone(), shared: shared.clone(), wake: wake.clone() }
    }

    /// Sends the answer. It does not replace the answer to a later request.
    pub(super) fn answer(self, outcome: Result<A, Failure>) {
        let mut inbox = locked(&self.inbox);
        if inbox.as_ref().is_none_or(|(ticket, _)| *ticket <= self.ticket) {
            *inbox = Some((self.ticket, outcome));
        }
        drop(inbox);
        (self.wake)();
    }

    /// Reports that `done` of `count` is done.
    pub(super) fn progress(&self, done: usize, count: usize) {
        *locked(&self.shared.progress) = Some((done, count));
        (self.wake)();
    }

    /// Whether the answer is not needed any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled.load(Ordering::Relaxed)
    }

    /// Returns a handle that cancels the request from another place.
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

/// Locks a mutex. A value is swapped in one step, so that a poisoned lock contains no partial value.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests that do not replace each other, for example to write files. Each of them receives its answer.
pub struct Several<Q, A>(Vec<Pending<Q, A>>);

impl<Q, A> Default for Several<Q, A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Q, A> Several<Q, A> {
    /// The number of pending requests.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no request is pending.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the requests that were answered since the last call, with their answers.
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
