//! The CPU answers while a GPU is made ready, with a GPU that takes its steps when the test says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use himix::device::DeviceChoice;
use himix::engine::{Engine, Event, ModelEvent, Pending, Predicted, Slot};
use himix::infer::{ModelSource, Prediction};

use super::fake::{Ending, FakeModel, STEPS, SlowGpu};
use super::{answer, message, open, request, soon};

/// An engine with the fake open on the CPU, and the GPU that is made ready.
fn warming(ends: Ending) -> (Engine, FakeModel, Arc<SlowGpu>) {
    let gpu = SlowGpu::new(ends);
    let model = FakeModel { gpu: Some(gpu.clone()), ..FakeModel::default() };
    let mut engine =
        Engine::start(model.opener(), himix::engine::trainer(), Arc::new(|| ())).expect("threads start");
    open(&mut engine, Slot::Primary, "demo").expect("the model opens");
    (engine, model, gpu)
}

fn event(engine: &Engine) -> ModelEvent {
    match soon("an event", || engine.next_event()) {
        Event::Model { slot: Slot::Primary, event } => event,
        other => panic!("not expected: {other:?}"),
    }
}

/// The next progress; `None` if the warm-up has ended.
fn percent(engine: &Engine) -> Option<u8> {
    match event(engine) {
        ModelEvent::WarmUp(progress) => progress.map(|progress| {
            assert_eq!((progress.device.as_str(), progress.step), ("Fake GPU", "preparing the fake"));
            progress.percent
        }),
        other => panic!("not expected: {other:?}"),
    }
}

fn predict(engine: &Engine, prompt: &str) -> Arc<Prediction> {
    let mut mask = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut mask, request(engine.ticket(), prompt));
    answer(&mut mask).expect("a prediction").prediction
}

fn models_on(gpu: &SlowGpu) -> usize {
    Arc::strong_count(&gpu.alive) - 1
}

