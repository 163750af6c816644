//! The inside of the network: what is shown of it is what the authors' code computes, and its dials do what they say.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod common;
#[path = "inspection/domain.rs"]
mod domain;
#[path = "inspection/gradients.rs"]
mod gradients;
#[path = "inspection/half.rs"]
mod half;
#[path = "inspection/kernels.rs"]
mod kernels;
#[path = "inspection/prompts.rs"]
mod prompts;
#[path = "inspection/tuning.rs"]
mod tuning;
#[path = "inspection/warm_up.rs"]
mod warm_up;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use himix::data::{Image, Pixels};
use himix::infer::{
    InspectOptions, Inspection, ModelSource, Overrides, Parameter, Predictor, ReadCase, SweepCase, sweep,
};
use himix::model::Trace;
use himix::model::networks::himix::HiMix;
use himix::model::networks::himix::attribution::{Attributor, Inputs};
use himix::model::weights::{TensorSource, bundle, source};

/// The word of a vocabulary of our own, in which every number has one.
fn word(number: i64) -> String {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    if let Some(special) = usize::try_from(number).ok().and_then(|number| specials.get(number)) {
        return (*special).to_owned();
    }
    let letter = |place: i64| char::from(b'a' + u8::try_from(number / place % 26).expect("a letter"));
    [letter(676), letter(26), letter(1)].iter().collect()
}

struct Mini {
    predictor: Predictor,
    source: ModelSource,
    image: Image,
    prompt: String,
    reference: Box<dyn TensorSource>,
    _folder: tempfile::TempDir,
}

/// The small reference model, opened with the first of its reference inputs as an ordinary image and prompt.
fn mini() -> Option<Mini> {
    let golden = common::shared("golden/mini")?;
    let folder = tempfile::tempdir().expect("a folder");
    let config = bundle::read_config(&golden.join("config.json")).expect("configuration");
    let text = config.network.text().expect("HiMix reads text");
    let words: Vec<String> = (0..text.vocabulary_size as i64).map(word).collect();
    let vocab = folder.path().join("vocab.txt");
    std::fs::write(&vocab, words.join("\n")).expect("written");
    let config_file = Some(golden.join("config.json"));
    let source = ModelSource::with(golden.join("weights.safetensors"), config_file, Some(vocab));
    let predictor = Predictor::open_on(&source, himix::device::cpu()).expect("opens");
    let reference = source::open(&golden.join("activations.safetensors")).expect("opens");

    let side = config.network.image_side();
    let planes = reference.read("input.image").expect("image");
    let mut pixels = vec![0f32; 3 * side * side];
    for channel in 0..3 {
        for (at, value) in planes[channel * side * side..(channel + 1) * side * side].iter().enumerate() {
            // The network sees its image transposed; pixels lie channel by channel within each pixel.
            pixels[(at % side * side + at / side) * 3 + channel] = *value;
        }
    }
    let image = Image { width: side, height: side, channels: 3, pixels: Pixels::F32(pixels) };
    let ids = reference.read("input.ids").expect("numbers");
    let words = ids[..text.token_limit].iter().map(|id| *id as i64).filter(|id| *id > 4).map(word);
    let prompt = words.collect::<Vec<_>>().join(" ");
    let encoding = predictor.encode(&prompt);
    assert!(encoding.ids.iter().zip(&ids).all(|(a, b)| *a as f32 == *b), "the prompt is the reference's");
    Some(Mini { predictor, source, image, prompt, reference, _folder: folder })
}

const EVERYTHING: InspectOptions =
    InspectOptions { maps: true, stages: true, attribution: true, spectra: true, similarity: true };

impl Mini {
    fn inspect(&mut self, overrides: Option<&Overrides>) -> Inspection {
        self.predictor.inspect(&self.image, &self.prompt, overrides, EVERYTHING).expect("an inspection")
    }

