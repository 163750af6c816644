//! A thread that makes calls which may never return, for a caller that waits for a limited time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// The stack of the thread in bytes: the library walks through the graph of an attribution recursively.
const STACK_BYTES: usize = 16 << 20;

/// The work of the thread.
type Task = Box<dyn FnOnce() + Send>;
/// What work leads to: its value, or its panic.
pub(super) type Outcome<T> = Result<T, Box<dyn Any + Send>>;

/// The thread did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hung;

/// The thread `himix-gpu`. Dropping this ends it after its current work; a thread that hangs is left behind.
#[derive(Debug)]
pub(super) struct GpuThread {
    tasks: Sender<Task>,
}

impl GpuThread {
    /// Starts the thread; `None` if the system has no thread left.
    pub(super) fn start() -> Option<Self> {
        let (tasks, given) = unbounded::<Task>();
        let work = move || given.iter().for_each(|task| task());
        Builder::new().name("himix-gpu".into()).stack_size(STACK_BYTES).spawn(work).ok()?;
        Some(Self { tasks })
    }

    /// Gives `work` to the thread and returns the channel on which its outcome arrives.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Receiver<Outcome<T>> {
        let (back, returned) = bounded(1);
        let task: Task = Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            // If nobody waits any more, the value is dropped here; a model of a broken device may panic then.
            let _ = catch_unwind(AssertUnwindSafe(move || drop(back.send(outcome))));
        });
        // Without the thread, the task is dropped, and the channel with it.
        let _ = self.tasks.send(task);
        returned
    }

    /// Runs `work` on the thread and waits for it.
    ///
    /// # Errors
    /// It took longer than `limit`. The thread must not be used any more then.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Outcome<T>, Hung> {
        self.begin(work).recv_timeout(limit).map_err(|_| Hung)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn values_and_panics_come_back_and_a_hang_is_noticed() {
        let thread = GpuThread::start().expect("a thread");
        let limit = Duration::from_secs(60);
        assert_eq!(thread.run(limit, || 3).map(Result::ok), Ok(Some(3)));
        let panic = thread.run(limit, || -> u8 { panic!("the fake panics") }).expect("it answers");
        assert_eq!(panic.err().and_then(|panic| panic.downcast_ref().copied()), Some("the fake panics"));
        assert_eq!(thread.run(limit, || 4).map(Result::ok), Ok(Some(4)), "a panic does not end it");
        let never = || sleep(Duration::from_secs(3600));
        assert_eq!(thread.run(Duration::from_millis(50), never).map(|_| ()), Err(Hung));
    }
}
