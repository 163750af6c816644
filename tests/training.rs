//! Training against the authors' numbers: loss terms, gradients, optimiser steps, learning rates.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use himix::model::networks::himix::HiMix;
use himix::model::weights::{ModelSource, TensorSource, bundle, manifest, source};
use himix::model::{Inputs, Model, Network, Tokens, Trace};
use himix::train::loss::{Loss, loss};
use himix::train::step::{GradientSum, Optimiser};
use himix::train::{LossKind, TrainConfig, schedule};

struct Setup {
    network: Arc<dyn Network>,
    model: Box<dyn Model>,
    reference: Box<dyn TensorSource>,
    expected: serde_json::Value,
    device: Device,
}

fn setup() -> Option<Setup> {
    let golden = common::shared("golden")?;
    let device = Device::flex().autodiff();
    let config = Some(golden.join("mini/config.json"));
    let weights = ModelSource::with(golden.join("mini/weights.safetensors"), config, None);
    let located = bundle::locate(&weights).expect("found");
    let model = located.load(&device).expect("loads").freeze_text();
    let text = std::fs::read_to_string(golden.join("mini/training.json")).expect("training.json");
    Some(Setup {
        // The references were made in evaluation mode: fixed batch normalisation, no dropout.
        model: evaluation(model),
        network: located.config.network,
        reference: source::open(&golden.join("mini/activations.safetensors")).expect("opens"),
        expected: serde_json::from_str(&text).expect("JSON"),
        device,
    })
}

/// Switches off what training changes besides weights, and keeps the gradients.
fn evaluation(model: Box<dyn Model>) -> Box<dyn Model> {
    use burn::module::{Flag, ModuleMapper};
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    let model = *model.into_any().downcast::<HiMix>().expect("HiMix");
    Box::new(model.map(&mut Off))
}

fn forward(setup: &Setup, model: &dyn Model, kind: LossKind) -> Loss {
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
    let tokens = Some(Tokens { ids: int("input.ids"), mask: int("input.mask") });
    let logits = model.forward(Inputs::new(float("input.image")).with_tokens(tokens), &mut Trace::off());
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
    let binary = forward(&setup, setup.model.as_ref(), LossKind::Binary);
    let literal = forward(&setup, setup.model.as_ref(), LossKind::Literal);
    close(value(&binary.dice), &setup.expected["dice"], 1e-5, "Dice");
    close(value(&binary.cross_entropy), &setup.expected["ce_binary"], 1e-5, "binary cross entropy");
    close(value(&literal.cross_entropy), &setup.expected["ce_positive_only"], 1e-5, "literal cross entropy");
    close(value(&binary.total), &setup.expected["total_binary"], 1e-5, "total");
}

#[test]
fn gradients_are_the_authors() {
    let Some(setup) = setup() else { return };
    let golden = common::shared("golden").expect("checked");
    let expected = source::open(&golden.join("mini/gradients.safetensors")).expect("opens");
    let gradients = forward(&setup, setup.model.as_ref(), LossKind::Binary).total.backward();
    let sum = GradientSum::of(setup.model.as_ref(), gradients);
    let mut found: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    setup.model.visit_parameters(&mut |path, _| {
        if let Some(gradient) = sum.get(path) {
            found.insert(setup.network.key(path), gradient.clone().into_data().iter::<f32>().collect());
        }
    });
    let mut worst = (0.0, String::new());
    for name in expected.shapes().keys() {
        let theirs = expected.read(name).expect("read");
        let ours = found.get(name).unwrap_or_else(|| panic!("no gradient for {name}"));
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
        assert!(!found.contains_key(name.as_str().expect("a name")), "{name} has a gradient");
    }
}

#[test]
fn three_steps_of_adamw_are_the_authors() {
    let Some(setup) = setup() else { return };
    let golden = common::shared("golden").expect("checked");
    let mut model = setup.model.boxed();
    let mut adamw = Optimiser::new(0.01);
    for index in 0..3 {
        let loss = forward(&setup, model.as_ref(), LossKind::Binary);
        close(value(&loss.total), &setup.expected["adamw_losses"][index], 1e-4, "loss of a step");
        let gradients = GradientSum::of(model.as_ref(), loss.total.backward());
        model = adamw.step(model, gradients, 3e-4);
    }
    let after = manifest::tensors_of(setup.network.as_ref(), model.without_gradients().as_ref());
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