    /// The first item of a reference tensor.
    fn first(&self, name: &str) -> Vec<f32> {
        let shape = self.reference.shapes()[name].clone();
        let values = self.reference.read(name).expect("read");
        values[..values.len() / shape[0]].to_vec()
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn assert_close(ours: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    let scale = largest(expected).max(1e-12);
    let worst = ours.iter().zip(expected).fold(0f32, |worst, (a, b)| worst.max((a - b).abs())) / scale;
    println!("{what}: {worst:.1e} of the largest value");
    assert!(worst <= tolerance, "{what} differs by {worst:.1e} of its largest value");
}

#[test]
fn what_is_shown_is_what_the_authors_compute() {
    let Some(mut mini) = mini() else { return };
    let inspection = mini.inspect(None);
    for (index, stage) in inspection.stages.iter().enumerate() {
        let name = format!("stage{}", inspection.stages.len() - index);
        let side = stage.side();
        // `[side², channels]` of the transposed image → `[channels, side, side]` of the image.
        let decoded = mini.first(&format!("{name}.decoded"));
        let mut expected = vec![0f32; decoded.len()];
        for (at, row) in decoded.chunks_exact(stage.channels).enumerate() {
            for (channel, value) in row.iter().enumerate() {
                expected[channel * side * side + at % side * side + at / side] = *value;
            }
        }
        assert_close(&stage.output, &expected, 2e-4, &format!("{name}.decoded"));
        let mean: Vec<f32> = (0..side * side)
            .map(|at| expected.iter().skip(at).step_by(side * side).sum::<f32>() / stage.channels as f32)
            .collect();
        assert_close(&stage.activation().values, &mean, 2e-4, &format!("{name}, activation"));

        let spectra = stage.spectra.as_ref().expect("the stage has a filter");
        let filtered = mini.first(&format!("{name}.asrm"));
        let expected = himix::infer::radial_power(&filtered, stage.grid);
        assert_close(&spectra.after, &expected, 1e-3, &format!("{name}.asrm, power"));
    }
    let states: usize = mini.predictor.overrides().groups.iter().map(|group| group.layers.len()).sum();
    assert_eq!(inspection.similarity.len(), states * states);
    assert!((0..states).all(|layer| (inspection.similarity[layer * states + layer] - 1.0).abs() < 1e-5));
}

#[test]
fn the_plane_of_a_figure_is_what_the_authors_compute() {
    use himix::analysis::figure::{Case, Content, Model, Options, Picture, stages};
    use himix::analysis::maps::{Map, Scale, raised};
    let Some(mut mini) = mini() else { return };
    let inspection = mini.inspect(None);
    let picture = Picture::of(&mini.image);
    let case =
        Case { name: "reference", picture: &picture, lengths: himix::data::volume::Lengths::PIXELS, truth: None };
    let model =
        Model { info: mini.predictor.info(), overrides: None, inspections: vec![&inspection], original: None };
    let content = Content { models: vec![model], cases: vec![case] };
    let figure = stages(&content, &Options::default()).expect("a figure");
    let column = |name: &str| figure.table.columns.iter().position(|column| column == name).expect(name);
    let (panel, quantity, value) = (column("panel"), column("quantity"), column("value"));
    let count = inspection.stages.len();
    // The image, the maps, the final mask.
    let pictures: Vec<&Picture> = figure.scene.pictures().collect();
    for (index, stage) in inspection.stages.iter().enumerate() {
        let side = stage.side();
        let decoded = mini.first(&format!("stage{}.decoded", count - index));
        // `[side², channels]` of the transposed image: mean over the channels, turned back, scaled to 0…1.
        let means: Vec<f32> =
            decoded.chunks_exact(stage.channels).map(|row| row.iter().sum::<f32>() / row.len() as f32).collect();
        let natural: Vec<f32> = (0..side * side).map(|at| means[at % side * side + at / side]).collect();
        let (low, high) = natural.iter().fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        let expected: Vec<f32> = natural.iter().map(|value| (value - low) / (high - low)).collect();
        let name = format!("Stage {} (Layer {})", stage.grid, count - index);
        let rows = figure.table.rows.iter().filter(|row| row[panel] == name && row[quantity] == "activation");
        let drawn: Vec<f32> = rows.map(|row| row[value].parse().expect("a number")).collect();
        assert_close(&drawn, &expected, 1e-3, &format!("{name}, cells of the table"));

        let picture = pictures[1 + index];
        let plane = himix::infer::Plane { width: side, height: side, values: expected };
        let plane = raised(&plane, picture.width, picture.height);
        let colours = Picture::of_map(&Map { plane, scale: Scale::Sequential });
        let worst = picture.rgb.iter().zip(&colours.rgb).map(|(a, b)| a.abs_diff(*b)).max().expect("pixels");
        println!("{name}, pixels: {worst} of 255 at most");
        assert!(picture.rgb.len() == colours.rgb.len() && worst <= 2, "{name}: {worst} grey levels");
    }
}

/// A stage's output in the network's own orientation, `[1, channels, side, side]`.
fn as_computed(natural: &[f32], channels: usize, side: usize, device: &Device) -> Tensor<4> {
    let tensor = Tensor::<4>::from_data(TensorData::new(natural.to_vec(), [1, channels, side, side]), device);
    tensor.swap_dims(2, 3)
}

fn number(tensor: Tensor<1>) -> f64 {
    f64::from(tensor.into_data().iter::<f32>().next().expect("one value"))
}

#[test]
fn the_attribution_agrees_with_finite_differences() {
    let Some(mut mini) = mini() else { return };
    let inspection = mini.inspect(None);
    let device = Device::flex().autodiff();
    let weights = common::shared("golden/mini/weights.safetensors").expect("weights");
    let source = ModelSource::with(weights, common::shared("golden/mini/config.json"), None);
    let located = bundle::locate(&source).expect("found");
    let model = *located.load(&device).expect("loads").into_any().downcast::<HiMix>().expect("HiMix");
    let shape = |name: &str| mini.reference.shapes()[name].clone();
    let float = |name: &str| {
        let shape = shape(name);
        Tensor::<4>::from_data(TensorData::new(mini.first(name), [1, shape[1], shape[2], shape[3]]), &device)
    };
    let whole = |name: &str| {
        let values: Vec<i64> = mini.first(name).iter().map(|value| *value as i64).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values.clone(), [1, values.len()]), &device)
    };
    let mut trace = Trace::off();
    let states = model.text.forward(whole("input.ids"), whole("input.mask"), &mut trace);
    let inputs = Inputs {
        features: model.vision.forward(float("input.image"), &mut trace).into_iter().map(Tensor::detach).collect(),
        states: states.into_iter().map(Tensor::detach).collect(),
    };
    let side = inspection.prediction.probability_model.width;
    let natural = &inspection.prediction.probability_model.values;
    let chosen: Vec<f32> =
        (0..side * side).map(|at| f32::from(u8::from(natural[at % side * side + at / side] >= 0.5))).collect();
    assert_eq!(chosen.iter().filter(|value| **value > 0.0).count(), inspection.explained);
    assert!(inspection.explained > 0, "the mask is not empty");
    let chosen = Tensor::<4>::from_data(TensorData::new(chosen, [1, 1, side, side]), &device);
    let attributor = Attributor::of(model, mini.predictor.overrides());
    let mut random = fastrand::Rng::with_seed(7);
    for (index, stage) in inspection.stages.iter().enumerate() {
        let output = as_computed(&stage.output, stage.channels, stage.side(), &device);
        let gradient = attributor.gradient(index, output.clone(), &inputs, &chosen);
        for trial in 0..3 {
            // Along the gradient, each place by a length of its own: across it there would be nothing to measure.
            let lengths: Vec<f32> = (0..stage.output.len()).map(|_| random.f32()).collect();
            let lengths = as_computed(&lengths, stage.channels, stage.side(), &device);
            let steepest = f64::from(largest(&gradient.clone().into_data().iter::<f32>().collect::<Vec<_>>()));
            let direction = lengths * Tensor::<4>::from_inner(gradient.clone() / steepest);
            let step = 2e-3 * f64::from(largest(&stage.output));
            let moved = |by: f64| {
                number(attributor.mean_logit(index, output.clone() + direction.clone() * by, &inputs, &chosen))
            };
            let measured = (moved(step) - moved(-step)) / (2.0 * step);
            let computed = number((gradient.clone() * direction.clone().inner()).sum());
            println!("stage {}, {trial}: {measured:.5} measured, {computed:.5} computed", stage.grid);
            assert!((measured - computed).abs() <= 0.02 * measured.abs(), "stage {}", stage.grid);
        }
        // What is shown is made of this gradient.
        let attribution = stage.attribution.as_ref().expect("asked for");
        let total: f32 = attribution.contributions.iter().sum();
        let expected = number((gradient * output.inner()).sum());
        assert!((f64::from(total) - expected).abs() <= 1e-3 * expected.abs() + 1e-4, "{total} against {expected}");
        assert!(attribution.map.values.iter().all(|value| *value >= 0.0));
    }
}

