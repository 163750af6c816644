//! Parity with the authors' code: every reference tensor, on every available device.

mod common;

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use himix::device::DeviceChoice;
use himix::model::networks::himix::{HiMix, Prepared};
use himix::model::weights::{ModelSource, bundle, source};
use himix::model::{Executor, Inputs, Target, Tokens, Trace};

use common::{Child, Need};

struct Reference(Box<dyn himix::model::weights::TensorSource>);

impl Reference {
    fn values(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        (self.0.shapes()[name].clone(), self.0.read(name).expect("reference tensor"))
    }
}

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>();
    let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2));
    (difference / sum(&|i| f64::from(theirs[i]).powi(2)).max(1e-300)).sqrt()
}

fn inputs(reference: &Reference, device: &Device) -> (Tensor<4>, Tensor<2, Int>, Tensor<2, Int>) {
    let (shape, image) = reference.values("input.image");
    let image = Tensor::from_data(TensorData::new(image, shape), device);
    let int = |name: &str| {
        let (shape, values) = reference.values(name);
        let values: Vec<i64> = values.into_iter().map(|v| v as i64).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), device)
    };
    (image, int("input.ids"), int("input.mask"))
}

/// Compares every recorded tensor with its reference; masks at 0.5 may differ in 0.01 % of the pixels.
fn check_forward(source: &ModelSource, reference: &str, device: &Device, tolerance: f64) {
    let Some(golden) = common::shared("golden") else { return };
    let reference = Reference(source::open(&golden.join(reference)).expect("reference opens"));
    let located = bundle::locate(source).expect("model is found");
    let model = located.load(device).expect("model loads");
    let (image, ids, mask) = inputs(&reference, device);
    let mut trace = Trace::on();
    let tokens = Some(Tokens { ids: ids.clone(), mask: mask.clone() });
    model.forward(Inputs::new(image.clone()).with_tokens(tokens), &mut trace);
    let ours: BTreeMap<String, (Vec<usize>, Vec<f32>)> = trace
        .into_tensors()
        .into_iter()
        .map(|t| (t.name, (t.shape, t.values.into_data().iter::<f32>().collect())))
        .collect();
    let mut compared = 0;
    for name in reference.0.shapes().keys().filter(|name| !name.starts_with("input.")) {
        let (shape, values) = ours.get(name).unwrap_or_else(|| panic!("{name} is not recorded"));
        let (expected_shape, expected) = reference.values(name);
        assert_eq!(*shape, expected_shape, "{name}");
        let error = relative(values, &expected);
        println!("{name:24} {error:.2e}");
        assert!(error <= tolerance, "{name}: relative error {error:.2e} > {tolerance:.0e}");
        compared += 1;
    }
    assert!(compared >= 21, "only {compared} tensors compared");
    let masks_differ = |ours: &[f32], item: usize| {
        let (_, expected) = reference.values("probability");
        let expected = &expected[item * ours.len()..(item + 1) * ours.len()];
        let differing = ours.iter().zip(expected).filter(|(a, b)| (**a >= 0.5) != (**b >= 0.5)).count();
        println!("{differing} of {} pixels of the mask differ", expected.len());
        assert!(differing as f64 <= 1e-4 * expected.len() as f64, "{differing} pixels of the mask differ");
    };
    masks_differ(&ours["probability"].1, 0);

    // The prepared network takes one image at a time.
    let device = image.device();
    let prepared = Prepared::new(*model.into_any().downcast::<HiMix>().expect("HiMix"), &Target::single(&device));
    let (shape, expected) = reference.values("logits");
    let per_image = expected.len() / shape[0];
    for item in 0..shape[0] {
        let check = |name: &str, tensor: Tensor<2>| {
            let (_, expected) = reference.values(name);
            let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
            let error = relative(&values, &expected[item * values.len()..(item + 1) * values.len()]);
            println!("prepared {name:24} {error:.2e}");
            assert!(error <= tolerance, "prepared {name}: {error:.2e}");
        };
        let features = prepared.encode_image(image.clone().slice([item..item + 1]));
        for (index, feature) in features.iter().enumerate() {
            check(&format!("vision.hidden.{}", index + 1), feature.clone().transpose());
        }
        let one = |t: &Tensor<2, Int>| t.clone().slice([item..item + 1]);
        let texts = prepared.text_for_stages(one(&ids), one(&mask));
        for (index, text) in texts.iter().flatten().enumerate() {
            check(&format!("stage{}.text_projected", texts.len() - index), text.clone());
        }
        let decoded = prepared.decode_texts(&features, texts);
        for (index, stage) in decoded.stages.iter().enumerate() {
            check(&format!("stage{}.decoded", decoded.stages.len() - index), stage.output.clone());
        }
        check("logits", decoded.logits.clone().reshape([1, per_image as i32]));
        let probability: Vec<f32> = burn::tensor::activation::sigmoid(decoded.logits).into_data().iter().collect();
        masks_differ(&probability, item);
    }
}

fn mini(weights: &str) -> Option<ModelSource> {
    let golden = common::shared("golden")?;
    Some(ModelSource::with(golden.join(weights), Some(golden.join("mini/config.json")), None))
}

#[test]
fn small_model_on_the_cpu() {
    let Some(source) = mini("mini/weights.safetensors") else { return };
    check_forward(&source, "mini/activations.safetensors", &Device::flex(), 1e-4);
}

#[test]
fn small_model_from_a_lightning_checkpoint() {
    let Some(source) = mini("mini/lightning.ckpt") else { return };
    check_forward(&source, "mini/activations.safetensors", &Device::flex(), 1e-4);
}

#[test]
fn full_model_on_the_cpu() {
    check_forward(&ModelSource::new("rule"), "full/activations.safetensors", &Device::flex(), 1e-4);
}

/// The adapter that the GPU tests run on; `None` where there is none.
fn adapter(needs_hardware: bool) -> Option<Device> {
    let has = himix::device::adapters().into_iter().any(|adapter| adapter.is_hardware || !needs_hardware);
    if !has {
        match needs_hardware {
            true => common::skip(Need::GraphicsCard, "there is no graphics card"),
            false => common::skip(Need::Installable, "there is no Vulkan driver, not even a software one"),
        }
        return None;
    }
    let open = himix::device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    println!("on {}", open.name);
    Some(open.device)
}

/// On a software adapter nearly all of the time would go into trying out kernels, so a child process that does not try
/// runs [`small_model_through_wgpu_in_a_child`].
#[test]
fn small_model_through_wgpu() {
    println!("{}", Child::with_little_tuning("small_model_through_wgpu_in_a_child").run());
}

#[test]
#[ignore = "run by small_model_through_wgpu"]
fn small_model_through_wgpu_in_a_child() {
    let Some(source) = mini("mini/weights.safetensors") else { return };
    let Some(device) = adapter(false) else { return };
    check_forward(&source, "mini/activations.safetensors", &device, 1e-3);
}

#[test]
fn full_model_on_a_hardware_gpu() {
    let Some(device) = adapter(true) else { return };
    check_forward(&ModelSource::new("rule"), "full/activations.safetensors", &device, 1e-3);
}
