//! Measures what a training run on the same processor or card costs the viewer: how long an edited prompt waits for its mask,
//! and how long the layout of a frame takes in either tab, each without and with a run.
//!
//! `cargo bench --bench beside [-- MODEL] [--device DEVICE]`; MODEL predicts, by default the bundled model. The run trains
//! the small architecture (`assets/small.json`) on phantoms, batch 16. Both are on DEVICE, `cpu` or `gpu`, by default the CPU;
//! `gpu` shows how they share a card.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use himix::app::{HimixApp, Start};
use himix::data::{Image, Pixels};
use himix::device::DeviceChoice;
use himix::engine::run::{Event as RunEvent, TrainConfig};
use himix::engine::{
    Engine, Event, ModelEvent, Pending, PredictRequest, Slot, TrainingJob, TrainingUpdate, trainer,
};
use himix::infer::{BUNDLED_NAME, ModelSource, local_models};

const EDITS: usize = 60;
const FRAMES: usize = 300;

/// Returns the median and the 99th percentile.
fn spread(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 2], values[values.len() * 99 / 100]]
}

fn settings(out: PathBuf, device: DeviceChoice) -> TrainConfig {
    TrainConfig {
        phantoms: 4000,
        architecture: Some("assets/small.json".into()),
        device: device.to_string(),
        batch_size: 16,
        lr: 1e-3,
        out,
        ..TrainConfig::default()
    }
}

/// Returns the milliseconds from a new prompt to its mask.
fn edits(engine: &Engine, image: &Arc<Image>, begin: usize) -> Vec<f64> {
    let (mut times, mut prediction) = (Vec::new(), Pending::default());
    for number in begin..begin + EDITS {
        // A prompt that is not cached, as a user types it.
        let prompt = format!("bilateral pulmonary infection , {number} infected areas , upper left lung");
        let start = Instant::now();
        let ticket = number as u64;
        let request = PredictRequest { ticket, image: image.clone(), seen: None, prompt, truth: None };
        engine.predict(Slot::Primary, &mut prediction, request);
        while prediction.take().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(60));
    }
    times
}

/// Waits until the model is on the GPU that was asked for.
fn wait_for_gpu(engine: &Engine, device: DeviceChoice) {
    if !matches!(device, DeviceChoice::Gpu(_)) {
        return;
    }
    loop {
        match engine.next_event() {
            Some(Event::Model { event: ModelEvent::Updated { info, .. }, .. }) => {
                println!("the model is on {}", info.device);
                return;
            }
            Some(Event::Model { event: ModelEvent::Notice(reason), .. }) => panic!("{reason}"),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn wait_for_step(engine: &Engine) {
    while !engine
        .training_updates()
        .iter()
        .any(|updates| matches!(updates, TrainingUpdate::Event(RunEvent::Step { .. })))
    {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the milliseconds of a frame, `FRAMES` times in each tab.
fn frames(window: &mut Harness<'_, Option<HimixApp>>) -> [Vec<f64>; 2] {
    ["Read", "Train"].map(|tab| {
        window.get_by_label(tab).click();
        window.step();
        let frame = |_| {
            let start = Instant::now();
            window.step();
            let time = start.elapsed().as_secs_f64() * 1e3;
            std::thread::sleep(Duration::from_millis(8));
            time
        };
        (0..FRAMES).map(frame).collect()
    })
}

fn main() {
    himix::memory::keep_between_tensors();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut device = DeviceChoice::Cpu;
    if let Some(place) = arguments.iter().position(|argument| argument == "--device") {
        device = arguments.get(place + 1).expect("--device takes a device").parse().expect("a device");
        arguments.drain(place..place + 2);
    }
    let model = arguments.into_iter().next();
    let source = ModelSource::new(model.unwrap_or_else(|| BUNDLED_NAME.into()));
    let pixels = Pixels::U8((0..512 * 512).map(|i| ((i * 31) % 251) as u8).collect());
    let image = Arc::new(Image { width: 512, height: 512, channels: 1, pixels });

    let mut engine = Engine::start(local_models(), trainer(), Arc::new(|| ())).expect("threads start");
    let mut opening = Pending::default();
    engine.open_model(Slot::Primary, &mut opening, source.clone(), device).expect("a thread");
    while opening.take().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    wait_for_gpu(&engine, device);
    edits(&engine, &image, 0);
    let alone = spread(edits(&engine, &image, 1000));
    engine.train(TrainingJob::New(Box::new(settings(folder.path().join("edits"), device)))).expect("a thread");
    wait_for_step(&engine);
    let beside = spread(edits(&engine, &image, 2000));
    drop(engine);
    println!("                                   alone          beside a run   ratio");
    println!("                                   median   p99   median   p99   of the medians, ms");
    let line = |name: &str, alone: [f64; 2], beside: [f64; 2]| {
        let ratio = beside[0] / alone[0];
        println!("{name:32} {:8.1} {:5.1} {:8.1} {:5.1} {ratio:7.2}", alone[0], alone[1], beside[0], beside[1]);
    };
    line("an edited prompt to its mask", alone, beside);

    let start = Start { model: Some(source), device: Some(device), ..Start::default() };
    let mut first = Some(start);
    let frame = move |ui: &mut egui::Ui, app: &mut Option<HimixApp>| {
        if let Some(start) = first.take() {
            *app = HimixApp::new(ui.ctx(), local_models(), trainer(), start).ok();
        }
        app.iter_mut().for_each(|app| app.show(ui));
    };
    let mut window = Harness::builder().with_size([1280.0, 800.0]).build_ui_state(frame, None);
    let mut engine = Engine::start(local_models(), trainer(), Arc::new(|| ())).expect("threads start");
    let [read, train] = frames(&mut window).map(spread);
    engine.train(TrainingJob::New(Box::new(settings(folder.path().join("frames"), device)))).expect("a thread");
    wait_for_step(&engine);
    let [read_beside, train_beside] = frames(&mut window).map(spread);
    line("a frame of the Read tab, laid out", read, read_beside);
    line("a frame of the Train tab", train, train_beside);
}