/// What there is to turn, one by one, and several at once.
fn turns(own: &Overrides) -> Vec<(&'static str, Overrides)> {
    let with = |change: fn(&mut Overrides)| {
        let mut overrides = own.clone();
        change(&mut overrides);
        overrides
    };
    vec![
        ("σ", with(|overrides| overrides.stages[1].sigma = Some(1.5))),
        ("β", with(|overrides| overrides.stages[2].betas = Some([0.2, 2.0, 0.0]))),
        ("filter off", with(|overrides| overrides.stages[0].is_filtered = false)),
        ("weights", with(|overrides| overrides.groups[0].alpha = Some(vec![3.0, 1.0, 0.0, -2.0]))),
        ("text off", with(|overrides| overrides.groups[1].is_used = false)),
        ("order", with(|overrides| overrides.order = vec![1, 3, 2])),
        (
            "several",
            with(|overrides| {
                overrides.order = vec![2, 1, 3];
                overrides.stages[1].is_filtered = false;
                overrides.stages[2].sigma = Some(9.0);
                overrides.groups[2].is_used = false;
            }),
        ),
    ]
}

#[test]
fn a_modified_model_is_the_bundle_that_is_saved_of_it() {
    let Some(mut mini) = mini() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let own = mini.predictor.overrides().clone();
    let original = mini.inspect(None).prediction.probability_model.values;
    for (index, (what, overrides)) in turns(&own).iter().enumerate() {
        let inspection = mini.inspect(Some(overrides));
        let modified = &inspection.prediction.probability_model.values;
        let moved = modified.iter().zip(&original).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(moved > 1e-4, "{what} changes the mask, by {moved}");
        let target = folder.path().join(index.to_string());
        mini.predictor.save_modified(overrides, &target).expect("saved");
        let mut saved = Predictor::open_on(&ModelSource::new(&target), himix::device::cpu()).expect("opens");
        let again = saved.predict(&mini.image, &mini.prompt).expect("a prediction");
        assert_close(&again.probability_model.values, modified, 1e-5, what);
        assert!(mini.predictor.save_modified(overrides, &target).is_err(), "a model is not overwritten");
    }
    // And back: the original model was not changed by any of it.
    assert_eq!(mini.inspect(None).prediction.probability_model.values, original);
}

