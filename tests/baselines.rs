//! Parity of the compared networks with their authors' code: every reference tensor, gradients, optimiser steps, keys and
//! files. `tests/parity.rs` and `tests/training.rs` do the same for HiMix.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use himix::device::DeviceChoice;
use himix::model::blocks::head::Head;
use himix::model::key_table::Encoder;
use himix::model::network::{Features, TextStates};
use himix::model::networks::{guidedecoder::GuideDecoder, mmiunet::MmiUnet};
use himix::model::weights::deterministic::RuleWeights;
use himix::model::weights::import::open_encoder;
use himix::model::weights::load::{self, Missing};
use himix::model::weights::{Located, ModelSource, TensorSource, Tensors, bundle, manifest, roots, save, source};
use himix::model::{Executor, Inputs, Model, ModelConfig, Registry, Target, Tokens, Trace};
use himix::train::LossKind;
use himix::train::loss::{Loss, loss};
use himix::train::step::{GradientSum, Optimiser};
use serde_json::Value;

use common::{Child, Need};

fn golden(name: &str) -> Option<PathBuf> {
    common::shared(&format!("golden/baselines/{name}"))
}

fn located(folder: &Path) -> Located {
    let config = Some(folder.join("config.json"));
    bundle::locate(&ModelSource::with(folder.join("weights.safetensors"), config, None)).expect("found")
}

fn inputs(reference: &dyn TensorSource, device: &Device) -> Inputs {
    let read = |name: &str| (reference.shapes()[name].clone(), reference.read(name).expect("read"));
    let int = |name: &str| {
        let (shape, values) = read(name);
        let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), device)
    };
    let (shape, image) = read("input.image");
    let tokens = Some(Tokens { ids: int("input.ids"), mask: int("input.mask") });
    Inputs::new(Tensor::from_data(TensorData::new(image, shape), device)).with_tokens(tokens)
}

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>();
    let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2));
    (difference / sum(&|i| f64::from(theirs[i]).powi(2)).max(1e-300)).sqrt()
}

/// The recorded tensors of a forward pass by name, with their shapes.
fn recorded(model: &dyn Model, inputs: Inputs) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut trace = Trace::on();
    model.forward(inputs, &mut trace);
    let tensors = trace.into_tensors().into_iter();
    tensors
        .map(|tensor| (tensor.name, (tensor.shape, tensor.values.into_data().iter::<f32>().collect())))
        .collect()
}

/// Compares all tensors of `reference` with the recorded ones. `X.firstN` is the beginning of X along dimensions 0 and 1.
fn compare(
    ours: &BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    reference: &dyn TensorSource,
    tolerance: f64,
) -> usize {
    let shapes = reference.shapes();
    let names: Vec<&String> = shapes.keys().filter(|name| !name.starts_with("input.")).collect();
    for name in &names {
        let of = name.rsplit_once(".first").map_or(name.as_str(), |(of, _)| of);
        let (shape, values) = ours.get(of).unwrap_or_else(|| panic!("{name} is not recorded"));
        let part = &shapes[*name];
        let each = shape[2..].iter().product::<usize>();
        let begun: Vec<f32> = match part == shape {
            true => values.clone(),
            false => values
                .chunks_exact(shape[1] * each)
                .take(part[0])
                .flat_map(|x| &x[..part[1] * each])
                .copied()
                .collect(),
        };
        assert_eq!(shape[2..], part[2..], "{name}");
        let error = relative(&begun, &reference.read(name).expect("read"));
        println!("{name:32} {error:.2e}");
        assert!(error <= tolerance, "{name}: relative error {error:.2e} > {tolerance:.0e}");
    }
    names.len()
}

