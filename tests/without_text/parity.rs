use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};
use himix::infer::Predictor;
use himix::model::weights::deterministic::RuleWeights;
use himix::model::weights::load::{self, Missing};
use himix::model::weights::{ModelSource, source};
use himix::model::{Registry, Target, Trace};
use himix::train::LossKind;
use himix::train::loss::{Loss, loss};
use himix::train::step::{GradientSum, Optimiser};

use super::{Golden, NAMES, common, evaluation, executed, golden, inputs, relative, tensor};

fn recorded(trace: Trace) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let values = |values: Tensor<1>| values.into_data().iter::<f32>().collect::<Vec<f32>>();
    trace.into_tensors().into_iter().map(|t| (t.name, (t.shape, values(t.values)))).collect()
}

#[test]
fn every_tensor_and_the_executors_logits_are_the_authors() {
    let device = Device::flex();
    for (name, count) in NAMES.into_iter().zip([15, 27]) {
        let Some(golden) = golden(name, &device) else { return };
        let image = golden.image(&device);
        let mut trace = Trace::on();
        golden.model.forward(inputs(image.clone()), &mut trace);
        let ours = recorded(trace);
        let mut compared = 0;
        for (tensor, shape) in golden.activations.shapes() {
            if tensor.starts_with("input.") {
                continue;
            }
            let (found, values) = ours.get(&tensor).unwrap_or_else(|| panic!("{name} does not record {tensor}"));
            assert_eq!(*found, shape, "{name}: {tensor}");
            let error = relative(values, &golden.activations.read(&tensor).expect("read"));
            assert!(error <= 1e-4, "{name}: relative error of {tensor} {error:.2e}");
            compared += 1;
        }
        assert_eq!(compared, count, "{name}");
        let expected = golden.activations.read("logits").expect("read");
        let logits = executed(golden.model, &image);
        let error = relative(&logits, &expected);
        assert!(error <= 1e-4, "{name}: relative error of the executor {error:.2e}");
        let differing = logits.iter().zip(&expected).filter(|(a, b)| (**a >= 0.0) != (**b >= 0.0)).count();
        assert!(differing as f64 <= 1e-4 * logits.len() as f64, "{name}: {differing} pixels differ");
    }
}

/// The published sizes with weights by the rule of the reference tensors.
fn full(name: &str, deep: &str, most: f64) {
    let Some(shared) = common::shared("golden") else { return };
    let device = Device::flex();
    let config = Registry::default().parse(&format!("{{\"network\": \"{name}\"}}")).expect("the published sizes");
    let weights = RuleWeights::new(&config).expect("weights");
    let model = load::load(config.network.as_ref(), &weights, Missing::Refuse, &device).expect("loads");
    let image = source::open(&shared.join("full/activations.safetensors")).expect("opens");
    let image = tensor(image.as_ref(), "input.image", &device);
    let expected = source::open(&shared.join("baselines").join(name).join("full.safetensors")).expect("opens");
    let mut trace = Trace::on();
    model.forward(inputs(image.clone()), &mut trace);
    let ours = recorded(trace);
    for (key, shape) in expected.shapes() {
        let (name, values) = match key.split_once(".first") {
            // The first entries of a batch of one lie in front.
            Some((name, _)) => (name, &ours[name].1[..shape.iter().product()]),
            None => (key.as_str(), ours[&key].1.as_slice()),
        };
        let error = relative(values, &expected.read(&key).expect("read"));
        assert!(error <= most, "relative error of {name} {error:.2e}");
    }
    assert!(expected.shapes().keys().any(|key| key.starts_with(deep)));
    let error = relative(&executed(model, &image), &expected.read("logits").expect("read"));
    assert!(error <= most, "relative error of the executor {error:.2e}");
}

#[test]
fn a_full_u_net_is_the_authors() {
    full("unet", "x5", 1e-4);
}