#[test]
fn values_of_another_model_are_refused() {
    let Some(mut mini) = mini() else { return };
    let mut overrides = mini.predictor.overrides().clone();
    overrides.stages[0].sigma = Some(-1.0);
    let error = mini.predictor.inspect(&mini.image, &mini.prompt, Some(&overrides), InspectOptions::default());
    assert!(error.is_err_and(|error| error.to_string().contains("σ of stage 7 must be positive")));
    overrides.stages.pop();
    let error = mini.predictor.inspect(&mini.image, &mini.prompt, Some(&overrides), InspectOptions::default());
    assert!(error.is_err_and(|error| error.to_string().contains("another model")));
    assert!(mini.predictor.save_modified(&overrides, Path::new("nowhere")).is_err());
}

#[test]
fn a_sweep_that_is_ended_early_keeps_what_it_has() {
    let Some(mut mini) = mini() else { return };
    let overrides = mini.predictor.overrides().clone();
    let image = Arc::new(mini.image.clone());
    let prompt = mini.prompt.clone();
    let case = || Ok(SweepCase { image: image.clone(), prompt: prompt.clone(), truth: None });
    let mut until = |most: usize| {
        let go = |done| if done < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let cases: Vec<ReadCase> = (0..4).map(|_| Box::new(case) as ReadCase).collect();
        sweep(&mut mini.predictor, &overrides, Parameter::Sigma(0), &[1.0, 2.0], 0.5, &cases, go).expect("a sweep")
    };
    assert_eq!(until(0), None, "there is nothing yet");
    assert_eq!(until(1), None, "it is ended within the first case, which has two masks");
    assert_eq!(until(4).map(|swept| (swept.cases, swept.points.len(), swept.is_whole)), Some((2, 2, false)));
    assert_eq!(until(9).map(|swept| (swept.cases, swept.is_whole)), Some((4, true)));
}