/// Compares the logits that an executor computes image by image, as predictions do.
fn compare_prepared(model: Box<dyn Model>, inputs: &Inputs, expected: &[f32], tolerance: f64) {
    let executor = model.prepare(&Target::single(&inputs.image.device()));
    let shared = executor.share().expect("weights can be shared");
    let tokens = inputs.tokens.clone().expect("a prompt");
    let count = inputs.image.dims()[0];
    for item in 0..count {
        let one = |tensor: &Tensor<2, Int>| tensor.clone().narrow(0, item, 1);
        let features = executor.encode_image(inputs.image.clone().narrow(0, item, 1));
        let text = executor.encode_text(Tokens { ids: one(&tokens.ids), mask: one(&tokens.mask) });
        let logits: Vec<f32> = executor.decode(&features, &text).into_data().iter().collect();
        let size = expected.len() / count;
        let error = relative(&logits, &expected[item * size..(item + 1) * size]);
        println!("logits as predicted {error:.2e}");
        assert!(error <= tolerance, "prepared: relative error {error:.2e}");
        let again: Vec<f32> = shared.decode(&features, &text).into_data().iter().collect();
        assert!(logits == again, "a shared executor has the same bits");
    }
}

fn check_forward(name: &str, device: &Device, tolerance: f64) {
    let Some(folder) = golden(name) else { return };
    let reference = source::open(&folder.join("activations.safetensors")).expect("opens");
    let model = located(&folder).load(device).expect("loads");
    let inputs = inputs(reference.as_ref(), device);
    let ours = recorded(model.as_ref(), inputs.clone());
    assert!(compare(&ours, reference.as_ref(), tolerance) >= 28);
    compare_prepared(model, &inputs, &reference.read("logits").expect("read"), tolerance);
}

#[test]
fn small_guidedecoder_on_the_cpu() {
    check_forward("guidedecoder", &Device::flex(), 1e-4);
}

#[test]
fn small_mmiunet_on_the_cpu() {
    check_forward("mmiunet", &Device::flex(), 1e-4);
}

/// On a software adapter nearly all of the time would go into trying out kernels, so a child process that does not try
/// runs [`small_networks_through_wgpu_in_a_child`].
#[test]
fn small_networks_through_wgpu() {
    println!("{}", Child::with_little_tuning("small_networks_through_wgpu_in_a_child").run());
}

#[test]
#[ignore = "run by small_networks_through_wgpu"]
fn small_networks_through_wgpu_in_a_child() {
    if himix::device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let open = himix::device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    for name in ["guidedecoder", "mmiunet"] {
        check_forward(name, &open.device, 1e-3);
    }
}

/// The networks whose kernels are those of the two above, apart from their own blocks. They take minutes on a software
/// adapter, so that they are checked by hand: `cargo test --release --test baselines further -- --ignored --nocapture`.
#[test]
#[ignore = "minutes on a software adapter; see docs/testing.md"]
fn further_small_networks_through_wgpu() {
    if himix::device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    for name in ["unet", "lvit", "medsam", "transunet"] {
        let Some(folder) = golden(name) else { return };
        let start = std::time::Instant::now();
        let file = |name: &str| folder.join(name);
        let verified = std::process::Command::new(env!("CARGO_BIN_EXE_himix"))
            .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
            .args(["verify", "--device", "gpu", "--tolerance", "1e-3", "--model"])
            .arg(file("weights.safetensors"))
            .arg("--config")
            .arg(file("config.json"))
            .arg("--reference")
            .arg(file("activations.safetensors"))
            .output()
            .expect("the program starts");
        let out = String::from_utf8_lossy(&verified.stdout);
        println!("{out}{name}: {:.0} s", start.elapsed().as_secs_f64());
        assert!(verified.status.success(), "{name}: {out}{}", String::from_utf8_lossy(&verified.stderr));
        assert!(out.contains("vulkan"), "{name} was computed on the GPU's driver: {out}");
    }
}

/// The published sizes of a network.
fn published(name: &str) -> ModelConfig {
    Registry::default().parse(&format!("{{\"network\": \"{name}\"}}")).expect("the published sizes")
}

