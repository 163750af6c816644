//! The menu bar and the panel of the network while a GPU is made ready.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::type_prompt;
use crate::fake::{Ending, FakeModel, STEPS, SlowGpu};
use crate::harness::{Files, Window, open, says, wait};

/// A window with a mask that the CPU made, while the GPU waits for its first step to be allowed.
fn warming(files: &Files, ends: Ending) -> (Window, Arc<SlowGpu>) {
    let gpu = SlowGpu::new(ends);
    let model = FakeModel { gpu: Some(gpu.clone()), ..FakeModel::default() };
    let start = Start {
        files: vec![files.image()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Auto),
        ..Start::default()
    };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    wait(&mut window, "the warm-up", |window| says(window, "GPU warming up 0 % · fake · Test device"));
    (window, gpu)
}

#[test]
fn the_menu_bar_tells_how_far_the_gpu_is_and_when_it_has_taken_over() {
    let files = Files::new();
    let (mut window, gpu) = warming(&files, Ending::Ready);
    window.get_by_label("Network").click();
    window.run();
    gpu.allow(2);
    wait(&mut window, "progress", |window| says(window, "GPU warming up 40 % · fake · Test device"));
    window.get_by_label("GPU warming up");
    window.get_by_label("40 %, preparing the fake");
    // Meanwhile the CPU answers.
    type_prompt(&mut window, "upper left lung");
    wait(&mut window, "the prompt's tokens", |window| window.query_by_label("upper").is_some());
    gpu.allow(STEPS - 2);
    wait(&mut window, "the change-over", |window| window.query_by_label("fake · Fake GPU").is_some());
    assert!(!says(&window, "warming up"));
    type_prompt(&mut window, ", lower right lung");
    wait(&mut window, "the next prompt's tokens", |window| window.query_by_label("lower").is_some());
}

#[test]
fn a_gpu_that_fails_is_explained_and_the_cpu_goes_on() {
    let files = Files::new();
    let (mut window, gpu) = warming(&files, Ending::Fails);
    gpu.allow(STEPS);
    wait(&mut window, "the reason", |window| says(window, "Fake GPU is not used (the device is lost)."));
    window.get_by_label("fake · Test device");
    type_prompt(&mut window, "upper left lung");
    wait(&mut window, "the prompt's tokens", |window| window.query_by_label("upper").is_some());
}

#[test]
fn the_cpu_can_be_chosen_while_the_gpu_is_made_ready() {
    let files = Files::new();
    let (mut window, gpu) = warming(&files, Ending::Ready);
    window.get_by_label("Model").click();
    window.run();
    window.get_by_label("Compute on the CPU").click();
    window.run();
    wait(&mut window, "the end of the warm-up", |window| window.query_by_label("fake · Test device").is_some());
    gpu.allow(STEPS);
    wait(&mut window, "the warm-up to be abandoned", |_| gpu.abandoned.load(Ordering::SeqCst) == 1);
    window.get_by_label("fake · Test device");
    wait(&mut window, "the mask", |window| says(window, " px, "));
}
