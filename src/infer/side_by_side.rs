//! Works through a set of images with several threads that share the weights of one model.
//!
//! Each thread computes whole images alone, because a pass is a sequence of short operations and dividing each of
//! them among threads leaves the threads waiting for each other. This holds for the bundled model and for the full
//! size (`docs/measurements.md`, *Sets of images*). A GPU has one model for all threads, which computes large sets in
//! batches ([`super::batches`]). The caller receives the results in the order of the set, one after the other, as if
//! there were one thread.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{Builder, Result as Caught, scope};

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::batch_requests::{Asker, SIZE, serve};
use super::batches::Batches;
use super::segmenter::Segmenter;

/// The number of runs per thread that are started before the caller has received the results of the earlier ones.
const AHEAD: usize = 2;
/// The number of threads that ask a GPU for predictions: while it computes a batch, others read and score images.
const ASKERS: usize = SIZE + SIZE / 2;
/// The number of jobs from which a GPU computes in batches, for which it has to be tuned once more.
const MANY: usize = 256;

/// A model for one thread, with the pool in which its operations run.
struct Seat {
    segmenter: Box<dyn Segmenter>,
    pool: ThreadPool,
}

/// Computes `job` for the numbers 0 to `count` and passes `take` a function that returns the results in this order,
/// one with each call; it must not be called more than `count` times. Every `run` consecutive jobs have the same
/// thread, and every thread has a `State` of its own that lives from job to job.
///
/// On a GPU, several jobs run at the same time if there are many, and their predictions are computed in batches; those
/// agree with predictions of one image to rounding, and do not say how like the training pictures an image is, because the
/// features are not read back.
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
    if count >= MANY
        && let Some(predictor) = segmenter.local()
        && predictor.device().is_gpu
        && predictor.can_batch()
    {
        let (out, requests) = bounded(ASKERS);
        let front = predictor.front();
        let asker = |number| {
            let segmenter: Box<dyn Segmenter> = Box::new(Asker { front: front.clone(), out: out.clone() });
            Some(Seat { segmenter, pool: pool_of_one(number)? })
        };
        let seats: Vec<Seat> = (0..ASKERS.min(runs)).map_while(asker).collect();
        // Only the seats hold this end, so that the service ends with them.
        drop(out);
        let service = move || serve(&mut Batches::of(predictor), &requests);
        return at_seats(seats, Some(Box::new(service)), 1, count, run, job, take);
    }
    without_batches(segmenter, count, run, job, take)
}

/// The same for jobs that need the model itself ([`Segmenter::local`]), which those of a batch do not have.
pub(super) fn without_batches<State: Default, Outcome: Send, Taken>(
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
    at_seats(seats, None, AHEAD, count, run, job, take)
}