fn check_full(name: &str) {
    let (Some(folder), Some(himix)) = (golden(name), common::shared("golden/full/activations.safetensors")) else {
        return;
    };
    let device = Device::flex();
    let config = published(name);
    let rule = RuleWeights::new(&config).expect("an architecture");
    let model = load::load(config.network.as_ref(), &rule, Missing::Refuse, &device).expect("loads");
    let inputs = inputs(source::open(&himix).expect("opens").as_ref(), &device);
    let reference = source::open(&folder.join("full.safetensors")).expect("opens");
    let ours = recorded(model.as_ref(), inputs.clone());
    assert!(compare(&ours, reference.as_ref(), 1e-4) >= 2);
    compare_prepared(model, &inputs, &reference.read("logits").expect("read"), 1e-4);
}

#[test]
fn full_guidedecoder_on_the_cpu() {
    check_full("guidedecoder");
}

#[test]
fn full_mmiunet_on_the_cpu() {
    check_full("mmiunet");
}

/// Switches off what training changes besides weights, and keeps the gradients.
fn evaluation<M: Module + Model + 'static>(model: Box<dyn Model>) -> Box<dyn Model> {
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    Box::new((*model.into_any().downcast::<M>().expect("the network")).map(&mut Off))
}

/// What a test of the training needs.
struct Setup {
    folder: PathBuf,
    located: Located,
    model: Box<dyn Model>,
    reference: Box<dyn TensorSource>,
    expected: Value,
    device: Device,
}

fn setup<M: Module + Model + 'static>(name: &str) -> Option<Setup> {
    let folder = golden(name)?;
    let device = Device::flex().autodiff();
    let located = located(&folder);
    let model = evaluation::<M>(located.load(&device).expect("loads").freeze_text());
    let reference = source::open(&folder.join("activations.safetensors")).expect("opens");
    let text = std::fs::read_to_string(folder.join("training.json")).expect("training.json");
    let expected = serde_json::from_str(&text).expect("JSON");
    Some(Setup { folder, located, model, reference, expected, device })
}

fn loss_of(setup: &Setup, model: &dyn Model) -> Loss {
    let (shape, target) =
        (setup.reference.shapes()["input.target"].clone(), setup.reference.read("input.target").expect("read"));
    let logits = model.forward(inputs(setup.reference.as_ref(), &setup.device), &mut Trace::off());
    loss(logits, Tensor::from_data(TensorData::new(target, shape), &setup.device), LossKind::Binary)
}

fn value(tensor: &Tensor<1>) -> f64 {
    tensor.clone().into_data().iter::<f64>().next().expect("a number")
}

fn close(ours: f64, theirs: &Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} instead of {theirs}");
}

fn check_training<M: Module + Model + 'static>(name: &str) {
    let Some(setup) = setup::<M>(name) else { return };
    let network = setup.located.config.network.as_ref();
    let found_loss = loss_of(&setup, setup.model.as_ref());
    close(value(&found_loss.dice), &setup.expected["dice"], 1e-5, "Dice");
    close(value(&found_loss.cross_entropy), &setup.expected["ce_binary"], 1e-5, "binary cross entropy");
    let sum = GradientSum::of(setup.model.as_ref(), found_loss.total.backward());
    let mut found: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    setup.model.visit_parameters(&mut |path, _| {
        if let Some(gradient) = sum.get(path) {
            found.insert(network.key(path), gradient.clone().into_data().iter::<f32>().collect());
        }
    });
    let expected = source::open(&setup.folder.join("gradients.safetensors")).expect("opens");
    assert!(expected.shapes().len() > 100);
    let norm = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let mut worst = (0.0, String::new());
    for name in expected.shapes().keys() {
        let theirs = expected.read(name).expect("read");
        let ours = found.get(name).unwrap_or_else(|| panic!("no gradient for {name}"));
        let apart: Vec<f32> = ours.iter().zip(&theirs).map(|(a, b)| a - b).collect();
        // A key's bias has no influence in a softmax, so its gradient is rounding in both programs.
        let error = norm(&apart) / norm(&theirs).max(1e-6);
        if error > worst.0 {
            worst = (error, name.clone());
        }
        assert!(error <= 1e-3, "{name}: relative error {error:.2e}, size {:.2e}", norm(&theirs));
    }
    println!("{} gradients, worst {:.2e} at {}", expected.shapes().len(), worst.0, worst.1);
    for key in setup.expected["no_gradient"].as_array().expect("a list") {
        assert!(!found.contains_key(key.as_str().expect("a key")), "{key} has a gradient");
    }
    for key in setup.expected["gradient_not_stored"].as_array().expect("a list") {
        assert!(found.contains_key(key.as_str().expect("a key")), "{key} has no gradient");
    }

    let mut model = setup.model.boxed();
    let mut adamw = Optimiser::new(0.01);
    for index in 0..3 {
        let loss = loss_of(&setup, model.as_ref());
        close(value(&loss.total), &setup.expected["adamw_losses"][index], 1e-4, "loss of a step");
        let gradients = GradientSum::of(model.as_ref(), loss.total.backward());
        model = adamw.step(model, gradients, 3e-4);
    }
}