#[test]
fn a_full_transunet_is_the_authors() {
    full("transunet", "encoded", 5e-4);
}

fn loss_of(golden: &Golden, model: &dyn himix::model::Model, device: &Device) -> Loss {
    let target = tensor(golden.activations.as_ref(), "input.target", device);
    loss(model.forward(inputs(golden.image(device)), &mut Trace::off()), target, LossKind::Binary)
}

fn value(tensor: &Tensor<1>) -> f64 {
    tensor.clone().into_data().iter::<f64>().next().expect("a number")
}

fn close(ours: f64, theirs: &serde_json::Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} instead of {theirs}");
}

#[test]
fn loss_and_gradients_are_the_authors() {
    let device = Device::flex().autodiff();
    for name in NAMES {
        let Some(golden) = golden(name, &device) else { return };
        let model = evaluation(golden.model.boxed());
        let training = golden.training();
        let terms = loss_of(&golden, model.as_ref(), &device);
        close(value(&terms.dice), &training["dice"], 1e-5, "Dice");
        close(value(&terms.cross_entropy), &training["ce_binary"], 1e-5, "binary cross entropy");
        let sum = GradientSum::of(model.as_ref(), terms.total.backward());
        let mut found: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let mut trained = 0;
        model.visit_parameters(&mut |path, parameter| {
            trained += usize::from(parameter.is_trained());
            if let Some(gradient) = sum.get(path) {
                found.insert(golden.network.key(path), gradient.clone().into_data().iter::<f32>().collect());
            }
        });
        let list = |key: &str| -> Vec<String> {
            let names = training[key].as_array().expect("a list").iter();
            names.map(|name| name.as_str().expect("a name").to_owned()).collect()
        };
        let expected = source::open(&golden.folder.join("gradients.safetensors")).expect("opens");
        let by_symmetry = list("zero_by_symmetry");
        for key in expected.shapes().keys() {
            let theirs = expected.read(key).expect("read");
            let ours = found.get(key).unwrap_or_else(|| panic!("{name}: no gradient of {key}"));
            if by_symmetry.contains(key) {
                continue;
            }
            let error = relative(ours, &theirs);
            assert!(error <= 1e-3, "{name}: relative error of the gradient of {key} {error:.2e}");
        }
        for key in list("zero_gradient") {
            assert!(found[&key].iter().all(|value| *value == 0.0), "{name}: {key}");
        }
        assert_eq!(found.len(), trained, "{name}: every parameter has a gradient");
        let mut known: BTreeSet<String> = expected.shapes().into_keys().collect();
        known.extend(list("gradient_not_stored"));
        for key in &by_symmetry {
            // Zero in exact arithmetic, and rounding in both programs.
            assert!(found[key].iter().all(|value| value.abs() < 1e-6), "{name}: {key}");
            known.insert(key.clone());
        }
        assert!(found.keys().eq(known.iter()), "{name}");
    }
}

#[test]
fn three_steps_of_adamw_are_the_authors() {
    let device = Device::flex().autodiff();
    for name in NAMES {
        let Some(golden) = golden(name, &device) else { return };
        let mut model = evaluation(golden.model.boxed());
        let mut adamw = Optimiser::new(0.01);
        for loss in golden.training()["adamw_losses"].as_array().expect("a list") {
            let terms = loss_of(&golden, model.as_ref(), &device);
            close(value(&terms.total), loss, 1e-4, name);
            let gradients = GradientSum::of(model.as_ref(), terms.total.backward());
            model = adamw.step(model, gradients, 3e-4);
        }
    }
}

