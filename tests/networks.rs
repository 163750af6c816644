//! A second network, as small as one can be: what the program needs of a network is what the traits say, and nothing else.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use himix::data::{Dataset, Image, Pixels, preprocess};
use himix::device;
use himix::infer::{EvaluationSettings, InspectOptions, ModelSource, Predictor, evaluate};
use himix::input::InputForm;
use himix::model::config::{Axes, ConfigError, Provenance};
use himix::model::key_table::KeyTable;
use himix::model::layers::{Conv2d, ConvShape};
use himix::model::network::{Cost, Features, TextCost, TextStates};
use himix::model::registry::{Entry, sizes_of, to_sizes};
use himix::model::weights::save::{self, Precision};
use himix::model::weights::{bundle, source};
use himix::model::{Executor, Inputs, Model, ModelConfig, Network, Registry, Target, Trace};
use himix::train::{self, Control, Event, RunControl, TrainConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const NAME: &str = "two-convolutions";
const ENTRY: Entry = Entry { name: NAME, read };

fn read(sizes: Map<String, Value>) -> Result<Arc<dyn Network>, ConfigError> {
    Ok(Arc::new(sizes_of::<TinyConfig>(sizes)?))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TinyConfig {
    side: usize,
    channels: usize,
}

impl Default for TinyConfig {
    fn default() -> Self {
        Self { side: 16, channels: 4 }
    }
}

impl KeyTable for TinyConfig {}

impl Network for TinyConfig {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sizes(&self) -> Map<String, Value> {
        to_sizes(self)
    }

    fn describe(&self) -> String {
        format!("{} channels", self.channels)
    }

    fn image_side(&self) -> usize {
        self.side
    }

    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError> {
        Ok(Arc::new(Self { side, ..self.clone() }))
    }

    fn cost(&self) -> Cost {
        let pixels = (self.side * self.side * self.channels) as f64;
        Cost {
            operations: 2.0 * 9.0 * 4.0 * pixels,
            kept: 3.0 * pixels,
            value_bytes: 4.0,
            text: TextCost::default(),
        }
    }

    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError> {
        let three = |input, output| ConvShape { input, output, kernel: 3, stride: 1, padding: 1, groups: 1 };
        Ok(Box::new(Tiny {
            first: Conv2d::new(three(3, self.channels), true, device),
            second: Conv2d::new(three(self.channels, 1), true, device),
        }))
    }
}

#[derive(Module, Debug)]
struct Tiny {
    first: Conv2d,
    second: Conv2d,
}

impl Model for Tiny {
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4> {
        let x = relu(self.first.forward(inputs.image));
        trace.record("first", &x);
        let logits = self.second.forward(x);
        trace.record("logits", &logits);
        logits
    }

    fn prepare(self: Box<Self>, _: &Target) -> Box<dyn Executor> {
        Box::new(Alone(*self))
    }

    fn freeze_text(self: Box<Self>) -> Box<dyn Model> {
        self
    }
}

/// Nothing of it depends on a prompt, so that what it keeps of an image is the mask.
#[derive(Debug)]
struct Alone(Tiny);

impl Executor for Alone {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        let logits = self.0.forward(Inputs::new(image), &mut Trace::off());
        let [_, _, height, width] = logits.dims();
        vec![logits.reshape([height, width])]
    }

    fn decode(&self, features: &Features, _text: &TextStates) -> Tensor<4> {
        features[0].clone().unsqueeze()
    }
}

fn registry() -> Registry {
    Registry::default().with(ENTRY)
}

/// A bundle of it with random weights.
fn bundle_in(folder: &Path) -> ModelConfig {
    let network: Arc<dyn Network> = Arc::new(TinyConfig::default());
    let device = Device::flex();
    device.seed(3);
    let model = network.build(&device).expect("a network");
    let provenance = Provenance { name: "tiny".into(), trained: true, ..Provenance::default() };
    let (unknown_words, temperature) = Default::default();
    let input = network.default_input();
    let config = ModelConfig { network, axes: Axes::Yx, input, provenance, unknown_words, temperature };
    bundle::write(folder, &config, model.as_ref(), None, None, Precision::F32).expect("written");
    config
}

fn open(folder: &Path) -> Predictor {
    Predictor::open_in(&registry(), &ModelSource::new(folder), device::cpu()).expect("opens")
}

fn picture() -> Image {
    let pixels = (0..40 * 24).map(|at| (at * 37 % 251) as u8).collect();
    Image { width: 40, height: 24, channels: 1, pixels: Pixels::U8(pixels) }
}

/// Three pictures with a bright square each.
fn data_set(root: &Path) {
    for folder in ["prompt", "test/Images", "test/GTs"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for index in 0..3u32 {
        let is_inside = |x: u32, y: u32| (4 * index..4 * index + 9).contains(&x) && (5..20).contains(&y);
        let grey = |inside: u8, x, y| image::Luma([if is_inside(x, y) { inside } else { 0 }]);
        let picture = image::GrayImage::from_fn(32, 24, |x, y| grey(200, x, y));
        let mask = image::GrayImage::from_fn(32, 24, |x, y| grey(255, x, y));
        picture.save(root.join(format!("test/Images/{index}.png"))).expect("a picture");
        mask.save(root.join(format!("test/GTs/mask_{index}.png"))).expect("a mask");
        table += &format!("{index}.png,one area\n");
    }
    std::fs::write(root.join("prompt/test.csv"), table).expect("a table");
}

#[test]
fn a_bundle_names_its_network_and_opens_where_that_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    let text = std::fs::read_to_string(folder.path().join("config.json")).expect("a configuration");
    assert!(text.contains("\"network\": \"two-convolutions\""), "{text}");
    let error = Predictor::open_on(&ModelSource::new(folder.path()), device::cpu()).err().expect("not known");
    let error = error.to_string();
    assert!(error.contains("\"two-convolutions\" is not known") && error.contains("himix"), "{error}");
    let info = open(folder.path()).info().clone();
    assert_eq!((info.name.as_str(), info.parameters), ("tiny", 3 * 4 * 9 + 4 + 4 * 9 + 1));
    assert!(!info.reads_text() && info.stages.is_empty() && info.overrides.stages.is_empty());
}

/// The predictor computes the probability of a logit by the standard library, and burn by its own exponential
/// function, which is vectorised: its last digit depends on the processor.
fn assert_close(values: &[f32], expected: &[f32]) {
    assert_eq!(values.len(), expected.len());
    let difference = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-6, "they differ by {difference}");
}