#[test]
fn guidedecoder_is_trained_as_the_authors_do() {
    check_training::<GuideDecoder>("guidedecoder");
}

#[test]
fn mmiunet_is_trained_as_the_authors_do() {
    check_training::<MmiUnet>("mmiunet");
}

fn check_keys(name: &str) {
    let Some(folder) = golden(name) else { return };
    let text = std::fs::read_to_string(folder.join("keys.json")).expect("keys.json");
    let theirs: Value = serde_json::from_str(&text).expect("JSON");
    let theirs: BTreeMap<String, Vec<usize>> = serde_json::from_value(theirs["keys"].clone()).expect("shapes");
    let all = manifest::all(published(name).network.as_ref()).expect("an architecture");
    let ours: BTreeMap<String, Vec<usize>> = all.into_iter().map(|spec| (spec.name, spec.shape)).collect();
    let names = |keys: &BTreeMap<String, Vec<usize>>| keys.keys().cloned().collect::<BTreeSet<_>>();
    let differing: Vec<String> = names(&theirs).symmetric_difference(&names(&ours)).cloned().collect();
    assert!(differing.is_empty(), "{differing:?}");
    for (key, shape) in &theirs {
        assert_eq!(&ours[key], shape, "{key}");
    }
}

#[test]
fn keys_of_guidedecoder_are_the_authors() {
    check_keys("guidedecoder");
}

#[test]
fn keys_of_mmiunet_are_the_authors() {
    check_keys("mmiunet");
}

/// The bits of all tensors of a source.
fn bits(source: &dyn TensorSource) -> BTreeMap<String, Vec<u32>> {
    let read = |key: String| {
        let values = source.read(&key).expect("read").into_iter().map(f32::to_bits).collect();
        (key, values)
    };
    source.shapes().into_keys().map(read).collect()
}

