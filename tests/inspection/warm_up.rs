//! A model that is made ready through wgpu on a thread of its own and then used on another one.

use std::ops::ControlFlow;
use std::thread;
use std::time::Instant;

use himix::device::DeviceChoice;
use himix::infer::{Warmed, same_mask};

use super::{EVERYTHING, assert_close, mini};
use crate::common::{self, Child, Need};

/// The largest difference between wgpu and the CPU, relative to the largest value.
const TOLERANCE: f32 = 1e-3;

/// Like the parity test through wgpu, this runs in a child process that does not try out kernels.
#[test]
fn a_model_changes_over_to_wgpu_with_the_same_numbers() {
    println!("{}", Child::with_little_tuning("warm_up::in_a_child").run());
}

#[test]
#[ignore = "run by a_model_changes_over_to_wgpu_with_the_same_numbers"]
fn in_a_child() {
    if himix::device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let Some(mut mini) = mini() else { return };
    let warm_up = mini.predictor.on_gpu(DeviceChoice::Gpu(None)).expect("it computes on the CPU");
    let (warmed, steps) = thread::spawn(move || {
        let mut steps = Vec::new();
        let warmed = warm_up(&mut |progress| {
            println!("{:>3} % {}", progress.percent, progress.step);
            steps.push(progress.percent);
            ControlFlow::Continue(())
        });
        (warmed, steps)
    })
    .join()
    .expect("it does not panic");
    let Warmed::Ready(mut ready) = warmed.expect("it does not fail") else { panic!("there is an adapter") };
    assert_eq!(steps, [0, 2, 5, 25, 33, 85, 90]);
    assert!(!ready.info().device.starts_with("CPU"), "{}", ready.info().device);
    assert_eq!(same_mask(&mut mini.predictor, ready.as_mut()), Ok(()));

    let mut other = mini.predictor.overrides().clone();
    other.stages[0].is_filtered = false;
    for overrides in [None, Some(&other)] {
        let expected = mini.inspect(overrides);
        let start = Instant::now();
        let ours = ready.inspect(&mini.image, &mini.prompt, overrides, EVERYTHING).expect("through wgpu");
        println!("everything in {:.2?}", start.elapsed());
        let [mask, expected_mask] = [&ours, &expected].map(|seen| &seen.prediction.probability.values);
        assert_close(mask, expected_mask, TOLERANCE, "mask");
        for (stage, expected) in ours.stages.iter().zip(&expected.stages) {
            let [map, expected_map] =
                [stage, expected].map(|stage| stage.attribution.as_ref().map(|found| &found.map.values));
            assert_close(map.expect("requested"), expected_map.expect("requested"), TOLERANCE, "attribution");
        }
    }
    assert_eq!(ready.take_notices(), Vec::<String>::new(), "the GPU did not fail");
    // A third thread ends it.
    thread::spawn(move || drop(ready)).join().expect("it does not panic");
}