/// What runs beside the seats for as long as there are any.
type Service<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Computes the jobs at the seats, with `ahead` runs of each before the caller has received the results of the earlier
/// ones.
fn at_seats<'a, State: Default, Outcome: Send, Taken>(
    seats: Vec<Seat>,
    service: Option<Service<'a>>,
    ahead: usize,
    count: usize,
    run: usize,
    job: impl Fn(&mut dyn Segmenter, &mut State, usize) -> Outcome + Sync,
    take: impl FnOnce(&mut dyn FnMut() -> Outcome) -> Taken,
) -> Taken {
    let ahead = ahead * seats.len();
    let (ask, asked) = bounded::<Range<usize>>(ahead);
    let (answer, answers) = bounded::<(usize, Caught<Outcome>)>(ahead * run);
    scope(|scope| {
        if let Some(service) = service {
            // Without it, the seats find that nobody answers.
            let _ = Builder::new().name("himix-batches".into()).spawn_scoped(scope, service);
        }
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
    let seat = |number| Some(Seat { segmenter: segmenter.share()?, pool: pool_of_one(number)? });
    (0..threads).map_while(seat).collect()
}

/// A pool with one thread, so that the operations of a job are not divided.
fn pool_of_one(number: usize) -> Option<ThreadPool> {
    let name = move |_| format!("himix-pass-{number}");
    ThreadPoolBuilder::new().num_threads(1).thread_name(name).build().ok()
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::data::Image;
    use crate::device::{self, OpenDevice};
    use crate::infer::{
        InferError, InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Prediction, Predictor,
    };

    /// A model that only tells whether it can be shared.
    struct Nothing {
        is_shared: bool,
    }

    impl Segmenter for Nothing {
        fn info(&self) -> ModelInfo {
            ModelInfo::default()
        }

        fn predict(&mut self, _: &Image, _: &str) -> Result<Prediction, InferError> {
            Err("it makes no masks".into())
        }

        fn inspect(
            &mut self,
            _: &Image,
            _: &str,
            _: Option<&Overrides>,
            _: InspectOptions,
        ) -> Result<Inspection, InferError> {
            Err("it makes no masks".into())
        }

        fn take_notices(&mut self) -> Vec<String> {
            Vec::new()
        }

        fn share(&self) -> Option<Box<dyn Segmenter>> {
            self.is_shared.then(|| Box::new(Self { is_shared: true }) as Box<dyn Segmenter>)
        }
    }

    /// Runs `test` where this number of threads is available.
    fn on<T: Send>(threads: usize, test: impl FnOnce() -> T + Send) -> T {
        ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(test)
    }

    /// The later a job, the sooner it is done.
    fn slow(count: usize, number: usize) {
        std::thread::sleep(Duration::from_millis(2 * (count - number) as u64));
    }

    #[test]
    fn results_are_in_order_however_many_threads_there_are() {
        for (threads, is_shared, count, run) in [
            (1, true, 7, 1),
            (2, true, 7, 1),
            (5, true, 12, 1),
            (3, true, 11, 4),
            (4, false, 5, 1),
            (4, true, 0, 1),
        ] {
            let job = |_: &mut dyn Segmenter, seen: &mut Vec<usize>, number: usize| {
                slow(count, number);
                seen.push(number);
                // All jobs of a run have the same thread.
                assert!((number - number % run..number).all(|earlier| seen.contains(&earlier)));
                number * number
            };
            let squares: Vec<usize> = on(threads, || {
                in_order(&mut Nothing { is_shared }, count, run, job, |next| (0..count).map(|_| next()).collect())
            });
            assert_eq!(squares, (0..count).map(|number| number * number).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn several_threads_compute_and_only_where_the_model_is_shared() {
        let names = |threads: usize, is_shared: bool| -> Vec<String> {
            let job = |_: &mut dyn Segmenter, _: &mut (), _: usize| {
                std::thread::sleep(Duration::from_millis(20));
                assert!(!is_shared || rayon::current_num_threads() == 1, "a pass has one thread");
                std::thread::current().name().unwrap_or_default().to_owned()
            };
            let take = |next: &mut dyn FnMut() -> String| (0..8).map(|_| next()).collect::<Vec<_>>();
            let mut names = on(threads, || in_order(&mut Nothing { is_shared }, 8, 1, job, take));
            names.sort();
            names.dedup();
            names
        };
        assert_eq!(names(2, true), ["himix-pass-0", "himix-pass-1"]);
        assert_eq!((names(2, false).len(), names(1, true).len()), (1, 1));
    }

    #[test]
    fn a_gpu_computes_batches_and_a_model_with_a_summary_of_its_pictures_as_well() {
        let has_model = |segmenter: &mut dyn Segmenter, _: &mut (), _: usize| segmenter.local().is_some();
        let take = |next: &mut dyn FnMut() -> bool| (0..MANY).map(|_| next()).collect::<Vec<_>>();
        // A predictor on the CPU that is treated as a GPU.
        let device = || OpenDevice { name: "card".into(), is_gpu: true, ..device::cpu() };
        let bundled = || Predictor::open_on(&ModelSource::bundled(), device()).expect("opens");
        assert!(!bundled().info().domain.is_empty());
        assert_eq!(in_order(&mut bundled(), MANY, 1, has_model, take), [false; MANY]);
        assert_eq!(without_batches(&mut bundled(), MANY, 1, has_model, take), [true; MANY]);
    }

    #[test]
    fn little_is_computed_ahead_and_an_end_is_soon() {
        let begun = AtomicUsize::new(0);
        let job = |_: &mut dyn Segmenter, _: &mut (), number: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            number
        };
        let taken = on(2, || {
            in_order(&mut Nothing { is_shared: true }, 1000, 1, job, |next| {
                let first = next();
                std::thread::sleep(Duration::from_millis(50));
                first
            })
        });
        let begun = begun.into_inner();
        // Two runs of one job for each of the two threads.
        assert!(taken == 0 && (1..=4).contains(&begun), "{begun} jobs");
    }

    #[test]
    fn a_panic_is_that_of_its_own_result() {
        let job = |_: &mut dyn Segmenter, _: &mut (), number: usize| {
            assert!(number != 3, "job 3 fails");
            number
        };
        let mut taken = Vec::new();
        let outcome = on(2, || {
            catch_unwind(AssertUnwindSafe(|| {
                in_order(&mut Nothing { is_shared: true }, 50, 1, job, |next| {
                    (0..50).for_each(|_| taken.push(next()))
                });
            }))
        });
        let reason = outcome.expect_err("it panics");
        assert_eq!((reason.downcast_ref::<&str>(), taken), (Some(&"job 3 fails"), vec![0, 1, 2]));
    }
}
