//! The engine's threads, with a model that needs no weights.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod fake;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fake::{FakeModel, HEIGHT, WIDTH};
use himix::analysis::figure::Options;
use himix::data::{Image, Pixels};
use himix::device::DeviceChoice;
use himix::engine::{
    Engine, Event, FigureKind, FigureModel, FigureRequest, FileCommand, FileEvent, ModelRequest, PredictRequest,
    Predicted, Segmenter,
};
use himix::infer::{InspectOptions, ModelSource, Parameter, SweepPoint, SweepResult};

fn image() -> Arc<Image> {
    let pixels = Pixels::U8(vec![100; WIDTH * HEIGHT]);
    Arc::new(Image { width: WIDTH, height: HEIGHT, channels: 1, pixels })
}

fn request(ticket: u64, prompt: &str) -> PredictRequest {
    PredictRequest { ticket, image: image(), seen: None, prompt: prompt.into(), truth: None }
}

fn model_request(ticket: u64, device: DeviceChoice) -> ModelRequest {
    let source = ModelSource { model: PathBuf::from("demo"), ..ModelSource::default() };
    ModelRequest { ticket, source, device }
}

/// An engine with the fake open, and how often it woke its reader.
fn engine(model: &FakeModel) -> (Engine, Arc<AtomicU64>) {
    let wakes = Arc::new(AtomicU64::new(0));
    let count = wakes.clone();
    let wake = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let engine = Engine::start(model.opener(), himix::engine::trainer(), wake).expect("threads start");
    engine.open_model(model_request(1, DeviceChoice::Auto));
    assert!(matches!(event(&engine), Event::ModelOpened { ticket: 1, .. }));
    (engine, wakes)
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

#[track_caller]
fn event(engine: &Engine) -> Event {
    soon("an event", || engine.next_event())
}

#[track_caller]
fn prediction(engine: &Engine, ticket: u64) -> Predicted {
    soon("a prediction", || engine.take_prediction().filter(|predicted| predicted.ticket == ticket))
}

#[test]
fn a_newer_request_replaces_one_still_waiting() {
    let model = FakeModel { takes: Duration::from_millis(150), ..FakeModel::default() };
    let (engine, wakes) = engine(&model);
    engine.predict(request(1, "a"));
    soon("the first to be worked on", || (model.last_prompt() == "a").then_some(()));
    let start = Instant::now();
    for (ticket, prompt) in [(2, "ab"), (3, "abc"), (4, "abcd")] {
        engine.predict(request(ticket, prompt));
    }
    assert!(start.elapsed() < Duration::from_millis(50), "asking does not wait");
    let predicted = prediction(&engine, 4);
    assert_eq!(predicted.prediction.prompt, "abcd");
    assert_eq!(model.all_prompts(), ["a", "abcd"]);
    soon("a wake for each report", || (wakes.load(Ordering::SeqCst) >= 3).then_some(()));
}

#[test]
fn a_panic_is_reported_and_the_thread_lives_on() {
    let model = FakeModel::default();
    let (engine, _) = engine(&model);
    engine.predict(request(1, "panic"));
    let (mut failed, mut reopened) = (None, 0);
    while failed.is_none() {
        match event(&engine) {
            Event::PredictionFailed { ticket, message } => failed = Some((ticket, message)),
            Event::ModelUpdated(_) => reopened += 1,
            Event::Notice(text) => assert!(text.contains("opened again on the CPU"), "{text}"),
            other => panic!("not expected: {other:?}"),
        }
    }
    assert!(failed.is_some_and(|(ticket, message)| ticket == 1 && message.contains("the fake panics")));
    assert_eq!(reopened, 2);
    engine.predict(request(2, "left lung"));
    assert_eq!(prediction(&engine, 2).prediction.prompt, "left lung");
}

#[test]
fn without_a_model_a_request_is_refused_in_words() {
    let engine = Engine::start(FakeModel::default().opener(), himix::engine::trainer(), Arc::new(|| ()))
        .expect("threads start");
    engine.predict(request(7, "x"));
    let Event::PredictionFailed { ticket: 7, message } = event(&engine) else { panic!("a refusal") };
    assert!(message.contains("No model is open"));
}

#[test]
fn files_asked_for_are_written_before_the_engine_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (engine, _) = engine(&FakeModel::default());
    engine.predict(request(1, "x"));
    let shown = prediction(&engine, 1).prediction;
    let (mask, note) = (folder.path().join("mask.png"), folder.path().join("new").join("note.json"));
    engine
        .file(FileCommand::SaveMask { path: mask.clone(), prediction: shown, threshold: 0.5 })
        .expect("not busy");
    engine.file(FileCommand::Write { path: note.clone(), bytes: b"{}".to_vec() }).expect("not busy");
    drop(engine);
    let written = image::open(mask).expect("a mask").to_luma8();
    assert_eq!((written.get_pixel(0, 0).0, written.get_pixel(WIDTH as u32 - 1, 0).0), ([255], [0]));
    assert_eq!(std::fs::read(note).expect("a note"), b"{}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let (engine, _) = engine(&FakeModel::default());
    let path = PathBuf::from("there/is/no/such.png");
    engine
        .file(FileCommand::OpenImage {
            ticket: 3,
            path,
            files: Vec::new(),
            texture_limit: 64,
            limit: himix::data::Limit::default(),
            orientation: himix::data::Orientation::default(),
            cancel: Default::default(),
        })
        .expect("not busy");
    let Event::File(FileEvent::Failed { ticket: Some(3), message }) = event(&engine) else { panic!("a failure") };
    assert!(message.contains("such.png"), "{message}");
}

#[test]
fn figures_are_drawn_and_written_as_their_ending_says() {
    let mut model = FakeModel { has_linear_probes: true, ..FakeModel::default() };
    let wanted = InspectOptions { stages: true, attribution: true, spectra: true, similarity: true };
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
        engine.file(FileCommand::SaveFigure { path: path.clone(), request: Box::new(request) }).expect("not busy");
        (event(&engine), path)
    };
    use FigureKind::{Refinement, Similarity, Spectrum, Stages, Sweep, Weights};
    for kind in [Stages, Refinement, Spectrum, Weights, Similarity, Sweep] {
        for (ending, start) in [("png", &b"\x89PNG"[..]), ("svg", b"<svg "), ("csv", b"model,")] {
            let (event, path) = save(kind, &format!("{kind:?}.{ending}"), vec![part.clone(), part.clone()]);
            assert!(matches!(event, Event::File(FileEvent::Saved { .. })), "{kind:?}: {event:?}");
            assert!(std::fs::read(&path).expect("a file").starts_with(start), "{kind:?}.{ending}");
        }
    }
    // Without a look the filters and the weights are there all the same; what needs one says so, and the file is named.
    let blind = FigureModel { inspection: None, sweep: None, ..part };
    for kind in [Spectrum, Weights] {
        assert!(matches!(save(kind, "blind.svg", vec![blind.clone()]).0, Event::File(FileEvent::Saved { .. })));
    }
    for (kind, name) in [(Stages, "blind2.svg"), (Sweep, "blind3.svg"), (Weights, "figure.pdf")] {
        let (event, path) = save(kind, name, vec![blind.clone()]);
        let Event::File(FileEvent::Failed { message, .. }) = event else { panic!("{name}: {event:?}") };
        assert!(message.contains(name) && !path.exists(), "{message}");
    }
}
