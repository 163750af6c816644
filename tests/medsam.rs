//! MedSAM against the authors' numbers: tensors, gradients, optimiser steps, keys.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use himix::data::{Image, Pixels};
use himix::device;
use himix::infer::Predictor;
use himix::model::networks::medsam::{MedSam, MedSamConfig, Prepared};
use himix::model::weights::{ModelSource, TensorSource, bundle, manifest, source};
use himix::model::{Executor, Inputs, Model, Target, Trace};
use himix::train::loss::{Loss, loss};
use himix::train::step::{GradientSum, Optimiser};
use himix::train::{self, Control, LossKind, TrainConfig};

/// The small network and its reference tensors.
struct Setup {
    folder: PathBuf,
    model: Box<dyn Model>,
    reference: Box<dyn TensorSource>,
    expected: serde_json::Value,
    device: Device,
}

fn setup(device: Device) -> Option<Setup> {
    let folder = common::shared("golden/baselines/medsam")?;
    let model = ModelSource::with(folder.join("weights.safetensors"), Some(folder.join("config.json")), None);
    let located = bundle::locate(&model).expect("found");
    assert!(located.weights.notices().is_empty(), "{:?}", located.weights.notices());
    let text = std::fs::read_to_string(folder.join("training.json")).expect("training.json");
    Some(Setup {
        model: located.load(&device).expect("loads"),
        reference: source::open(&folder.join("activations.safetensors")).expect("opens"),
        expected: serde_json::from_str(&text).expect("JSON"),
        folder,
        device,
    })
}

fn tensor<const D: usize>(source: &dyn TensorSource, name: &str, device: &Device) -> Tensor<D> {
    let values = source.read(name).expect("a reference tensor");
    Tensor::from_data(TensorData::new(values, source.shapes()[name].clone()), device)
}

impl Setup {
    fn inputs(&self) -> Inputs {
        let boxes = tensor::<2>(self.reference.as_ref(), "input.box", &self.device);
        Inputs::new(tensor(self.reference.as_ref(), "input.image", &self.device)).with_boxes(Some(boxes))
    }

    fn loss(&self, model: &dyn Model) -> Loss {
        let logits = model.forward(self.inputs(), &mut Trace::off());
        loss(logits, tensor(self.reference.as_ref(), "input.target", &self.device), LossKind::Binary)
    }
}

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>();
    let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2));
    (difference / sum(&|i| f64::from(theirs[i]).powi(2)).max(1e-300)).sqrt()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn close(ours: f64, theirs: &serde_json::Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} instead of {theirs}");
}

fn number(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().expect("a number")
}

#[test]
fn every_tensor_is_the_authors() {
    let Some(setup) = setup(Device::flex()) else { return };
    let mut trace = Trace::on();
    setup.model.forward(setup.inputs(), &mut trace);
    let ours: BTreeMap<String, (Vec<usize>, Vec<f32>)> =
        trace.into_tensors().into_iter().map(|t| (t.name, (t.shape, values(t.values)))).collect();
    let shapes = setup.reference.shapes();
    for (name, shape) in shapes.iter().filter(|(name, _)| !name.starts_with("input.")) {
        let (our_shape, values) = ours.get(name).unwrap_or_else(|| panic!("{name} is not recorded"));
        assert_eq!(our_shape, shape, "{name}");
        let error = relative(values, &setup.reference.read(name).expect("read"));
        println!("{name:28} {error:.2e}");
        assert!(error <= 1e-4, "{name}: {error:.2e}");
    }
    assert!(shapes.len() >= 25, "only {} tensors", shapes.len());
}

#[test]
fn the_prepared_network_gives_the_authors_logits() {
    let Some(setup) = setup(Device::flex()) else { return };
    let boxes = setup.reference.read("input.box").expect("boxes");
    let image: Tensor<4> = setup.inputs().image;
    let model = *setup.model.into_any().downcast::<MedSam>().expect("MedSAM");
    let prepared = Prepared::new(model, &Target::single(&setup.device));
    for (item, corners) in boxes.as_chunks::<4>().0.iter().enumerate() {
        let features = prepared.encode_image(image.clone().narrow(0, item, 1));
        let prompt = prepared.encode_box(*corners);
        let low = values(prepared.low_resolution(&features, &prompt));
        let logits = values(prepared.decode(&features, &prompt));
        for (name, ours) in [("low_res_logits", low), ("logits", logits)] {
            let expected = setup.reference.read(name).expect("read");
            let error = relative(&ours, &expected[item * ours.len()..(item + 1) * ours.len()]);
            assert!(error <= 1e-4, "{name} of image {item}: {error:.2e}");
        }
    }
}

