//! The loss and its gradient through wgpu, behind the pooling that ends the network. Fusion merges the two, and a wrong
//! merge would train a wrong network without any message.

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use himix::device::{self, DeviceChoice};
use himix::model::blocks::head::blur;
use himix::train::LossKind;
use himix::train::loss::loss;

use super::assert_close;
use crate::common::{self, Child, Need};

const SIDE: usize = 32;
const BATCH: usize = 2;
const TOLERANCE: f32 = 1e-4;

#[test]
fn the_loss_behind_the_head_is_the_same_through_wgpu() {
    println!("{}", Child::with_little_tuning("gradients::in_a_child").run());
}

/// The end of the network: the mean over 4×4 positions and a bias.
fn logits(x: Tensor<4>) -> Tensor<4> {
    blur(x) + 0.1
}

/// Returns the probabilities, the loss and the gradient of the input.
fn step(device: &Device, kind: LossKind) -> [Vec<f32>; 3] {
    let numbers = |factor: f32, step: usize| -> Vec<f32> {
        (0..BATCH * SIDE * SIDE).map(|at| ((at * step) % 101) as f32 / 101.0 * factor - factor / 2.0).collect()
    };
    let device = device.clone().autodiff();
    let tensor =
        |values: Vec<f32>| Tensor::<4>::from_data(TensorData::new(values, [BATCH, 1, SIDE, SIDE]), &device);
    let target = tensor(numbers(1.0, 7)).greater_elem(0.2).float();
    let x = tensor(numbers(12.0, 37)).require_grad();
    let out = logits(x.clone());
    let value = loss(out.clone(), target, kind).total;
    let probability = sigmoid(out).inner().into_data().iter().collect();
    let gradient = x.grad(&value.backward()).expect("it has one").into_data().iter().collect();
    [probability, value.into_data().iter().collect(), gradient]
}

#[test]
#[ignore = "run by the_loss_behind_the_head_is_the_same_through_wgpu"]
fn in_a_child() {
    if device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let open = device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    for kind in [LossKind::Binary, LossKind::Literal] {
        let [ours, expected] = [&open.device, &Device::flex()].map(|device| step(device, kind));
        println!("loss {:?} and {:?}", ours[1], expected[1]);
        for ((ours, expected), what) in ours.iter().zip(&expected).zip(["probability", "loss", "gradient"]) {
            assert_close(ours, expected, TOLERANCE, what);
        }
    }
}