#[test]
fn a_prediction_reads_back_what_was_asked_for() {
    let Some(mut mini) = mini() else { return };
    let plain = mini.predictor.predict(&mini.image, &mini.prompt).expect("a prediction");
    assert!(plain.stages.is_empty(), "nobody asked for the maps");
    let wanted = InspectOptions { maps: true, ..InspectOptions::default() };
    let inspection = mini.predictor.inspect(&mini.image, &mini.prompt, None, wanted).expect("an inspection");
    assert!(inspection.stages.is_empty() && inspection.similarity.is_empty());
    let grids: Vec<usize> = inspection.prediction.stages.iter().map(|stage| stage.grid).collect();
    assert_eq!(grids, mini.predictor.info().stages);
    assert_eq!(inspection.prediction.probability.values, plain.probability.values, "to the last bit");
    let whole = mini.inspect(None);
    assert_eq!(whole.prediction.probability.values, plain.probability.values, "to the last bit");
    for (map, stage) in inspection.prediction.stages.iter().zip(&whole.stages) {
        assert_close(&map.map.values, &stage.activation().normalised().values, 1e-4, "a map");
    }
}

#[test]
fn a_shared_model_gives_the_same_bits_on_one_thread() {
    let bundled = ModelSource::new("bundled");
    let mut predictor = Predictor::open_on(&bundled, himix::device::cpu()).expect("opens");
    let pixels = Pixels::U8((0..120 * 90).map(|at| (at * at / 91 % 251) as u8).collect());
    let image = Image { width: 120, height: 90, channels: 1, pixels };
    let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
    let mut overrides = predictor.overrides().clone();
    overrides.stages[1].sigma = Some(2.5);
    let mut shared = predictor.share().expect("it can be shared");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for overrides in [None, Some(&overrides)] {
        let prompt = "Bilateral pulmonary infection, two infected areas, upper left lung.";
        let ours = predictor.inspect(&image, prompt, overrides, wanted).expect("an inspection");
        // The other predictor must not find the text states of the first.
        predictor.forget();
        let theirs = pool.install(|| shared.inspect(&image, prompt, overrides, wanted)).expect("an inspection");
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let (a, b) = (&ours.prediction.probability.values, &theirs.prediction.probability.values);
        assert_eq!(bits(a), bits(b), "the probability");
        for (a, b) in ours.stages.iter().zip(&theirs.stages) {
            assert_eq!(bits(&a.output), bits(&b.output), "stage {}", a.grid);
        }
    }
    assert!(shared.take_notices().is_empty());
}

#[test]
fn a_model_on_a_gpu_is_not_shared() {
    // What matters is that the device is treated as a GPU.
    let device = himix::device::OpenDevice { is_gpu: true, ..himix::device::cpu() };
    let predictor = Predictor::open_on(&ModelSource::new("bundled"), device).expect("opens");
    assert!(predictor.share().is_none());
}
