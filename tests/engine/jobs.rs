//! The mechanism of jobs, with jobs that do what a test wants.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use himix::data::Limit;
use himix::data::cases::CaseStore;
use himix::engine::jobs::{CompareReaders, Write};
use himix::engine::{Engine, Failure, Job, Pending, Several, Task, Worker};

use super::fake::FakeModel;
use super::{answer, engine, message, soon};

/// Waits for the gate, or until it is cancelled; then gives its number.
struct Gated {
    number: u32,
    gate: mpsc::Receiver<()>,
    begun: Arc<AtomicU64>,
}

impl Job for Gated {
    type Answer = u32;
    const WORKER: Worker = Worker::Compute;

    fn run(self, task: &mut Task<'_>) -> Result<u32, Failure> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        while self.gate.try_recv().is_err() {
            if !task.progress(1, 2) {
                return Err(Failure::Cancelled);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(self.number)
    }
}

/// Ends at once: with its number, a failure, or a panic.
struct Quick(Option<u32>, bool);

impl Job for Quick {
    type Answer = u32;
    const WORKER: Worker = Worker::Compute;

    fn file(&self) -> Option<PathBuf> {
        Some("a/file.png".into())
    }

    fn run(self, _: &mut Task<'_>) -> Result<u32, Failure> {
        assert!(!self.1, "it panics");
        self.0.ok_or_else(|| Failure::Failed("It is damaged.".into()))
    }
}

fn gated(engine: &Engine, pending: &mut Pending<u32, u32>, number: u32) -> (mpsc::Sender<()>, Arc<AtomicU64>) {
    let (open, gate) = mpsc::channel();
    let begun = Arc::<AtomicU64>::default();
    engine.ask(pending, number, Gated { number, gate, begun: begun.clone() }).expect("not busy");
    (open, begun)
}

#[test]
fn the_newest_request_wins_and_those_that_wait_are_not_begun() {
    let (engine, _) = engine(&FakeModel::default());
    let mut pending = Pending::default();
    let (_first, begun) = gated(&engine, &mut pending, 1);
    soon("the first to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    let (_second, never) = gated(&engine, &mut pending, 2);
    let (third, _) = gated(&engine, &mut pending, 3);
    third.send(()).expect("it is there");
    assert_eq!(answer(&mut pending), Ok(3));
    assert_eq!((pending.asked(), never.load(Ordering::SeqCst)), (Some(&3), 0));
}

#[test]
fn a_job_says_how_far_it_is_and_is_cancelled() {
    let (engine, _) = engine(&FakeModel::default());
    let mut pending = Pending::default();
    let (_gate, _) = gated(&engine, &mut pending, 1);
    soon("its progress", || pending.pending().and_then(|asked| asked.progress()).filter(|so| *so == (1, 2)));
    pending.cancel();
    assert!(pending.pending().is_some_and(|asked| asked.is_cancelled()));
    assert_eq!(answer(&mut pending), Err(Failure::Cancelled));
    assert!(pending.pending().is_none());
}

#[test]
fn a_failure_reaches_its_own_job_only() {
    let (engine, _) = engine(&FakeModel::default());
    let (mut failing, mut sound, mut panicking) = (Pending::default(), Pending::default(), Pending::default());
    engine.ask(&mut failing, "a", Quick(None, false)).expect("not busy");
    engine.ask(&mut panicking, "b", Quick(Some(2), true)).expect("not busy");
    engine.ask(&mut sound, "c", Quick(Some(3), false)).expect("not busy");
    assert_eq!(answer(&mut sound), Ok(3));
    assert_eq!(message(answer(&mut failing)), "It is damaged. File: a/file.png");
    let text = message(answer(&mut panicking));
    assert!(text.contains("it panics") && text.ends_with("File: a/file.png"), "{text}");
    assert!(engine.next_event().is_none());
}

#[test]
fn what_is_asked_beside_each_other_is_all_answered() {
    let (engine, _) = engine(&FakeModel::default());
    let mut several = Several::default();
    for number in 1..=3 {
        engine.ask_beside(&mut several, number, Quick(Some(10 * number), false)).expect("not busy");
    }
    assert!(engine.wait_for(Worker::Compute, Duration::from_secs(10)));
    assert_eq!(several.take(), [(1, Ok(10)), (2, Ok(20)), (3, Ok(30))]);
    assert!(several.is_empty());
}

#[test]
fn it_waits_for_what_takes_a_while_and_not_longer_than_it_is_told() {
    let (engine, _) = engine(&FakeModel::default());
    let mut held = Pending::default();
    let (gate, begun) = gated(&engine, &mut held, 1);
    soon("it to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    assert!(!engine.wait_for(Worker::Compute, Duration::from_millis(20)), "the gate is shut");
    let opened = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        gate.send(()).expect("it is there");
    });
    assert!(engine.wait_for(Worker::Compute, Duration::from_secs(10)));
    assert_eq!(held.take(), Some(Ok(1)), "the answer is there");
    opened.join().expect("it ends");
}

#[test]
fn too_many_requests_are_refused_and_the_one_before_goes_on() {
    let (engine, _) = engine(&FakeModel::default());
    let mut held = Pending::default();
    let (gate, begun) = gated(&engine, &mut held, 1);
    soon("it to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    let mut several = Several::default();
    while engine.ask_beside(&mut several, (), Quick(Some(0), false)).is_ok() {
        assert!(several.len() < 1000, "the queue has an end");
    }
    assert!(engine.ask(&mut held, 2, Quick(Some(2), false)).is_err());
    gate.send(()).expect("it is there");
    assert_eq!(answer(&mut held), Ok(1), "the earlier request was not given up");
}

#[test]
fn writing_is_acknowledged_and_waits_for_no_computation() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _) = engine(&FakeModel::default());
    let mut held = Pending::default();
    let (_gate, begun) = gated(&engine, &mut held, 1);
    soon("it to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    let path = folder.path().join("settings.json");
    let mut writing = Pending::default();
    engine.ask(&mut writing, "settings", Write { path: path.clone(), bytes: b"{}".to_vec() }).expect("not busy");
    assert_eq!(answer(&mut writing), Ok(()));
    assert_eq!(std::fs::read(path).expect("it is written"), b"{}", "what is acknowledged is there");
    assert!(held.pending().is_some(), "the computation still goes on");
    held.cancel();
}

#[test]
fn readers_are_compared_beside_the_computations_for_what_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _) = engine(&FakeModel::default());
    let mut held = Pending::default();
    let (_gate, begun) = gated(&engine, &mut held, 1);
    soon("it to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    let readers = ["Anna", "Bob"].map(str::to_owned);
    let store = CaseStore::of(folder.path(), None);
    let mut comparing = Pending::default();
    engine.ask(&mut comparing, (), CompareReaders { store, readers, limit: Limit::default() }).expect("not busy");
    // It has an answer, if only that there are no such readers.
    message(answer(&mut comparing));
    assert!(held.pending().is_some(), "the computation still goes on");
    held.cancel();
}

#[test]
fn writing_that_fails_says_why_and_names_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    // A folder of that name is in the way.
    let path = folder.path().join("settings.json");
    std::fs::create_dir(&path).expect("a folder");
    let (engine, _) = engine(&FakeModel::default());
    let mut writing = Pending::default();
    engine.ask(&mut writing, (), Write { path: path.clone(), bytes: b"{}".to_vec() }).expect("not busy");
    let text = message(answer(&mut writing));
    assert!(text.contains("settings.json"), "{text}");
}

#[test]
fn an_engine_that_ends_gives_up_computations_but_not_for_want_of_patience() {
    let (engine, _) = engine(&FakeModel::default());
    let mut held = Pending::default();
    let (_gate, begun) = gated(&engine, &mut held, 1);
    soon("it to be begun", || (begun.load(Ordering::SeqCst) == 1).then_some(()));
    assert!(!engine.wait_for(Worker::Compute, Duration::from_millis(20)), "it is bounded");
    let start = Instant::now();
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(5), "a computation that nobody waits for is broken off");
    assert_eq!(held.take(), Some(Err(Failure::Cancelled)));
}
