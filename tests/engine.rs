//! The engine's threads, with a model that needs no weights.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod common;
mod fake;
#[path = "engine/jobs.rs"]
mod jobs;
#[path = "engine/journal.rs"]
mod journal;
#[path = "engine/model_jobs.rs"]
mod model_jobs;
#[path = "engine/precedence.rs"]
mod precedence;
#[path = "engine/seam.rs"]
mod seam;
#[path = "engine/sets.rs"]
mod sets;
#[path = "engine/warm_up.rs"]
mod warm_up;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fake::{FakeModel, HEIGHT, WIDTH};
use himix::analysis::figure::Options;
use himix::data::{Image, Pixels};
use himix::device::DeviceChoice;
use himix::engine::jobs::{OpenImage, SaveFigure, SaveMask, Write};
use himix::engine::{
    Engine, Event, Failure, FigureKind, FigureModel, FigureRequest, InspectRequest, MaskOf, ModelEvent, Pending,
    PredictRequest, Predicted, Slot,
};
use himix::infer::{InspectOptions, ModelSource, Parameter, Segmenter, SweepPoint, SweepResult};

fn image() -> Arc<Image> {
    let pixels = Pixels::U8(vec![100; WIDTH * HEIGHT]);
    Arc::new(Image { width: WIDTH, height: HEIGHT, channels: 1, pixels })
}

fn request(ticket: u64, prompt: &str) -> PredictRequest {
    PredictRequest { ticket, image: image(), seen: None, prompt: prompt.into(), truth: None }
}

/// An engine with the fake open, and how often it woke its reader.
fn engine(model: &FakeModel) -> (Engine, Arc<AtomicU64>) {
    let wakes = Arc::new(AtomicU64::new(0));
    let count = wakes.clone();
    let wake = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let mut engine = Engine::start(model.opener(), himix::engine::trainer(), wake).expect("threads start");
    open(&mut engine, Slot::Primary, "demo").expect("the model opens");
    (engine, wakes)
}

/// Opens a model and waits for it.
fn open(engine: &mut Engine, slot: Slot, name: &str) -> Result<(), Failure> {
    let mut opening = Pending::default();
    engine.open_model(slot, &mut opening, ModelSource::new(name), DeviceChoice::Auto).expect("a thread");
    answer(&mut opening).map(|info| assert_eq!(info.name, "fake"))
}

#[track_caller]
fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The newest answer, waited for.
#[track_caller]
fn answer<Q, A>(pending: &mut Pending<Q, A>) -> Result<A, Failure> {
    soon("an answer", || pending.take())
}

#[track_caller]
fn message<A: std::fmt::Debug>(outcome: Result<A, Failure>) -> String {
    outcome.expect_err("a failure").message().expect("a message")
}

#[test]
fn a_newer_request_replaces_one_still_waiting() {
    let model = FakeModel { takes: Duration::from_millis(150), ..FakeModel::default() };
    let (engine, wakes) = engine(&model);
    let mut predictions = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut predictions, request(1, "a"));
    soon("the first to be worked on", || (model.last_prompt() == "a").then_some(()));
    let start = Instant::now();
    for (ticket, prompt) in [(2, "ab"), (3, "abc"), (4, "abcd")] {
        engine.predict(Slot::Primary, &mut predictions, request(ticket, prompt));
    }
    assert!(start.elapsed() < Duration::from_millis(50), "asking does not wait");
    // The one that was worked on is shown until the newest comes.
    let (ticket, first) = soon("the first", || predictions.take_any());
    assert_eq!((ticket, first.expect("a prediction").prediction.prompt.as_str()), (1, "a"));
    assert!(predictions.pending().is_some());
    let predicted = answer(&mut predictions).expect("a prediction");
    assert_eq!((predicted.ticket, predicted.prediction.prompt.as_str()), (4, "abcd"));
    assert_eq!(model.all_prompts(), ["a", "abcd"]);
    soon("a wake for each report", || (wakes.load(Ordering::SeqCst) >= 3).then_some(()));
}

