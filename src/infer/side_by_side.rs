//! Works through a set of images with several threads that share the weights of one model.
//!
//! Each thread computes whole images alone, because a pass is a sequence of short operations and dividing each of
//! them among threads leaves the threads waiting for each other. This holds for the bundled model and for the full
//! size (`docs/measurements.md`, *Sets of images*). The caller receives the results in the order of the set, one
//! after the other, as if there were one thread.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{Builder, Result as Caught, scope};

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::segmenter::Segmenter;

/// The number of runs per thread that are started before the caller has received the results of the earlier ones.
const AHEAD: usize = 2;

/// A model for one thread, with the pool in which its operations run.
struct Seat {
    segmenter: Box<dyn Segmenter>,
    pool: ThreadPool,
}

/// Computes `job` for the numbers 0 to `count` and passes `take` a function that returns the results in this order,
/// one with each call; it must not be called more than `count` times. Every `run` consecutive jobs have the same
/// thread, and every thread has a `State` of its own that lives from job to job.
///
/// If the segmenter cannot be shared, or there is only one thread ([`rayon::current_num_threads`]), each job is
/// computed when its result is asked for. Otherwise a limited number of jobs are computed ahead; what was computed
/// and not asked for is dropped. A panic of a job is that of the call which would have returned its result.
pub fn in_order<State: Default, Outcome: Send, Taken>(
    segmenter: &mut dyn Segmenter,
    count: usize,
    run: usize,
    job: impl Fn(&mut dyn Segmenter, &mut State, usize) -> Outcome + Sync,
    take: impl FnOnce(&mut dyn FnMut() -> Outcome) -> Taken,
) -> Taken {
    let run = run.max(1);
    let runs = count.div_ceil(run);
    let seats = seats(segmenter, rayon::current_num_threads().min(runs));
    if seats.len() < 2 {
        let (mut state, mut next) = (State::default(), 0..);
        return take(&mut || job(segmenter, &mut state, next.next().unwrap_or(count)));
    }
    let ahead = AHEAD * seats.len();
    let (ask, asked) = bounded::<Range<usize>>(ahead);
    let (answer, answers) = bounded::<(usize, Caught<Outcome>)>(ahead * run);
    scope(|scope| {
        for (number, Seat { mut segmenter, pool }) in seats.into_iter().enumerate() {
            let (asked, answer, job) = (asked.clone(), answer.clone(), &job);
            let go = move || pool.install(|| work(segmenter.as_mut(), job, &asked, &answer));
            // The jobs of a thread that cannot be started are done by the others.
            let _ = Builder::new().name(format!("himix-set-{number}")).spawn_scoped(scope, go);
        }
        // Only the threads hold these ends now, so that the channels close when they have ended.
        drop((asked, answer));
        let mut queue = Queue { ask, answers, kept: BTreeMap::new(), ahead, run, count, begun: 0, next: 0 };
        take(&mut || match queue.next() {
            Ok(outcome) => outcome,
            Err(panic) => resume_unwind(panic),
        })
        // The queue is dropped here, or when `take` panics: its threads end after their current job.
    })
}

/// The models and pools of at most `threads` threads; fewer than two if there is nothing to divide.
fn seats(segmenter: &dyn Segmenter, threads: usize) -> Vec<Seat> {
    if threads < 2 {
        return Vec::new();
    }
    let seat = |number| {
        let name = move |_| format!("himix-pass-{number}");
        let pool = ThreadPoolBuilder::new().num_threads(1).thread_name(name).build().ok()?;
        Some(Seat { segmenter: segmenter.share()?, pool })
    };
    (0..threads).map_while(seat).collect()
}

/// Computes the runs that are asked for until nobody wants results any more.
fn work<State: Default, Outcome>(
    segmenter: &mut dyn Segmenter,
    job: &(impl Fn(&mut dyn Segmenter, &mut State, usize) -> Outcome + Sync),
    asked: &Receiver<Range<usize>>,
    answer: &Sender<(usize, Caught<Outcome>)>,
) {
    let mut state = State::default();
    for number in asked.iter().flatten() {
        let outcome = catch_unwind(AssertUnwindSafe(|| job(segmenter, &mut state, number)));
        // After a panic nothing is known about the state of the model, and the caller ends at this job.
        let is_over = outcome.is_err();
        if answer.send((number, outcome)).is_err() || is_over {
            return;
        }
    }
}

/// The caller's side: asks for runs and puts the results in order.
struct Queue<Outcome> {
    ask: Sender<Range<usize>>,
    answers: Receiver<(usize, Caught<Outcome>)>,
    /// The results that came before it was their turn.
    kept: BTreeMap<usize, Caught<Outcome>>,
    ahead: usize,
    run: usize,
    count: usize,
    /// The number of runs that were asked for.
    begun: usize,
    /// The number of the next result.
    next: usize,
}

impl<Outcome> Queue<Outcome> {
    /// The next result, or the panic of its job.
    fn next(&mut self) -> Caught<Outcome> {
        let finished = self.next / self.run;
        while self.begun < finished + self.ahead && self.begun * self.run < self.count {
            let first = self.begun * self.run;
            if self.ask.send(first..(first + self.run).min(self.count)).is_err() {
                break;
            }
            self.begun += 1;
        }
        loop {
            if let Some(outcome) = self.kept.remove(&self.next) {
                self.next += 1;
                return outcome;
            }
            match self.answers.recv() {
                Ok((number, outcome)) => drop(self.kept.insert(number, outcome)),
                Err(_) => {
                    return Err(Box::new("the threads of a set ended before its images") as Box<dyn Any + Send>);
                }
            }
        }
    }
}