#[test]
fn it_predicts_what_its_forward_pass_computes_whatever_the_prompt() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    let mut predictor = open(folder.path());
    let prediction = predictor.predict(&picture(), "left lung").expect("a prediction");
    let located = bundle::locate_in(&registry(), &ModelSource::new(folder.path())).expect("found");
    let model = located.load(&Device::flex()).expect("loads");
    let input = preprocess::input_tensor(&picture(), 16, false, InputForm::default());
    let image = Tensor::<4>::from_data(TensorData::new(input, [1, 3, 16, 16]), &Device::flex());
    let logits = model.forward(Inputs::new(image), &mut Trace::off());
    let expected: Vec<f32> = sigmoid(logits).into_data().iter::<f32>().collect();
    assert_close(&prediction.probability_model.values, &expected);
    assert_eq!((prediction.probability.width, prediction.probability.height), (40, 24));
    assert!(prediction.tokens.read.is_empty() && prediction.parameters.is_empty());
    let other = predictor.predict(&picture(), "right lung").expect("a prediction");
    assert_eq!(other.probability_model.values, prediction.probability_model.values);
    let recorded = predictor.activations(&picture(), "").expect("activations");
    let names: Vec<&str> = recorded.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["input.image", "first", "logits"]);
}

#[test]
fn what_it_lacks_is_absent_and_not_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    let mut predictor = open(folder.path());
    let wanted = InspectOptions { maps: true, stages: true, attribution: true, spectra: true, similarity: true };
    let inspection = predictor.inspect(&picture(), "", None, wanted).expect("an inspection");
    assert!(inspection.stages.is_empty() && inspection.similarity.is_empty());
    assert!(inspection.prediction.stages.is_empty());
    let own = predictor.overrides().clone();
    let error = predictor.save_modified(&own, &folder.path().join("other")).expect_err("nothing to override");
    assert!(error.to_string().contains("no values that could be overridden"), "{error}");
    let bundled = Predictor::open_on(&ModelSource::new("bundled"), device::cpu()).expect("opens");
    let foreign = bundled.overrides().clone();
    assert!(predictor.inspect(&picture(), "", Some(&foreign), InspectOptions::default()).is_err());
}