#[test]
fn the_cpu_answers_until_the_gpu_is_ready_and_takes_over() {
    let (engine, model, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    let by_cpu = predict(&engine, "left lung");
    assert_eq!(by_cpu.device, "Test device");
    for expected in [20, 40, 60, 80] {
        gpu.allow(1);
        assert_eq!(percent(&engine), Some(expected));
        assert_eq!(predict(&engine, "left lung").device, "Test device");
    }
    // The test, the opener and the model of the CPU hold one each.
    assert_eq!(Arc::strong_count(&model.alive), 3);
    gpu.allow(1);
    assert_eq!(percent(&engine), None);
    match event(&engine) {
        ModelEvent::Updated { info, .. } => assert_eq!(info.device, "Fake GPU"),
        other => panic!("not expected: {other:?}"),
    }
    assert_eq!(Arc::strong_count(&model.alive), 2, "the model of the CPU is gone");
    let by_gpu = predict(&engine, "left lung");
    assert_eq!(by_gpu.device, "Fake GPU");
    assert_eq!(by_gpu.probability, by_cpu.probability);
    assert!(engine.next_event().is_none());
}

#[test]
fn a_gpu_that_is_not_fit_leaves_the_cpu_in_place_and_says_why() {
    for (ends, reason) in [
        (Ending::Fails, "Fake GPU is not used (the device is lost)"),
        (Ending::Panics, "Fake GPU is not used (the driver panics)"),
        (Ending::ReadyButWrong, "Fake GPU is not used (its mask of a test image differs from that of the CPU"),
    ] {
        let (engine, _, gpu) = warming(ends);
        gpu.allow(STEPS);
        for expected in [0, 20, 40, 60, 80] {
            assert_eq!(percent(&engine), Some(expected), "{ends:?}");
        }
        assert_eq!(percent(&engine), None, "{ends:?}");
        match event(&engine) {
            ModelEvent::Notice(text) => {
                assert!(text.starts_with(reason) && text.contains("The CPU is used."), "{text}");
            }
            other => panic!("not expected: {other:?}"),
        }
        assert_eq!(predict(&engine, "left lung").device, "Test device", "{ends:?}");
        assert_eq!(models_on(&gpu), 0, "{ends:?}");
    }
}

#[test]
fn where_there_is_no_gpu_only_who_asked_for_it_hears_of_it() {
    let (engine, ..) = warming(Ending::NoGpu);
    assert_eq!(percent(&engine), None);
    assert_eq!(predict(&engine, "left lung").device, "Test device");
    assert!(engine.next_event().is_none());
    let (engine, ..) = warming(Ending::NoGpuWithNotice);
    assert_eq!(percent(&engine), None);
    assert!(matches!(event(&engine), ModelEvent::Notice(text) if text.starts_with("gpu is not to be had")));
}

#[test]
fn another_device_abandons_the_warm_up_and_its_result() {
    let (mut engine, _, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    let mut opening = Pending::default();
    let source = ModelSource::new("demo");
    engine.open_model(Slot::Primary, &mut opening, source, DeviceChoice::Cpu).expect("a thread");
    answer(&mut opening).expect("the model opens");
    assert_eq!(percent(&engine), None);
    gpu.allow(STEPS);
    soon("the end of the warm-up", || (gpu.abandoned.load(Ordering::SeqCst) == 1).then_some(()));
    assert_eq!(predict(&engine, "left lung").device, "Test device");
    assert!(engine.next_event().is_none(), "nothing is heard of it any more");
}

#[test]
fn a_result_that_comes_after_another_model_was_opened_is_dropped() {
    let (mut engine, _, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    gpu.allow(STEPS - 1);
    for expected in [20, 40, 60, 80] {
        assert_eq!(percent(&engine), Some(expected));
    }
    // The last step is running, which nothing interrupts.
    let mut opening = Pending::default();
    let source = ModelSource::new("other");
    engine.open_model(Slot::Primary, &mut opening, source, DeviceChoice::Cpu).expect("a thread");
    answer(&mut opening).expect("the model opens");
    assert_eq!(percent(&engine), None);
    gpu.allow(1);
    soon("the end of the warm-up", || (!gpu.is_busy.load(Ordering::SeqCst)).then_some(()));
    soon("the result to be dropped", || (models_on(&gpu) == 0).then_some(()));
    assert_eq!(predict(&engine, "left lung").device, "Test device");
    assert!(engine.next_event().is_none());
}

#[test]
fn a_model_that_cannot_be_opened_abandons_nothing() {
    let (mut engine, _, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    assert!(message(open(&mut engine, Slot::Primary, "missing")).contains("there is no such model"));
    gpu.allow(STEPS);
    for expected in [20, 40, 60, 80] {
        assert_eq!(percent(&engine), Some(expected));
    }
    assert_eq!(percent(&engine), None);
    assert!(matches!(event(&engine), ModelEvent::Updated { .. }));
    assert_eq!(predict(&engine, "left lung").device, "Fake GPU");
}

#[test]
fn the_window_closes_during_a_warm_up() {
    let (engine, _, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    let start = Instant::now();
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(3), "a step that does not end is not waited for");
    gpu.allow(STEPS);
    soon("the end of the warm-up", || (gpu.abandoned.load(Ordering::SeqCst) == 1).then_some(()));
    assert_eq!(models_on(&gpu), 0);
}

#[test]
fn a_gpu_that_fails_later_is_replaced_by_the_cpu() {
    let (engine, _, gpu) = warming(Ending::Ready);
    gpu.allow(STEPS);
    while !matches!(event(&engine), ModelEvent::Updated { .. }) {}
    let prediction = predict(&engine, "lose the device");
    assert_eq!(prediction.device, "Test device");
    let text = soon("a notice", || match engine.next_event()? {
        Event::Model { event: ModelEvent::Notice(text), .. } => Some(text),
        _ => None,
    });
    assert!(text.contains("the device is lost") && text.contains("on the CPU"), "{text}");
    soon("the model of the GPU to go", || (models_on(&gpu) == 0).then_some(()));
}

#[test]
fn two_models_are_made_ready_one_after_the_other() {
    let (mut engine, _, gpu) = warming(Ending::Ready);
    assert_eq!(percent(&engine), Some(0));
    open(&mut engine, Slot::Compared, "other").expect("opens");
    // The fake would panic if the second began beside the first.
    gpu.allow(2 * STEPS);
    let mut updated = Vec::new();
    while updated.len() < 2 {
        match soon("an event", || engine.next_event()) {
            Event::Model { slot, event: ModelEvent::Updated { .. } } => updated.push(slot),
            Event::Model { event: ModelEvent::Notice(text), .. } => panic!("{text}"),
            _ => {}
        }
    }
    assert_eq!(updated, [Slot::Primary, Slot::Compared]);
}