fn check_export(name: &str) {
    let Some(folder) = golden(name) else { return };
    let located = located(&folder);
    let network = located.config.network.as_ref();
    let out = tempfile::tempdir().expect("a folder");
    let path = out.path().join("exported.safetensors");
    save::export(&path, network, located.weights.as_ref()).expect("exported");
    let (before, after) = (bits(located.weights.as_ref()), bits(source::open(&path).expect("opens").as_ref()));
    for (key, values) in &before {
        assert!(after.get(key) == Some(values), "{key}");
    }
    let keys: BTreeSet<String> =
        manifest::all(network).expect("an architecture").into_iter().map(|spec| spec.name).collect();
    assert!(keys.iter().eq(after.keys()), "the file has all keys of the authors and no other");
    let tied = |key: &str| &after[&format!("text_encoder.model.{key}")];
    assert!(tied("cls.predictions.decoder.bias") == tied("cls.predictions.bias"));
    assert!(tied("cls.predictions.decoder.weight") == tied("bert.embeddings.word_embeddings.weight"));
    let indices: Vec<u32> = (0..64).map(|index| (index as f32).to_bits()).collect();
    assert!(*tied("bert.embeddings.position_ids") == indices);

    // Under a prefix, as Lightning stores it, the file is read again with the same bits.
    let wrapped = out.path().join("wrapped.safetensors");
    let tensors = source::open(&path).expect("opens");
    let tensors = tensors.shapes().into_iter().map(|(key, shape)| {
        let values = tensors.read(&key).expect("read");
        (format!("state_dict.model.{key}"), (shape, values))
    });
    save::save_tensors(&wrapped, tensors.collect()).expect("written");
    let again = roots::open(&wrapped, network).expect("opens");
    assert!(again.notices().is_empty(), "{:?}", again.notices());
    load::load(network, again.as_ref(), Missing::Refuse, &Device::flex()).expect("loads");
    let twice = out.path().join("twice.safetensors");
    save::export(&twice, network, again.as_ref()).expect("exported");
    assert!(std::fs::read(&twice).expect("read") == std::fs::read(&path).expect("read"), "the same file");
}

#[test]
fn guidedecoder_comes_out_as_it_went_in() {
    check_export("guidedecoder");
}

#[test]
fn mmiunet_comes_out_as_it_went_in() {
    check_export("mmiunet");
}

