//! The parts of a batch, which threads of the CPU compute side by side.
//!
//! A training step consists of thousands of short operations, and most of those of the CPU backend run on one thread.
//! Therefore each thread computes the whole step for a part of the batch. The results are put together in the order
//! of the parts, so that the same number of parts gives the same result to the last bit.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Result as Caught;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::config::TrainConfig;
use super::error::TrainError;
use crate::model::part::{self, Part, Sums};

/// The largest number of parts. Each has its own gradients in memory, and the products become too small for further
/// ones to gain.
const MOST: usize = 8;
/// The number of images that a part should have at least.
const LEAST_IMAGES: usize = 2;
/// The stack of a thread in bytes: the library walks through the graph of a pass recursively.
const STACK_BYTES: usize = 16 << 20;

/// The number of parts into which a batch is divided on the CPU: that of the settings, or one that suits this machine.
pub fn parts(config: &TrainConfig) -> usize {
    match config.shards {
        0 => rayon::current_num_threads().min(config.batch_size / LEAST_IMAGES).clamp(1, MOST),
        count => count.min(config.batch_size),
    }
}

/// The threads that compute the parts.
#[derive(Debug)]
pub struct Shards {
    /// One pool for each part, because the operations of a part must not wait for those of another one.
    pools: Vec<ThreadPool>,
}

impl Shards {
    /// Starts the threads for `count` parts, which share the threads of this thread's pool among them.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(count: usize) -> Result<Self, TrainError> {
        let threads = (rayon::current_num_threads() / count.max(1)).max(1);
        let pool = |number| {
            ThreadPoolBuilder::new()
                .num_threads(threads)
                .stack_size(STACK_BYTES)
                .thread_name(move |_| format!("himix-part-{number}"))
                .build()
                .map_err(|error| {
                    TrainError::Config(format!(
                        "no thread could be started for the training ({error}); close other programs, or set shards to 1"
                    ))
                })
        };
        Ok(Self { pools: (0..count.max(1)).map(pool).collect::<Result<_, _>>()? })
    }

    /// Divides `images` images into contiguous parts of almost the same size, none of which is empty.
    pub fn ranges(&self, images: usize) -> Vec<Range<usize>> {
        let count = self.pools.len().min(images);
        (0..count).map(|index| index * images / count..(index + 1) * images / count).collect()
    }

    /// Computes `job` of every input at the same time, each on the threads of its part, and returns the results in
    /// order. There must not be more inputs than [`Self::ranges`] has.
    ///
    /// # Panics
    /// Panics if a job does.
    pub fn map<I: Send, T: Send>(&self, inputs: Vec<I>, job: impl Fn(I) -> T + Sync) -> Vec<T> {
        let mut results: Vec<Option<Caught<T>>> = inputs.iter().map(|_| None).collect();
        let caught = |input: I| catch_unwind(AssertUnwindSafe(|| job(input)));
        start_all(&self.pools, &mut inputs.into_iter().zip(&mut results), &caught);
        let mut panic: Option<Box<dyn Any + Send>> = None;
        let mut values = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Some(Ok(value)) => values.push(value),
                // A part that ended because another one did says nothing of the reason.
                Some(Err(reason)) if panic.is_none() || !reason.is::<Broken>() => panic = Some(reason),
                Some(Err(_)) | None => {}
            }
        }
        match panic {
            Some(reason) => resume_unwind(reason),
            None => values,
        }
    }

    /// Like [`Self::map`] for the passes of a training step. `inputs` are those of the `ranges` of a batch, and `seed`
    /// is that of the step's random numbers.
    pub fn passes<I: Send, T: Send>(
        &self,
        ranges: &[Range<usize>],
        seed: u64,
        inputs: Vec<I>,
        job: impl Fn(I) -> T + Sync,
    ) -> Vec<T> {
        let meeting = Arc::new(Meeting::of(inputs.len()));
        let parts = ranges.iter().enumerate().map(|(index, range)| {
            let sums: Arc<dyn Sums> = meeting.clone();
            Part { index, first: range.start, seed, sums }
        });
        self.map(parts.zip(inputs).collect(), |(part, input)| {
            let outcome = catch_unwind(AssertUnwindSafe(|| part::within(part, || job(input))));
            outcome.unwrap_or_else(|reason| {
                // The others would wait for this part for ever.
                meeting.break_up();
                resume_unwind(reason)
            })
        })
    }
}

