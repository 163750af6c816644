use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use himix::model::networks::lvit::LViT;
use himix::model::weights::deterministic::{self, RuleWeights};
use himix::model::weights::load::{self, Missing};
use himix::model::weights::{ModelSource, TensorSource, bundle, manifest, roots, save, source};
use himix::model::{Inputs, Model, Network, Registry, Target, Trace};
use himix::train::LossKind;
use himix::train::loss::{Loss, loss};
use himix::train::step::{GradientSum, Optimiser};

use super::common;

const NAME: &str = "lvit";

/// The small network with the authors' weights and tensors.
struct Golden {
    folder: PathBuf,
    network: Arc<dyn Network>,
    model: Box<dyn Model>,
    activations: Box<dyn TensorSource>,
}

fn golden(device: &Device) -> Option<Golden> {
    let folder = common::shared("golden/baselines")?.join(NAME);
    let source = ModelSource::with(folder.join("weights.safetensors"), Some(folder.join("config.json")), None);
    let located = bundle::locate(&source).expect("found");
    Some(Golden {
        model: located.load(device).expect("loads"),
        network: located.config.network,
        activations: source::open(&folder.join("activations.safetensors")).expect("opens"),
        folder,
    })
}

fn tensor<const D: usize>(source: &dyn TensorSource, name: &str, device: &Device) -> Tensor<D> {
    let values = source.read(name).expect("a tensor");
    Tensor::from_data(TensorData::new(values, source.shapes()[name].clone()), device)
}

impl Golden {
    fn inputs(&self, device: &Device) -> Inputs {
        let source = self.activations.as_ref();
        Inputs::new(tensor(source, "input.image", device)).with_vectors(Some(tensor(source, "input.text", device)))
    }

    fn training(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.folder.join("training.json")).expect("training.json");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>();
    let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2));
    (difference / sum(&|i| f64::from(theirs[i]).powi(2)).max(1e-300)).sqrt()
}

fn recorded(model: &dyn Model, inputs: Inputs) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut trace = Trace::on();
    model.forward(inputs, &mut trace);
    let values = |values: Tensor<1>| values.into_data().iter::<f32>().collect::<Vec<f32>>();
    trace.into_tensors().into_iter().map(|t| (t.name, (t.shape, values(t.values)))).collect()
}

/// The executor's logits for one image after the other.
fn executed(model: Box<dyn Model>, inputs: &Inputs) -> Vec<f32> {
    let executor = model.prepare(&Target::single(&inputs.image.device()));
    let vectors = inputs.vectors.clone().expect("vectors");
    let one = |item: usize| {
        let features = executor.encode_image(inputs.image.clone().narrow(0, item, 1));
        let text = executor.encode_vectors(vectors.clone().narrow(0, item, 1));
        executor.decode(&features, &text).into_data().iter::<f32>().collect::<Vec<f32>>()
    };
    (0..inputs.image.dims()[0]).flat_map(one).collect()
}

#[test]
fn every_tensor_and_the_executors_logits_are_the_authors() {
    let device = Device::flex();
    let Some(golden) = golden(&device) else { return };
    let inputs = golden.inputs(&device);
    let ours = recorded(golden.model.as_ref(), inputs.clone());
    let mut compared = 0;
    for (tensor, shape) in golden.activations.shapes() {
        if tensor.starts_with("input.") {
            continue;
        }
        let (found, values) = ours.get(&tensor).unwrap_or_else(|| panic!("{tensor} is not recorded"));
        assert_eq!(*found, shape, "{tensor}");
        let error = relative(values, &golden.activations.read(&tensor).expect("read"));
        assert!(error <= 1e-4, "relative error of {tensor} {error:.2e}");
        compared += 1;
    }
    assert_eq!(compared, 52);
    let expected = golden.activations.read("logits").expect("read");
    let logits = executed(golden.model, &inputs);
    let error = relative(&logits, &expected);
    assert!(error <= 1e-4, "relative error of the executor {error:.2e}");
    let differing = logits.iter().zip(&expected).filter(|(a, b)| (**a >= 0.0) != (**b >= 0.0)).count();
    assert!(differing <= 1, "{differing} pixels differ");
}

#[test]
fn the_full_size_is_the_authors() {
    let Some(shared) = common::shared("golden") else { return };
    let device = Device::flex();
    let config = Registry::default().parse("{\"network\": \"lvit\"}").expect("the published sizes");
    let weights = RuleWeights::new(&config).expect("weights");
    let model = load::load(config.network.as_ref(), &weights, Missing::Refuse, &device).expect("loads");
    let image = source::open(&shared.join("full/activations.safetensors")).expect("opens");
    let image = tensor::<4>(image.as_ref(), "input.image", &device);
    let text = deterministic::units("input.text", 10 * 768);
    let text = Tensor::<3>::from_data(TensorData::new(text, [1, 10, 768]), &device);
    let inputs = Inputs::new(image).with_vectors(Some(text));
    let expected = source::open(&shared.join("baselines/lvit/full.safetensors")).expect("opens");
    let ours = recorded(model.as_ref(), inputs.clone());
    for (key, shape) in expected.shapes() {
        let (name, values) = match key.split_once(".first") {
            // The first entries of a batch of one lie in front.
            Some((name, _)) => (name, &ours[name].1[..shape.iter().product()]),
            None => (key.as_str(), ours[&key].1.as_slice()),
        };
        let error = relative(values, &expected.read(&key).expect("read"));
        assert!(error <= 1e-4, "relative error of {name} {error:.2e}");
    }
    let error = relative(&executed(model, &inputs), &expected.read("logits").expect("read"));
    assert!(error <= 1e-4, "relative error of the executor {error:.2e}");
}

