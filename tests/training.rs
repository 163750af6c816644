//! Training against the authors' numbers: loss terms, gradients, optimiser steps, learning rates.

mod common;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use himix::model::weights::keys::reference_key;
use himix::model::weights::{ModelSource, TensorSource, bundle, save, source};
use himix::model::{HiMix, Trace};
use himix::train::loss::{Loss, loss};
use himix::train::step::Optimiser;
use himix::train::{CrossEntropy, TrainConfig, schedule};

struct Setup {
    model: HiMix,
    reference: Box<dyn TensorSource>,
    expected: serde_json::Value,
    device: Device,
}

fn setup() -> Option<Setup> {
    let golden = common::shared("golden")?;
    let device = Device::flex().autodiff();
    let config = Some(golden.join("mini/config.json"));
    let weights = ModelSource::with(golden.join("mini/weights.safetensors"), config, None);
    let mut model = bundle::locate(&weights).expect("found").load(&device).expect("loads");
    model.text = model.text.freeze();
    let text = std::fs::read_to_string(golden.join("mini/training.json")).expect("training.json");
    Some(Setup {
        // The references were made in evaluation mode: fixed batch normalisation, no dropout.
        model: evaluation(model),
        reference: source::open(&golden.join("mini/activations.safetensors")).expect("opens"),
        expected: serde_json::from_str(&text).expect("JSON"),
        device,
    })
}

/// Switches off what training changes besides weights, and keeps the gradients.
fn evaluation(model: HiMix) -> HiMix {
    use burn::module::{Flag, ModuleMapper};
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    model.map(&mut Off)
}

fn forward(setup: &Setup, model: &HiMix, kind: CrossEntropy) -> Loss {
    let read = |name: &str| (setup.reference.shapes()[name].clone(), setup.reference.read(name).expect("read"));
    let float = |name: &str| {
        let (shape, values) = read(name);
        Tensor::<4>::from_data(TensorData::new(values, shape), &setup.device)
    };
    let int = |name: &str| {
        let (shape, values) = read(name);
        let values: Vec<i64> = values.into_iter().map(|v| v as i64).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), &setup.device)
    };
    let logits = model.forward(float("input.image"), int("input.ids"), int("input.mask"), &mut Trace::off());
    loss(logits, float("input.target"), kind)
}

fn value(tensor: &Tensor<1>) -> f64 {
    tensor.clone().into_data().iter::<f64>().next().expect("a number")
}

fn close(ours: f64, theirs: &serde_json::Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} instead of {theirs}");
}

#[test]
fn loss_terms_are_the_authors() {
    let Some(setup) = setup() else { return };
    let binary = forward(&setup, &setup.model, CrossEntropy::Binary);
    let literal = forward(&setup, &setup.model, CrossEntropy::Literal);
    close(value(&binary.dice), &setup.expected["dice"], 1e-5, "Dice");
    close(value(&binary.cross_entropy), &setup.expected["ce_binary"], 1e-5, "binary cross entropy");
    close(value(&literal.cross_entropy), &setup.expected["ce_positive_only"], 1e-5, "literal cross entropy");
    close(value(&binary.total), &setup.expected["total_binary"], 1e-5, "total");
}

struct Collected<'a> {
    path: Vec<String>,
    gradients: &'a Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Collected<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let key = reference_key(&self.path.join("."), 3);
            self.found.insert(key, gradient.into_data().iter::<f32>().collect());
        }
    }
}

#[test]
fn gradients_are_the_authors() {
    let Some(setup) = setup() else { return };
    let golden = common::shared("golden").expect("checked");
    let expected = source::open(&golden.join("mini/gradients.safetensors")).expect("opens");
    let gradients = forward(&setup, &setup.model, CrossEntropy::Binary).total.backward();
    let mut collected = Collected { path: Vec::new(), gradients: &gradients, found: BTreeMap::new() };
    setup.model.visit(&mut collected);
    let mut worst = (0.0, String::new());
    for name in expected.shapes().keys() {
        let theirs = expected.read(name).expect("read");
        let ours = collected.found.get(name).unwrap_or_else(|| panic!("no gradient for {name}"));
        let sum = |f: &dyn Fn(usize) -> f64| (0..theirs.len()).map(f).sum::<f64>();
        let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2)).sqrt();
        let size = sum(&|i| f64::from(theirs[i]).powi(2)).sqrt();
        // A key's bias has no influence in a softmax, so its gradient is rounding in both programs.
        let error = difference / size.max(1e-6);
        if error > worst.0 {
            worst = (error, name.clone());
        }
        assert!(error <= 1e-3, "{name}: relative error {error:.2e}, size {size:.2e}");
    }
    println!("{} gradients, worst {:.2e} at {}", expected.shapes().len(), worst.0, worst.1);
    for name in setup.expected["no_gradient"].as_array().expect("a list") {
        assert!(!collected.found.contains_key(name.as_str().expect("a name")), "{name} has a gradient");
    }
}

#[test]
fn three_steps_of_adamw_are_the_authors() {
    let Some(setup) = setup() else { return };
    let golden = common::shared("golden").expect("checked");
    let mut model = setup.model.clone();
    let mut adamw = Optimiser::new(0.01);
    for index in 0..3 {
        let loss = forward(&setup, &model, CrossEntropy::Binary);
        close(value(&loss.total), &setup.expected["adamw_losses"][index], 1e-4, "loss of a step");
        let gradients = GradientsParams::from_grads(loss.total.backward(), &model);
        model = adamw.step(model, gradients, 3e-4);
    }
    let after = save::tensors_of(&model.valid(), 3);
    let expected = source::open(&golden.join("mini/after_adamw.safetensors")).expect("opens");
    for name in expected.shapes().keys() {
        let (theirs, ours) = (expected.read(name).expect("read"), &after[name].1);
        let differing: f64 = ours.iter().zip(&theirs).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        let size: f64 = theirs.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>().sqrt();
        assert!(differing / size <= 1e-3, "{name}: {:.2e}", differing / size);
    }
}

#[test]
fn learning_rates_are_the_authors() {
    let Some(setup) = setup() else { return };
    let config = TrainConfig::default();
    for (epoch, rate) in setup.expected["cosine_lr_T200"].as_array().expect("a list").iter().enumerate() {
        close(schedule::learning_rate(&config, epoch), rate, 1e-9, "learning rate");
    }
}