/// Starts each task in its pool and waits for all of them.
fn start_all<'a, I: Send, T: Send + 'a>(
    pools: &[ThreadPool],
    tasks: &mut dyn Iterator<Item = (I, &'a mut Option<Caught<T>>)>,
    job: &(impl Fn(I) -> Caught<T> + Sync),
) {
    if let (Some((pool, others)), Some((input, result))) = (pools.split_first(), tasks.next()) {
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| *result = Some(job(input)));
            start_all(others, tasks, job);
        });
    }
}

/// The panic of a part that was waiting for one that panicked.
struct Broken;

/// Where the parts of a batch wait for each other to add values up.
#[derive(Debug)]
struct Meeting {
    count: usize,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The values of each part that has arrived.
    brought: Vec<Vec<f64>>,
    present: usize,
    /// The number of sums that are complete.
    round: usize,
    total: Vec<f64>,
    is_broken: bool,
}

impl Meeting {
    fn of(count: usize) -> Self {
        let state = State { brought: vec![Vec::new(); count], ..State::default() };
        Self { count, state: Mutex::new(state), arrived: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all waiting for ever.
    fn break_up(&self) {
        self.lock().is_broken = true;
        self.arrived.notify_all();
    }
}

impl Sums for Meeting {
    fn total(&self, index: usize, values: Vec<f64>) -> Vec<f64> {
        let mut state = self.lock();
        state.brought[index] = values;
        state.present += 1;
        if state.present == self.count {
            let mut brought = state.brought.iter_mut().map(std::mem::take);
            let first = brought.next().unwrap_or_default();
            let total = brought.fold(first, |mut total, values| {
                total.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                total
            });
            state.total.clone_from(&total);
            state.present = 0;
            state.round += 1;
            self.arrived.notify_all();
            return total;
        }
        let round = state.round;
        while state.round == round && !state.is_broken {
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.round == round {
            drop(state);
            // Not a fault of its own, so that nothing is printed.
            resume_unwind(Box::new(Broken));
        }
        state.total.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_divided_evenly_and_no_part_is_empty() {
        let shards = Shards::start(3).expect("threads");
        assert_eq!(shards.ranges(8), [0..2, 2..5, 5..8]);
        assert_eq!(shards.ranges(2), [0..1, 1..2]);
        assert!(shards.ranges(0).is_empty());
    }

    #[test]
    fn the_number_of_parts_follows_from_settings_and_batch() {
        let of = |shards, batch_size| parts(&TrainConfig { shards, batch_size, ..TrainConfig::default() });
        assert_eq!([of(3, 16), of(3, 2), of(1, 16), of(0, 1), of(0, 3)], [3, 2, 1, 1, 1]);
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        assert_eq!([1, 2, 4, 64].map(|threads| pool(threads).install(|| of(0, 16))), [1, 2, 4, 8]);
    }

    #[test]
    fn sums_are_those_of_all_parts_and_results_in_order() {
        let shards = Shards::start(3).expect("threads");
        let ranges = shards.ranges(7);
        let found = shards.passes(&ranges, 5, vec![1.0, 2.0, 4.0], |value: f64| {
            let part = part::current().expect("a part");
            // Many rounds, so that a part that is late in one of them would be noticed.
            let sums: Vec<f64> = (0..100).map(|round| part.total(vec![value * f64::from(round)])[0]).collect();
            assert!(sums.iter().zip(0..).all(|(sum, round)| *sum == 7.0 * f64::from(round)));
            (value, part.index, part.first, part.seed)
        });
        assert_eq!(found, [(1.0, 0, 0, 5), (2.0, 1, 2, 5), (4.0, 2, 4, 5)]);
    }

    #[test]
    fn a_part_that_fails_ends_the_others() {
        let shards = Shards::start(2).expect("threads");
        let ranges = shards.ranges(2);
        for faulty in 0..2 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                shards.passes(&ranges, 0, vec![0, 1], |number| {
                    assert!(number != faulty, "part {number} fails");
                    part::current().map(|part| part.total(vec![1.0]))
                })
            }));
            let reason = outcome.expect_err("it panics");
            let reason = reason.downcast_ref::<String>().expect("a message");
            assert_eq!(*reason, format!("part {faulty} fails"));
        }
        assert_eq!(shards.map(vec![3, 4], |number| number * number), [9, 16], "the threads go on");
    }
}