#[test]
fn a_panic_is_reported_and_the_thread_lives_on() {
    let model = FakeModel::default();
    let (engine, _) = engine(&model);
    let mut predictions = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut predictions, request(1, "panic"));
    let text = message(answer(&mut predictions));
    assert!(text.contains("the fake panics"), "{text}");
    let mut reopened = 0;
    while let Some(event) = engine.next_event() {
        match event {
            Event::Model { slot: Slot::Primary, event: ModelEvent::Updated { .. } } => reopened += 1,
            Event::Model { slot: Slot::Primary, event: ModelEvent::Notice(text) } => {
                assert!(text.contains("opened again on the CPU"), "{text}");
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    assert_eq!(reopened, 2);
    engine.predict(Slot::Primary, &mut predictions, request(2, "left lung"));
    assert_eq!(answer(&mut predictions).expect("a prediction").prediction.prompt, "left lung");
}

#[test]
fn without_a_model_a_request_is_refused_in_words() {
    let engine = Engine::start(FakeModel::default().opener(), himix::engine::trainer(), Arc::new(|| ()))
        .expect("threads start");
    let mut predictions = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut predictions, request(7, "x"));
    let text = message(answer(&mut predictions));
    assert!(text.contains("No model is open"), "{text}");
}

#[test]
fn a_compared_model_that_fails_fails_alone() {
    let (mut engine, _) = engine(&FakeModel::default());
    let text = message(open(&mut engine, Slot::Compared, "missing"));
    assert!(text.contains("missing: there is no such model"), "{text}");
    let look = |of| InspectRequest { of, overrides: None, wanted: InspectOptions::default() };
    let (mut mask, mut stages) = (Pending::<(), Predicted>::default(), Pending::default());
    open(&mut engine, Slot::Compared, "no-masks").expect("opens");
    engine.predict(Slot::Compared, &mut mask, request(1, "x"));
    assert!(message(answer(&mut mask)).contains("makes no masks"));
    open(&mut engine, Slot::Compared, "no-stages").expect("opens");
    engine.inspect(Slot::Compared, &mut stages, "stages", look(request(2, "x")));
    assert!(message(answer(&mut stages)).contains("shows no stages"));
    // The other slot knows nothing of it.
    engine.predict(Slot::Primary, &mut mask, request(3, "y"));
    assert_eq!(answer(&mut mask).expect("a prediction").prediction.prompt, "y");
    engine.inspect(Slot::Primary, &mut stages, "stages", look(request(4, "y")));
    assert_eq!(answer(&mut stages).expect("a look inside").inspection.stages.len(), 3);
    assert!(engine.next_event().is_none());
}

#[test]
fn what_happens_to_a_compared_model_names_its_slot() {
    let (mut engine, _) = engine(&FakeModel::default());
    open(&mut engine, Slot::Compared, "other").expect("opens");
    let mut mask = Pending::<(), Predicted>::default();
    engine.predict(Slot::Compared, &mut mask, request(1, "panic"));
    assert!(message(answer(&mut mask)).contains("the fake panics"));
    while let Some(event) = engine.next_event() {
        assert!(matches!(event, Event::Model { slot: Slot::Compared, .. }), "{event:?}");
    }
}

#[test]
fn files_asked_for_are_written_before_the_engine_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (engine, _) = engine(&FakeModel::default());
    let mut predictions = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut predictions, request(1, "x"));
    let prediction = answer(&mut predictions).expect("a prediction").prediction;
    let (mask, note) = (folder.path().join("mask.png"), folder.path().join("new").join("note.json"));
    let save = SaveMask { path: mask.clone(), mask: MaskOf::Prediction(prediction, 0.5) };
    engine.ask(&mut Pending::default(), (), save).expect("not busy");
    let write = Write { path: note.clone(), bytes: b"{}".to_vec() };
    engine.ask(&mut Pending::default(), (), write).expect("not busy");
    drop(engine);
    let written = image::open(mask).expect("a mask").to_luma8();
    assert_eq!((written.get_pixel(0, 0).0, written.get_pixel(WIDTH as u32 - 1, 0).0), ([255], [0]));
    assert_eq!(std::fs::read(note).expect("a note"), b"{}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let (engine, _) = engine(&FakeModel::default());
    let job = OpenImage {
        path: PathBuf::from("there/is/no/such.png"),
        files: Vec::new(),
        texture_limit: 64,
        limit: himix::data::Limit::default(),
        orientation: himix::data::Orientation::default(),
        looks_up: true,
    };
    let mut image = Pending::default();
    engine.ask(&mut image, (), job).expect("not busy");
    let text = message(answer(&mut image));
    assert!(text.contains("such.png"), "{text}");
}

#[test]
fn figures_are_drawn_and_written_as_their_ending_says() {
    let mut model = FakeModel { has_linear_probes: true, ..FakeModel::default() };
    let wanted = InspectOptions { maps: false, stages: true, attribution: true, spectra: true, similarity: true };
    let seen = model.inspect(&image(), "left lung", None, wanted).expect("a look inside");
    let info = model.info();
    let point = |value: f32| SweepPoint { value, area: 0.5, ..SweepPoint::default() };
    let sweep = SweepResult {
        parameter: Parameter::Sigma(0),
        name: "σ of stage 7".into(),
        own: 5.0,
        points: vec![point(1.0), point(9.0)],
        cases: 1,
        with_truth: 0,
        skipped: Vec::new(),
        is_whole: true,
    };
    let part = FigureModel {
        info,
        overrides: None,
        inspection: Some(Arc::new(seen)),
        sweep: Some(sweep),
        original: None,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _) = engine(&model);
    let save = |kind: FigureKind, name: &str, models: Vec<FigureModel>| {
        let request = FigureRequest {
            kind,
            models,
            name: "chest.png".into(),
            image: Some((image(), None)),
            lengths: himix::data::volume::Lengths::PIXELS,
            truth: None,
            options: Options::default(),
            width_px: 400,
        };
        let path = folder.path().join(name);
        let mut saving = Pending::default();
        let job = SaveFigure { path: path.clone(), request: Box::new(request) };
        engine.ask(&mut saving, (), job).expect("not busy");
        (answer(&mut saving), path)
    };
    use FigureKind::{Refinement, Similarity, Spectrum, Stages, Sweep, Weights};
    for kind in [Stages, Refinement, Spectrum, Weights, Similarity, Sweep] {
        for (ending, start) in [("png", &b"\x89PNG"[..]), ("svg", b"<svg "), ("csv", b"model,")] {
            let (saved, path) = save(kind, &format!("{kind:?}.{ending}"), vec![part.clone(), part.clone()]);
            assert_eq!(saved, Ok(()), "{kind:?}");
            assert!(std::fs::read(&path).expect("a file").starts_with(start), "{kind:?}.{ending}");
        }
    }
    // Filters and weights are available without an inspection; figures that need one say so, and the file is named.
    let blind = FigureModel { inspection: None, sweep: None, ..part };
    for kind in [Spectrum, Weights] {
        assert_eq!(save(kind, "blind.svg", vec![blind.clone()]).0, Ok(()));
    }
    for (kind, name) in [(Stages, "blind2.svg"), (Sweep, "blind3.svg"), (Weights, "figure.pdf")] {
        let (saved, path) = save(kind, name, vec![blind.clone()]);
        let text = message(saved);
        assert!(text.contains(name) && !path.exists(), "{text}");
    }
}