#[test]
fn it_is_evaluated() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(&folder.path().join("model"));
    let data = folder.path().join("data");
    data_set(&data);
    let mut predictor = open(&folder.path().join("model"));
    let dataset = Dataset::open(&data, "test").expect("a data set");
    let settings = EvaluationSettings { stages: true, ..EvaluationSettings::default() };
    let going = |_, _| ControlFlow::Continue(());
    let evaluation = evaluate(&mut predictor, &dataset, settings, going, |_| Ok(())).expect("scores");
    assert_eq!(evaluation.images.len(), dataset.samples.len());
    assert!(evaluation.stages().is_empty(), "there are no stages to score");
    let stages = |image: &Image, prompt: &str| {
        let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
        predictor.inspect(image, prompt, None, wanted).map(|_| Vec::new()).map_err(|error| error.to_string())
    };
    let fitted = train::fit_linear_probes(&[dataset], 1, stages, |_| ControlFlow::Continue(()));
    assert!(fitted.is_err_and(|error| error.to_string().contains("no decoder stages")));
}

#[test]
fn it_trains_is_resumed_and_its_bundle_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, architecture) = (folder.path().join("run"), folder.path().join("architecture.json"));
    std::fs::write(&architecture, "{\"network\": \"two-convolutions\", \"channels\": 3}").expect("written");
    let config = TrainConfig {
        phantoms: 12,
        out: out.clone(),
        architecture: Some(architecture),
        epochs: 3,
        min_epochs: 3,
        batch_size: 4,
        accumulate: 2,
        lr: 1e-2,
        ..TrainConfig::default()
    };
    let estimate = train::estimate_in(&registry(), &config).expect("an estimate");
    assert_eq!(estimate.parameters, 3 * 3 * 9 + 3 + 3 * 9 + 1);
    assert!(train::run(&config, &device::cpu(), &Control::default(), &mut |_| ()).is_err(), "not known");
    let control = Control::default();
    let mut stop = |event| {
        if let Event::Step { epoch: 1, .. } = event {
            control.ask(RunControl::Stop);
        }
    };
    let stopped = train::run_in(&registry(), &config, &device::cpu(), &control, &mut stop).expect("a run");
    assert_eq!(stopped, None, "no epoch was finished");
    let mut epochs = Vec::new();
    let mut report = |event| {
        if let Event::Epoch(epoch) = event {
            epochs.push(epoch);
        }
    };
    let control = Control::default();
    let best = train::resume_in(&registry(), &out, &[], &device::cpu(), &control, &mut report);
    let best = best.expect("a run").expect("an epoch");
    assert_eq!(epochs.len(), 3);
    assert!(epochs[2].train_loss < epochs[0].train_loss, "{} {}", epochs[0].train_loss, epochs[2].train_loss);
    assert!(best.sigma.is_empty() && best.layer_weights.is_empty());
    let mut predictor = open(&out.join("best"));
    assert!(predictor.predict(&picture(), "").is_ok());
    assert!(!out.join("best/vocab.txt").exists(), "there is no vocabulary where no text is read");
}

#[test]
fn its_weights_are_exported_and_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    let located = bundle::locate_in(&registry(), &ModelSource::new(folder.path())).expect("found");
    let path = folder.path().join("exported.safetensors");
    save::export(&path, located.config.network.as_ref(), located.weights.as_ref()).expect("exported");
    let exported = source::open(&path).expect("opens");
    let names: Vec<String> = exported.shapes().into_keys().collect();
    assert_eq!(names, ["first.bias", "first.weight", "second.bias", "second.weight"]);
    for name in names {
        assert_eq!(exported.read(&name).expect("read"), located.weights.read(&name).expect("read"), "{name}");
    }
    let source = ModelSource::with(&path, Some(folder.path().join("config.json")), None);
    let mut again = Predictor::open_in(&registry(), &source, device::cpu()).expect("opens");
    let ours = open(folder.path()).predict(&picture(), "").expect("a prediction");
    let theirs = again.predict(&picture(), "").expect("a prediction");
    assert_eq!(ours.probability_model.values, theirs.probability_model.values);
}
