//! A thread that runs jobs one after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::guard::guarded;
use super::job::{Failure, Job, Opened, Task};
use super::pending::Reply;
use super::priority::{LAB, lower};

/// The number of jobs that may wait for the thread.
const QUEUE: usize = 64;

/// The error if too many jobs are waiting for a thread.
#[derive(Debug, thiserror::Error)]
#[error("Earlier files are still being worked on. Try again in a moment.")]
pub struct Busy;

/// A job with the channel for its answer.
type Call = Box<dyn FnOnce(&mut Opened, &AtomicBool) + Send>;

/// The handle to the thread.
pub(super) struct WorkerThread {
    calls: Option<Sender<Call>>,
    is_closing: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl WorkerThread {
    /// Starts the thread `name`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(name: &str) -> io::Result<Self> {
        Self::start_with(name, || ())
    }

    /// Starts the thread `name` with a lower priority than predictions have.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start_behind(name: &str) -> io::Result<Self> {
        Self::start_with(name, || lower(LAB))
    }

    fn start_with(name: &str, first: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (calls, calls_in) = bounded::<Call>(QUEUE);
        let (alive, ended) = bounded::<()>(0);
        let is_closing = Arc::<AtomicBool>::default();
        let closing = is_closing.clone();
        Builder::new().name(name.into()).spawn(move || {
            let _alive: Sender<()> = alive;
            first();
            let mut opened = None;
            for call in calls_in {
                call(&mut opened, &closing);
            }
        })?;
        Ok(Self { calls: Some(calls), is_closing, ended })
    }

    /// Queues `job`; its answer goes to `reply`.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full or closed.
    pub(super) fn put<J: Job>(&self, job: J, reply: Reply<J::Answer>) -> Result<(), Busy> {
        let call = Box::new(move |opened: &mut Opened, is_closing: &AtomicBool| {
            let is_cancelled =
                || reply.is_cancelled() || (!J::OUTLIVES_WINDOW && is_closing.load(Ordering::Relaxed));
            let outcome = match is_cancelled() {
                true => Err(Failure::Cancelled),
                false => done(job, &reply, &is_cancelled, opened),
            };
            reply.answer(outcome);
        });
        match &self.calls {
            Some(calls) => calls.try_send(call).map_err(|_| Busy),
            None => Err(Busy),
        }
    }

    /// Waits until everything queued so far is finished, but no longer than until `deadline`, and returns whether
    /// it is.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        let (done, is_done) = bounded::<()>(1);
        let call: Call = Box::new(move |_, _| {
            let _ = done.try_send(());
        });
        let sent = self.calls.as_ref().is_some_and(|calls| calls.send_deadline(call, deadline).is_ok());
        sent && is_done.recv_deadline(deadline).is_ok()
    }

    /// Accepts no more jobs. Jobs that outlive the window still run.
    pub(super) fn close(&mut self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.calls = None;
    }

    /// Waits for the end of the thread after [`Self::close`], but no longer than `patience`.
    pub(super) fn end(&self, patience: Duration) {
        // Nothing is ever sent: the wait ends when the channel is closed or the time is over.
        let _ = self.ended.recv_timeout(patience);
    }
}

fn done<J: Job>(
    job: J,
    reply: &Reply<J::Answer>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    opened: &mut Opened,
) -> Result<J::Answer, Failure> {
    let file = job.file();
    let mut task =
        Task { ticket: reply.ticket, progress: &|done, count| reply.progress(done, count), is_cancelled, opened };
    let outcome = guarded(|| job.run(&mut task)).unwrap_or_else(|reason| {
        Err(Failure::Failed(match &file {
            Some(_) => format!("The file could not be used ({reason}). Try another file."),
            None => format!("The computation stopped ({reason})."),
        }))
    });
    outcome.map_err(|failure| failure.naming(file.as_deref()))
}