#[test]
fn loss_and_gradients_are_the_authors() {
    let Some(setup) = setup(Device::flex().autodiff()) else { return };
    let found = setup.loss(setup.model.as_ref());
    close(number(found.dice), &setup.expected["dice"], 1e-4, "Dice");
    close(number(found.cross_entropy), &setup.expected["ce_binary"], 1e-4, "cross entropy");
    let gradients = GradientSum::of(setup.model.as_ref(), found.total.backward());
    let network = MedSamConfig::default();
    let mut ours: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    setup.model.visit_parameters(&mut |path, _| {
        if let Some(gradient) = gradients.get(path) {
            ours.insert(himix::model::key_table::KeyTable::key(&network, path), values(gradient.clone()));
        }
    });
    let expected = source::open(&setup.folder.join("gradients.safetensors")).expect("opens");
    let names = |entry: &str| -> Vec<String> {
        let list = setup.expected[entry].as_array().expect("a list");
        list.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let norm = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let largest =
        expected.shapes().keys().map(|name| norm(&expected.read(name).expect("read"))).fold(0.0, f64::max);
    let mut compared = 0;
    for name in expected.shapes().keys() {
        let theirs = expected.read(name).expect("read");
        let ours = ours.get(name).unwrap_or_else(|| panic!("no gradient for {name}"));
        let error = relative(ours, &theirs);
        assert!(error <= 1e-3, "{name}: {error:.2e}, size {:.2e}", norm(&theirs));
        compared += 1;
    }
    assert!(compared > 100, "{compared} gradients");
    for name in names("zero_gradient").iter().chain(&names("zero_by_symmetry")) {
        let size = ours.get(name).map_or(0.0, |gradient| norm(gradient));
        assert!(size <= 1e-5 * largest, "{name}: {size:.2e}");
    }
    for name in names("no_gradient") {
        assert!(!ours.contains_key(&name), "{name} has a gradient");
    }
    assert!(!ours.keys().any(|name| name.starts_with("prompt_encoder.")), "the prompt encoder is frozen");
    for name in names("gradient_not_stored") {
        assert!(norm(&ours[&name]) > 0.0, "{name} has no gradient");
    }
}

#[test]
fn three_steps_of_adamw_are_the_authors() {
    let Some(setup) = setup(Device::flex().autodiff()) else { return };
    let mut model = setup.model.boxed();
    let mut adamw = Optimiser::new(0.01);
    for index in 0..3 {
        let found = setup.loss(model.as_ref());
        close(number(found.total.clone()), &setup.expected["adamw_losses"][index], 1e-4, "loss of a step");
        let gradients = GradientSum::of(model.as_ref(), found.total.backward());
        model = adamw.step(model, gradients, 3e-4);
    }
}

#[test]
fn every_key_of_the_full_size_is_known_and_none_is_missing() {
    let Some(path) = common::shared("golden/baselines/medsam/keys.json") else { return };
    let text = std::fs::read_to_string(path).expect("keys.json");
    let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entries = listed["keys"].as_object().expect("keys with shapes");
    let theirs: BTreeMap<String, Vec<usize>> = entries
        .iter()
        .map(|(name, shape)| {
            let numbers = shape.as_array().expect("a shape").iter();
            (name.clone(), numbers.map(|n| n.as_u64().expect("a size") as usize).collect())
        })
        .collect();
    let all = manifest::all(&MedSamConfig::default()).expect("the keys");
    let ours: BTreeMap<String, Vec<usize>> = all.into_iter().map(|spec| (spec.name, spec.shape)).collect();
    assert_eq!(ours, theirs);
}

/// The uniform number in ±1 of element `index` of the tensor with this name, by the rule of the reference tensors.
fn unit(name: &str, index: usize) -> f64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut z = hash.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    2.0 * ((z >> 11) as f64 * (-53f64).exp2()) - 1.0
}