#[test]
fn a_file_of_another_network_says_which_it_is() {
    let Some(folder) = common::shared("golden/baselines") else { return };
    for (of, opened_as) in [("guidedecoder", "mmiunet"), ("mmiunet", "guidedecoder")] {
        let config = Some(folder.join(opened_as).join("config.json"));
        let source = ModelSource::with(folder.join(of).join("weights.safetensors"), config, None);
        let error = match bundle::locate(&source).and_then(|located| located.load(&Device::flex())) {
            Ok(_) => panic!("{of} was opened as {opened_as}"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(&format!("it looks like the network \"{of}\"")), "{error}");
        assert!(error.contains(&format!("{{\"network\": \"{of}\"}}")) && error.contains("--config"), "{error}");
    }
}

#[test]
fn configurations_are_read_written_and_checked() {
    let Some(folder) = common::shared("golden/baselines") else { return };
    let registry = Registry::default();
    for (name, broken) in [
        (
            "guidedecoder",
            &[
                (r#""grids": ["#, r#""grids": [8, "#, "decoder.grids must be [7, 14, 28]"),
                (r#""leaky_slope": 0.01"#, r#""leaky_slope": 0.2"#, "decoder.leaky_slope is 0.2"),
                (r#""cross_attention_heads": 4"#, r#""cross_attention_heads": 5"#, "must divide"),
                (r#""image_size": 224"#, r#""image_size": 225"#, "image_size must be a multiple of 32"),
                (r#""text_layer": "last""#, r#""text_layer": "first""#, "first"),
            ][..],
        ),
        (
            "mmiunet",
            &[
                (r#""heads": 8"#, r#""heads": 3"#, "bridger.heads must divide"),
                (r#""output_padding_stage4": 1"#, r#""output_padding_stage4": 0"#, "must be 1"),
                (r#""text_size": 96"#, r#""text_size": 95"#, "bridger.text_size must be"),
                (r#""dropout": 0.1"#, r#""dropout": 1.0"#, "bridger.dropout"),
                (r#""zoom": 2"#, r#""zoom": 4"#, "bridger.zoom is 4"),
            ][..],
        ),
    ] {
        let text = std::fs::read_to_string(folder.join(name).join("config.json")).expect("config.json");
        let config = registry.parse(&text).expect("the reference configuration");
        let written = config.to_json();
        assert!(written.contains(&format!("\"network\": \"{name}\"")), "{written}");
        assert_eq!(registry.parse(&written).expect("read again").to_json(), written);
        for (sound, spoilt, message) in broken {
            assert!(text.contains(sound), "{name} has {sound}");
            let error = registry.parse(&text.replace(sound, spoilt)).expect_err(spoilt).to_string();
            assert!(error.contains(message), "{spoilt}: {error}");
        }
    }
}

/// Other sizes than those of the references: an image whose coarsest grid is even, and fewer tokens.
#[test]
fn other_sizes_are_prepared_as_they_are_computed() {
    let text = r#""text": { "vocab_size": 64, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 16, "max_position_embeddings": 8 }, "text_projection_size": 4, "project_dim": 8,
        "vision": { "hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1] }, "image_size": 128"#;
    for (name, more) in [
        (
            "guidedecoder",
            r#""decoder": { "text_lengths": [6, 4, 3], "input_text_length": 6, "without_text": [8] }"#,
        ),
        ("mmiunet", r#""bridger": { "feed_forward": 12 }, "input_text_length": 6"#),
    ] {
        let config = format!("{{ \"network\": \"{name}\", {text}, {more} }}");
        let network = Registry::default().parse(&config).expect("sizes").network;
        let device = Device::flex();
        device.seed(5);
        let model = network.build(&device).expect("a network");
        let image = Tensor::random([2, 3, 128, 128], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
        let ids = Tensor::<2, Int>::from_data([[2, 5, 9, 3, 0, 0], [2, 7, 8, 11, 12, 3]], &device);
        let mask = Tensor::<2, Int>::from_data([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], &device);
        let inputs = Inputs::new(image).with_tokens(Some(Tokens { ids, mask }));
        // Recorded, the head has the order of the paper.
        let expected = recorded(model.as_ref(), inputs.clone())["logits"].1.clone();
        compare_prepared(model, &inputs, &expected, 1e-4);
    }
}

/// The features and the text of the first image and prompt.
fn first(executor: &dyn Executor, inputs: &Inputs) -> (Features, TextStates) {
    let tokens = inputs.tokens.clone().expect("a prompt");
    let one = |tensor: Tensor<2, Int>| tensor.narrow(0, 0, 1);
    let text = executor.encode_text(Tokens { ids: one(tokens.ids), mask: one(tokens.mask) });
    (executor.encode_image(inputs.image.clone().narrow(0, 0, 1)), text)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The outputs of the stages are those of the model. The head is linear, so that the mean logit is the product of the last
/// stage's output and its gradient, plus what the head makes of zeros.
fn check_stages<M: Module + Model + 'static>(name: &str, stages: [&str; 3], head: fn(&M) -> &Head) {
    let Some(folder) = golden(name) else { return };
    let (located, device) = (located(&folder), Device::flex());
    let reference = source::open(&folder.join("activations.safetensors")).expect("opens");
    let inputs = inputs(reference.as_ref(), &device);
    let mut executor = located.load(&device).expect("loads").prepare(&Target::single(&device));
    let (features, text) = first(executor.as_ref(), &inputs);
    let staged = executor.staged().expect("stages");
    let own = staged.overrides().clone();
    own.validate().expect("values that the network has");
    let decoded = staged.decode_with(&features, &text, &own);
    let shapes = located.config.network.stages();
    assert_eq!((decoded.stages.len(), own.stages.len(), own.layer_weights().len()), (3, 3, 3));
    for (index, (stage, shape)) in decoded.stages.iter().zip(&shapes).enumerate() {
        let side = 2 * shape.grid;
        assert_eq!(stage.output.dims(), [side * side, shape.channels]);
        assert_eq!(stage.input.dims()[0], shape.grid * shape.grid);
        assert!(stage.filtered.is_none() && own.stages[index].grid == shape.grid);
        assert!(own.stages[index].sigma.is_none() && own.stages[index].betas.is_none());
        let expected = reference.read(stages[index]).expect("recorded");
        let found = match reference.shapes()[stages[index]].len() {
            4 => numbers(stage.output.clone().transpose()),
            _ => numbers(stage.output.clone()),
        };
        let error = relative(&found, &expected[..found.len()]);
        assert!(error < 1e-4, "{}: {error:.2e}", stages[index]);
    }

    let model = located.load(&Device::flex().autodiff()).expect("loads");
    let attributor = model.inspectable().expect("stages").attributor(&own);
    let side = located.config.network.image_side();
    let chosen = TensorData::new(
        (0..side * side).map(|at| f32::from(u8::from(at % 7 == 0))).collect::<Vec<_>>(),
        [1, 1, side, side],
    );
    let on_gradients = Tensor::<4>::from_data(chosen.clone(), &Device::flex().autodiff());
    let mean = |logits: Tensor<4>| {
        let chosen = Tensor::<4>::from_data(chosen.clone(), &device);
        numbers((logits * chosen.clone()).sum() / chosen.sum())[0]
    };
    for (index, stage) in decoded.stages.iter().enumerate() {
        let gradient = attributor.gradient(index, &stage.output, &features, &text, &on_gradients);
        assert_eq!(gradient.dims(), stage.output.dims());
        assert!(numbers(gradient.clone()).iter().all(|x| x.is_finite()) && numbers(gradient.abs().sum())[0] > 0.0);
    }
    let last = &decoded.stages[2].output;
    let gradient = attributor.gradient(2, last, &features, &text, &on_gradients);
    let plain = *located.load(&device).expect("loads").into_any().downcast::<M>().expect("the network");
    let [positions, channels] = last.dims();
    let grid = positions.isqrt();
    let zeros = Tensor::zeros([1, channels, grid, grid], &device);
    let base = mean(head(&plain).forward(zeros, &mut Trace::off()));
    let product = numbers((gradient * last.clone()).sum())[0];
    let expected = mean(decoded.logits);
    assert!(
        (product + base - expected).abs() < 1e-3 * expected.abs().max(1.0),
        "{product} + {base}, not {expected}"
    );
}

#[test]
fn stages_of_guidedecoder_are_those_of_the_authors() {
    let stages = ["stage3.decoded", "stage2.decoded", "stage1.decoded"];
    check_stages::<GuideDecoder>("guidedecoder", stages, |model| &model.head);
}

#[test]
fn stages_of_mmiunet_are_those_of_the_authors() {
    let stages = ["decode4.decoded", "decode3.decoded", "decode2.decoded"];
    check_stages::<MmiUnet>("mmiunet", stages, |model| &model.head);
}

#[test]
fn a_stage_of_guidedecoder_can_run_without_text() {
    let Some(folder) = golden("guidedecoder") else { return };
    let (located, device) = (located(&folder), Device::flex());
    let reference = source::open(&folder.join("activations.safetensors")).expect("opens");
    let inputs = inputs(reference.as_ref(), &device);
    let model = located.load(&device).expect("loads");
    let network = located.config.network.clone();
    let mut executor = model.boxed().prepare(&Target::single(&device));
    let (features, text) = first(executor.as_ref(), &inputs);
    let staged = executor.staged().expect("stages");
    let own = staged.overrides().clone();
    let whole = numbers(staged.decode_with(&features, &text, &own).logits);
    let mut overrides = own.clone();
    // The second stage, whose grid is 14, reads the second group.
    overrides.groups[1].is_used = false;
    assert_eq!(overrides.layer_weights().iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    let partly = numbers(staged.decode_with(&features, &text, &overrides).logits);
    assert!(relative(&partly, &whole) > 1e-3, "the text of a stage matters");
    let other = model.inspectable().expect("stages").with_overrides(&overrides);
    let logits = numbers(other.forward(inputs.clone(), &mut Trace::off()));
    assert!(relative(&partly, &logits[..partly.len()]) < 1e-4, "the model computes the same");
    let network = network.with_overrides(&overrides).expect("another configuration");
    assert!(Value::from(network.sizes()).to_string().contains("\"without_text\":[14]"), "{:?}", network.sizes());
    let keys: BTreeSet<String> =
        manifest::parameters(network.as_ref()).expect("sizes").into_iter().map(|spec| spec.name).collect();
    let saved = manifest::tensors_of(network.as_ref(), other.as_ref());
    assert!(keys.iter().eq(saved.keys()), "the model has the tensors of the configuration");
    assert!(!keys.iter().any(|key| key.starts_with("decoder8.guide_layer")));
    // Without any text, the prompt has no influence.
    overrides.groups.iter_mut().for_each(|group| group.is_used = false);
    let none = numbers(staged.decode_with(&features, &text, &overrides).logits);
    let zeros = text.iter().map(Tensor::zeros_like).collect();
    assert!(none == numbers(staged.decode_with(&features, &zeros, &overrides).logits));
}

/// The small ConvNeXt of the references as Facebook's file, with a classifier for other classes.
#[test]
fn an_encoder_from_facebooks_file_serves_both_networks() {
    let Some(folder) = common::shared("golden/baselines") else { return };
    let weights = source::open(&folder.join("mmiunet/weights.safetensors")).expect("opens");
    let is_of_encoder =
        |key: &String| ["downsample_layers.", "stages.", "norm."].iter().any(|part| key.starts_with(part));
    let tensors = weights.shapes().into_iter().filter(|(key, _)| is_of_encoder(key));
    let mut file: Tensors =
        tensors.map(|(key, shape)| (format!("model.{key}"), (shape, weights.read(&key).expect("read")))).collect();
    file.insert("model.head.weight".into(), (vec![5, 64], vec![0.5; 320]));
    file.insert("model.head.bias".into(), (vec![5], vec![0.5; 5]));
    let out = tempfile::tempdir().expect("a folder");
    let path = out.path().join("convnext_tiny_22k_224.safetensors");
    save::save_tensors(&path, file).expect("written");
    for (name, key, theirs) in [
        ("mmiunet", "stages.2.1.gamma", "stages.2.1.gamma"),
        ("mmiunet", "downsample_layers.0.0.weight", "downsample_layers.0.0.weight"),
        ("mmiunet", "norm.weight", "norm.weight"),
        ("guidedecoder", "encoder.model.encoder.stages.2.layers.1.layer_scale_parameter", "stages.2.1.gamma"),
        ("guidedecoder", "encoder.model.embeddings.patch_embeddings.weight", "downsample_layers.0.0.weight"),
        ("guidedecoder", "encoder.model.layernorm.weight", "norm.weight"),
    ] {
        let config = bundle::read_config(&folder.join(name).join("config.json")).expect("a configuration");
        let opened = open_encoder(&path, Encoder::Vision, config.network.as_ref()).expect("the encoder");
        assert_eq!(opened.read(key).expect("read"), weights.read(theirs).expect("read"), "{name} {key}");
        assert!(opened.shapes().keys().all(|key| !key.contains("head") && !key.contains("classifier")));
    }
}

#[test]
fn dropout_of_mmiunet_is_applied_in_training_only() {
    let Some(folder) = golden("mmiunet") else { return };
    let text = std::fs::read_to_string(folder.join("config.json")).expect("config.json");
    let weights = source::open(&folder.join("weights.safetensors")).expect("opens");
    let reference = source::open(&folder.join("activations.safetensors")).expect("opens");
    for (dropout, is_trained, is_random) in [(0.1, true, true), (0.0, true, false), (0.1, false, false)] {
        let text = text.replace(r#""dropout": 0.1"#, &format!(r#""dropout": {dropout:.1}"#));
        let network = Registry::default().parse(&text).expect("sizes").network;
        let device = if is_trained { Device::flex().autodiff() } else { Device::flex() };
        let model = load::load(network.as_ref(), weights.as_ref(), Missing::Refuse, &device).expect("loads");
        let logits = || numbers(model.forward(inputs(reference.as_ref(), &device), &mut Trace::off()));
        assert_eq!(logits() != logits(), is_random, "dropout {dropout}, trained: {is_trained}");
    }
}