/// Switches off what training changes besides weights, and keeps the gradients.
fn evaluation(model: Box<dyn Model>) -> Box<dyn Model> {
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    Box::new(model.into_any().downcast::<LViT>().expect("an LViT").map(&mut Off))
}

fn loss_of(golden: &Golden, model: &dyn Model, device: &Device) -> Loss {
    let target = tensor(golden.activations.as_ref(), "input.target", device);
    loss(model.forward(golden.inputs(device), &mut Trace::off()), target, LossKind::Binary)
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
    let Some(golden) = golden(&device) else { return };
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
    let expected = source::open(&golden.folder.join("gradients.safetensors")).expect("opens");
    for key in expected.shapes().keys() {
        let theirs = expected.read(key).expect("read");
        let ours = found.get(key).unwrap_or_else(|| panic!("no gradient of {key}"));
        let error = relative(ours, &theirs);
        assert!(error <= 1e-3, "relative error of the gradient of {key} {error:.2e}");
    }
    let unstored = training["gradient_not_stored"].as_array().expect("a list").len();
    assert_eq!((found.len(), trained), (trained, expected.shapes().len() + unstored));
    // What the authors list as unused is no parameter here, and is kept as an auxiliary tensor.
    let auxiliary: Vec<String> = golden.network.auxiliary().into_iter().map(|(spec, _)| spec.name).collect();
    for unused in training["no_gradient"].as_array().expect("a list") {
        let unused = unused.as_str().expect("a name");
        assert!(auxiliary.iter().any(|name| name == unused), "{unused}");
    }
}

#[test]
fn three_steps_of_adamw_are_the_authors() {
    let device = Device::flex().autodiff();
    let Some(golden) = golden(&device) else { return };
    let mut model = evaluation(golden.model.boxed());
    let mut adamw = Optimiser::new(0.01);
    for loss in golden.training()["adamw_losses"].as_array().expect("a list") {
        let terms = loss_of(&golden, model.as_ref(), &device);
        close(value(&terms.total), loss, 1e-4, "the loss");
        let gradients = GradientSum::of(model.as_ref(), terms.total.backward());
        model = adamw.step(model, gradients, 3e-4);
    }
}

#[test]
fn attributions_are_the_slopes_of_the_mean_logit() {
    let device = Device::flex().autodiff();
    let plain = Device::flex();
    let Some(golden) = golden(&device) else { return };
    let inputs = golden.inputs(&plain);
    let mut executor = golden.model.without_gradients().prepare(&Target::single(&plain));
    let features = executor.encode_image(inputs.image.narrow(0, 0, 1));
    let text = executor.encode_vectors(inputs.vectors.expect("vectors").narrow(0, 0, 1));
    let staged = executor.staged().expect("levels");
    let own = staged.overrides().clone();
    assert_eq!(own.validate(), Ok(()));
    let decoded = staged.decode_with(&features, &text, &own);
    let stages = golden.network.stages();
    assert_eq!(decoded.stages.len(), stages.len());
    let [_, _, side, _] = decoded.logits.dims();
    let chosen = Tensor::<4>::ones([1, 1, side, side], &device);
    let attributor = golden.model.inspectable().expect("levels").attributor(&own);
    for (index, (stage, shape)) in decoded.stages.iter().zip(&stages).enumerate() {
        assert_eq!(stage.output.dims(), [4 * shape.grid * shape.grid, shape.channels]);
        assert_eq!(stage.input.dims()[0], shape.grid * shape.grid);
        let gradient = attributor.gradient(index, &stage.output, &features, &text, &chosen);
        assert_eq!(gradient.dims(), stage.output.dims());
        assert!(gradient.clone().abs().max().into_scalar::<f32>() > 0.0, "level {index}");
    }
    // The last level is followed by a linear layer alone.
    let last = decoded.stages.last().expect("a level");
    let gradient = attributor.gradient(stages.len() - 1, &last.output, &features, &text, &chosen);
    let weights = source::open(&golden.folder.join("weights.safetensors")).expect("opens");
    let bias = weights.read("outc.bias").expect("read")[0];
    let mean: f32 = decoded.logits.mean().into_scalar();
    let linear: f32 = (gradient * last.output.clone()).sum().into_scalar();
    assert!((mean - bias - linear).abs() < 1e-4 * mean.abs().max(1.0), "{mean} {bias} {linear}");
}