#[test]
fn the_full_size_gives_the_authors_logits() {
    let Some(path) = common::shared("golden/baselines/medsam/full.safetensors") else { return };
    let reference = source::open(&path).expect("opens");
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.json");
    std::fs::write(&config, "{\"network\": \"medsam\"}").expect("written");
    let located = bundle::locate(&ModelSource::with("rule", Some(config), None)).expect("found");
    let device = Device::flex();
    let model = *located.load(&device).expect("loads").into_any().downcast::<MedSam>().expect("MedSAM");
    let image: Vec<f32> = (0..3 << 20).map(|index| (0.5 + 0.5 * unit("input.image", index)) as f32).collect();
    let image = Tensor::<4>::from_data(TensorData::new(image, [1, 3, 1024, 1024]), &device);
    let corners = [200.0, 300.0, 700.0, 800.0];
    let check = |name: &str, ours: Vec<f32>| {
        let error = relative(&ours, &reference.read(name).expect("read"));
        println!("{name}: {error:.2e}");
        assert!(error <= 1e-4, "{name}: {error:.2e}");
    };
    let boxes = Tensor::<2>::from_data([corners], &device);
    let mut trace = Trace::only("decoder.tokens");
    let start = std::time::Instant::now();
    model.forward(Inputs::new(image.clone()).with_boxes(Some(boxes)), &mut trace);
    println!("forward pass: {:?}", start.elapsed());
    for tensor in trace.into_tensors() {
        check(&tensor.name, values(tensor.values));
    }
    let prepared = Prepared::new(model, &Target::single(&device));
    let start = std::time::Instant::now();
    let features = prepared.encode_image(image);
    println!("prepared, image: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let low = prepared.low_resolution(&features, &prepared.encode_box(corners));
    println!("prepared, box: {:?}", start.elapsed());
    check("low_res_logits", values(low));
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let logits = prepared.decode(&features, &prepared.encode_box(corners));
        println!("prepared, box, whole: {:?}", start.elapsed());
        assert_eq!(logits.dims(), [1, 1, 1024, 1024]);
    }
}

#[test]
fn a_small_one_is_trained_and_its_bundle_takes_a_box() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, architecture) = (folder.path().join("run"), folder.path().join("architecture.json"));
    let sizes = r#"{
        "network": "medsam", "image_size": 64, "patch_size": 8,
        "image_encoder": { "embed_dim": 16, "depth": 2, "heads": 2, "mlp_ratio": 2, "window": 3, "global_blocks": [1],
            "out_channels": 16 },
        "prompt_encoder": { "embed_dim": 16, "mask_in_channels": 4 },
        "mask_decoder": { "dim": 16, "depth": 1, "heads": 2, "mlp_size": 16, "iou_hidden": 8 }
    }"#;
    std::fs::write(&architecture, sizes).expect("written");
    let config = TrainConfig {
        phantoms: 12,
        out: out.clone(),
        architecture: Some(architecture),
        epochs: 2,
        min_epochs: 2,
        batch_size: 4,
        ..TrainConfig::default()
    };
    let best = train::run(&config, &device::cpu(), &Control::default(), &mut |_| ());
    let best = best.expect("a run").expect("an epoch");
    assert!(best.train_loss.is_finite());
    let bundle = ModelSource::new(out.join("best"));
    let mut predictor = Predictor::open_on(&bundle, device::cpu()).expect("opens");
    assert!(predictor.info().takes_box && !predictor.info().reads_text());
    let pixels = Pixels::U8((0..40 * 24).map(|at| (at * 37 % 251) as u8).collect());
    let image = Image { width: 40, height: 24, channels: 1, pixels };
    let found = predictor.predict(&image, "box 3, 4, 20, 20").expect("a prediction");
    assert_eq!((found.probability.width, found.probability.height), (40, 24));
    // The image is known: nothing but the decoder runs.
    let again = predictor.predict(&image, "box 0, 0, 40, 24").expect("a prediction");
    assert_eq!(again.milliseconds.vision, 0.0);
    assert_ne!(again.probability_model.values, found.probability_model.values);
    for (prompt, reason) in [("left lung", "takes a box"), ("box 50, 0, 60, 9", "outside the image")] {
        let error = predictor.predict(&image, prompt).expect_err(prompt).to_string();
        assert!(error.contains(reason), "{error}");
    }
}
