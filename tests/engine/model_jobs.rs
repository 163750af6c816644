//! Jobs with a model of their own: the typed prompt does not wait for them, whether or not the model can be shared.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use himix::engine::{Failure, ModelJob, ModelTask, Pending, Slot};
use himix::infer::{Segmenter, predict_each};

use super::fake::FakeModel;
use super::{answer, engine, image, open, request};

/// Predicts this many prompts, one after the other.
struct Many(usize);

impl ModelJob for Many {
    type Answer = usize;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<usize, Failure> {
        for done in 0..self.0 {
            if task.progress(done, self.0).is_break() {
                return Err(Failure::Cancelled);
            }
            model.predict(&image(), &format!("prompt {done}")).map_err(|error| error.to_string())?;
        }
        Ok(self.0)
    }
}

fn slow(is_shared: bool) -> FakeModel {
    FakeModel { takes: Duration::from_millis(20), is_shared, ..FakeModel::default() }
}

#[test]
fn the_typed_prompt_is_answered_before_a_long_job() {
    for is_shared in [true, false] {
        let model = slow(is_shared);
        let (engine, _) = engine(&model);
        let (mut job, mut typed) = (Pending::default(), Pending::default());
        engine.ask_model(Slot::Primary, &mut job, (), Many(100));
        while model.all_prompts().len() < 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        engine.predict(Slot::Primary, &mut typed, request(engine.ticket(), "typed"));
        assert!(answer(&mut typed).is_ok());
        assert!(job.pending().is_some() && model.all_prompts().len() < 50, "{is_shared}");
        job.cancel();
        assert_eq!(answer(&mut job), Err(Failure::Cancelled));
    }
}

#[test]
fn a_job_ends_with_its_model() {
    let model = slow(false);
    let (mut engine, _) = engine(&model);
    let mut job = Pending::default();
    engine.ask_model(Slot::Primary, &mut job, (), Many(100));
    while model.all_prompts().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    open(&mut engine, Slot::Primary, "another").expect("the model opens");
    let message = answer(&mut job).expect_err("another model").message().expect("words");
    assert!(message.contains("Another model was opened"), "{message}");
    let start = Instant::now();
    engine.ask_model(Slot::Primary, &mut job, (), Many(1000));
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_job_says_what_is_missing_or_broken() {
    let model = FakeModel::default();
    let (mut engine, _) = engine(&model);
    let mut job = Pending::default();
    assert!(open(&mut engine, Slot::Compared, "missing").is_err());
    engine.ask_model(Slot::Compared, &mut job, (), Many(1));
    let message = answer(&mut job).expect_err("no model").message().expect("words");
    assert!(message.contains("No model is open"), "{message}");
    struct Panics;
    impl ModelJob for Panics {
        type Answer = ();
        fn run(self, model: &mut dyn Segmenter, _: &ModelTask<'_>) -> Result<(), Failure> {
            model.predict(&image(), "panic").map(drop).map_err(|error| error.to_string().into())
        }
    }
    let mut job = Pending::default();
    engine.ask_model(Slot::Primary, &mut job, (), Panics);
    let message = answer(&mut job).expect_err("a panic").message().expect("words");
    assert!(message.contains("the fake panics"), "{message}");
    let mut typed = Pending::default();
    engine.predict(Slot::Primary, &mut typed, request(engine.ticket(), "again"));
    assert!(answer(&mut typed).is_ok(), "the thread goes on");
}

#[test]
fn prompts_are_answered_in_their_order() {
    for is_shared in [true, false] {
        let mut model = FakeModel { is_shared, ..FakeModel::default() };
        let prompts: Vec<String> = (0..9).map(|number| format!("prompt {number}")).collect();
        let keep = |index: usize, prediction: himix::infer::Prediction| (index, prediction.prompt);
        let mut done = Vec::new();
        let go_on = |count| {
            done.push(count);
            ControlFlow::Continue(())
        };
        let kept = predict_each(&mut model, &image(), &prompts, keep, go_on).expect("masks").expect("all");
        let expected: Vec<_> = prompts.iter().cloned().enumerate().collect();
        assert_eq!((kept, done), (expected, (1..=9).collect()));
        let stop = |count| if count == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let stopped = predict_each(&mut model, &image(), &prompts, |_, _| (), stop).expect("no failure");
        assert!(stopped.is_none());
        let failing = ["a".to_owned(), "refuse".to_owned()];
        assert!(predict_each(&mut model, &image(), &failing, |_, _| (), |_| ControlFlow::Continue(())).is_err());
    }
}