/// The gradient of the mean logit with respect to the output of each level; that of the last one has a simple check.
#[test]
fn attributions_are_the_slopes_of_the_mean_logit() {
    for name in NAMES {
        let device = Device::flex().autodiff();
        let Some(golden) = golden(name, &device) else { return };
        let plain = Device::flex();
        let image = golden.image(&plain).narrow(0, 0, 1);
        let mut executor = golden.model.without_gradients().prepare(&Target::single(&plain));
        let features = executor.encode_image(image);
        let staged = executor.staged().expect("levels");
        let own = staged.overrides().clone();
        assert_eq!(own.validate(), Ok(()));
        let decoded = staged.decode_with(&features, &Vec::new(), &own);
        let stages = golden.network.stages();
        assert_eq!(decoded.stages.len(), stages.len());
        let [_, _, side, _] = decoded.logits.dims();
        let chosen = Tensor::<4>::ones([1, 1, side, side], &device);
        let attributor = golden.model.inspectable().expect("levels").attributor(&own);
        for (index, (stage, shape)) in decoded.stages.iter().zip(&stages).enumerate() {
            assert_eq!(stage.output.dims(), [4 * shape.grid * shape.grid, shape.channels], "{name}");
            assert_eq!(stage.input.dims()[0], shape.grid * shape.grid, "{name}");
            let gradient = attributor.gradient(index, &stage.output, &features, &Vec::new(), &chosen);
            assert_eq!(gradient.dims(), stage.output.dims());
            assert!(gradient.clone().abs().max().into_scalar::<f32>() > 0.0, "{name}: level {index}");
        }
        // The last level is followed by a linear layer alone, so that the mean logit is the product of the level's output
        // with the gradient, and the bias.
        let last = decoded.stages.last().expect("a level");
        let gradient = attributor.gradient(stages.len() - 1, &last.output, &features, &Vec::new(), &chosen);
        let mean: f32 = decoded.logits.mean().into_scalar();
        let linear: f32 = (gradient.clone() * last.output.clone()).sum().into_scalar();
        let bias = golden_bias(&golden);
        assert!((mean - bias - linear).abs() < 1e-4 * mean.abs().max(1.0), "{name}: {mean} {bias} {linear}");
    }
}

fn golden_bias(golden: &Golden) -> f32 {
    let mut bias = None;
    golden.model.visit_parameters(&mut |path, parameter| {
        if ["outc.bias", "head.bias"].contains(&path) {
            bias = Some(parameter.values()[0]);
        }
    });
    bias.expect("a last layer")
}

#[test]
fn executors_that_share_weights_agree_to_the_last_bit() {
    let device = Device::flex();
    for name in NAMES {
        let Some(golden) = golden(name, &device) else { return };
        let image = golden.image(&device).narrow(0, 1, 1);
        let executor = golden.model.prepare(&Target::single(&device));
        let other = executor.share().expect("they share");
        let logits = |executor: &dyn himix::model::Executor| {
            let features = executor.encode_image(image.clone());
            executor.decode(&features, &Vec::new()).into_data().iter::<f32>().collect::<Vec<f32>>()
        };
        assert_eq!(logits(executor.as_ref()), logits(other.as_ref()));
    }
}

/// What a user opens: a weights file with its configuration, whatever prompt is given.
#[test]
fn a_prediction_does_not_depend_on_the_prompt() {
    let Some(folder) = common::shared("golden/baselines") else { return };
    for name in NAMES {
        let weights = folder.join(name).join("weights.safetensors");
        let source = ModelSource::with(weights, Some(folder.join(name).join("config.json")), None);
        let mut predictor = Predictor::open_on(&source, himix::device::cpu()).expect("opens");
        assert!(!predictor.info().reads_text());
        let pixels = (0..40 * 24).map(|at| (at * 37 % 251) as u8).collect();
        let pixels = himix::data::Pixels::U8(pixels);
        let picture = himix::data::Image { width: 40, height: 24, channels: 1, pixels };
        let one = predictor.predict(&picture, "left lung").expect("a prediction");
        let other = predictor.predict(&picture, "").expect("a prediction");
        assert_eq!(one.probability_model.values, other.probability_model.values);
        assert!(one.probability_model.values.iter().all(|p| p.is_finite()));
    }
}