#[test]
fn the_full_size_has_the_authors_keys() {
    let Some(folder) = common::shared("golden/baselines") else { return };
    let text = std::fs::read_to_string(folder.join("lvit/keys.json")).expect("keys.json");
    let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let expected: BTreeMap<String, Vec<usize>> =
        serde_json::from_value(all["keys"].clone()).expect("keys with their shapes");
    let config = Registry::default().parse("{\"network\": \"lvit\"}").expect("published sizes");
    let network = config.network.as_ref();
    let ours: BTreeMap<String, Vec<usize>> =
        manifest::all(network).expect("keys").into_iter().map(|spec| (spec.name, spec.shape)).collect();
    assert_eq!(ours, expected);
    let count = |specs: &mut dyn Iterator<Item = (&String, &Vec<usize>)>| -> usize {
        let trained = specs.filter(|(key, _)| !key.contains("running_") && !key.contains("num_batches"));
        trained.map(|(_, shape)| shape.iter().product::<usize>()).sum()
    };
    assert_eq!(count(&mut ours.iter()), 39_933_345);
    let used: BTreeMap<String, Vec<usize>> =
        manifest::parameters(network).expect("keys").into_iter().map(|spec| (spec.name, spec.shape)).collect();
    assert_eq!(count(&mut used.iter()), 29_908_033);
    let positions: usize = (0..4).map(|level| 196 * (64 << level)).sum();
    assert_eq!(count(&mut used.iter()) - positions, 29_719_873, "the number in the paper's table");
}

#[test]
fn an_export_has_the_authors_layout_and_comes_back_with_the_same_bits() {
    let device = Device::flex();
    let Some(golden) = golden(&device) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let original =
        roots::open(&golden.folder.join("weights.safetensors"), golden.network.as_ref()).expect("opens");
    let path = folder.path().join("exported.safetensors");
    save::export(&path, golden.network.as_ref(), original.as_ref()).expect("exported");
    let exported = source::open(&path).expect("opens");
    assert_eq!(exported.shapes(), original.shapes());
    for key in original.shapes().keys().filter(|key| !key.ends_with("num_batches_tracked")) {
        let (ours, theirs) = (exported.read(key).expect("read"), original.read(key).expect("read"));
        assert!(ours.iter().zip(&theirs).all(|(a, b)| a.to_bits() == b.to_bits()), "{key}");
    }
}

#[test]
fn a_text_encoder_is_no_part_of_an_export() {
    let text = r#"{"network": "lvit", "base_channels": 8, "image_size": 32, "patches": 4, "text_size": 8,
        "text_encoder": {"kind": "other", "token_limit": 16, "sizes": {"vocab_size": 20, "hidden_size": 8,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 16}}}"#;
    let config = Registry::default().parse(text).expect("sizes");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("exported.safetensors");
    save::export(&path, config.network.as_ref(), &RuleWeights::new(&config).expect("weights")).expect("exported");
    let names = source::open(&path).expect("opens").shapes();
    assert!(names.keys().all(|name| !name.starts_with("text_encoder")));
    assert!(manifest::parameters(config.network.as_ref()).expect("keys").iter().any(|spec| {
        spec.name == "text_encoder.model.bert.encoder.layer.0.output.LayerNorm.bias" && spec.shape == [8]
    }));
}

#[test]
fn sizes_that_cannot_be_built_are_refused_in_words() {
    for (sizes, word) in [
        (r#""base_channels": 12"#, "base_channels"),
        (r#""classes": 2"#, "classes"),
        (r#""image_size": 100"#, "multiple of 16"),
        (r#""image_size": 112"#, "patches is 196"),
        (r#""patch_sizes": [16, 8, 4]"#, "patch_sizes"),
        (r#""patch_sizes": [16, 8, 4, 3]"#, "patch_sizes"),
        (r#""vit_heads": 0"#, "vit_heads"),
        (r#""layers": 4"#, "unknown field"),
        (r#""text_encoder": {"sizes": {"hidden_size": 32, "num_attention_heads": 4}}"#, "text_size"),
        (r#""text_encoder": {"token_limit": 8}"#, "token_limit"),
        (r#""text_encoder": {"kind": "cxr"}"#, "bert_base"),
    ] {
        let text = format!("{{\"network\": \"lvit\", {sizes}}}");
        let error = Registry::default().parse(&text).expect_err(&text).to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
    for sizes in
        [r#""image_size": 112, "patches": 49"#, r#""base_channels": 16, "vit_depth": 2, "text_tokens": 12"#]
    {
        let config = Registry::default().parse(&format!("{{\"network\": \"lvit\", {sizes}}}")).expect(sizes);
        let written = config.to_json();
        assert_eq!(Registry::default().parse(&written).expect("read again").to_json(), written);
        assert!(!written.contains("\"input\""), "the form of the input is the network's own");
        assert!(config.network.build(&Device::flex()).is_ok());
    }
}
