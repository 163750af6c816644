use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use himix::data::{Image, Pixels};
use himix::device::{self, OpenDevice};
use himix::infer::{ModelSource, Predictor, measure_passes, same_mask};
use himix::model::weights::save;
use himix::model::weights::word_vectors::WORD_VECTORS_FILE;
use himix::model::weights::{bundle, source};
use himix::model::{Inputs, Registry, Trace};
use himix::train::{self, Control, LossKind, TrainConfig};

use super::common;

const SENTENCES: [&str; 2] = ["left lung", "all right lung"];

/// A bundle of the authors' small network with the vectors of two sentences.
fn with_vectors(folder: &Path) -> Option<PathBuf> {
    let golden = common::shared("golden/baselines/lvit")?;
    let bundle = folder.join("model");
    std::fs::create_dir_all(&bundle).expect("a folder");
    std::fs::copy(golden.join("config.json"), bundle.join("config.json")).expect("copied");
    std::fs::copy(golden.join("weights.safetensors"), bundle.join("model.safetensors")).expect("copied");
    let recorded = source::open(&golden.join("activations.safetensors")).expect("opens");
    let text = recorded.read("input.text").expect("read");
    let (first, second) = text.split_at(text.len() / 2);
    write_vectors(&bundle, 10, [first, second]);
    Some(bundle)
}

fn write_vectors(bundle: &Path, words: usize, vectors: [&[f32]; 2]) {
    let tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = SENTENCES
        .into_iter()
        .zip(vectors)
        .map(|(sentence, values)| (sentence.to_owned(), (vec![words, values.len() / words], values.to_vec())))
        .collect();
    save::save_tensors(&bundle.join(WORD_VECTORS_FILE), tensors).expect("written");
}

fn picture() -> Image {
    let pixels = (0..80 * 80 * 3).map(|at: usize| (at * 37 % 251) as u8).collect();
    Image { width: 80, height: 80, channels: 3, pixels: Pixels::U8(pixels) }
}

fn open(model: &Path) -> Result<Predictor, String> {
    Predictor::open_on(&ModelSource::new(model), device::cpu()).map_err(|error| error.to_string())
}

#[test]
fn sentences_with_vectors_are_predicted_and_others_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bundle) = with_vectors(folder.path()) else { return };
    let mut predictor = open(&bundle).expect("opens");
    assert!(predictor.info().reads_text());
    assert_eq!(predictor.info().vocabulary, "all\nleft\nlung\nright");
    let found = predictor.predict(&picture(), " all right lung").expect("a prediction");
    assert_eq!(found.tokens.read, ["all", "right", "lung"]);

    // The network itself, with blue first and the values divided by 255: the picture has the network's size.
    let device = Device::flex();
    let located = bundle::locate(&ModelSource::new(&bundle)).expect("found");
    let model = located.load(&device).expect("loads");
    let Pixels::U8(pixels) = picture().pixels else { unreachable!() };
    let planes: Vec<f32> = [2, 1, 0]
        .iter()
        .flat_map(|channel| pixels.iter().skip(*channel).step_by(3).map(|value| f32::from(*value) / 255.0))
        .collect();
    let image = Tensor::<1>::from_floats(planes.as_slice(), &device).reshape([1, 3, 80, 80]);
    let vectors = source::open(&bundle.join(WORD_VECTORS_FILE)).expect("opens").read(SENTENCES[1]).expect("read");
    let vectors = Tensor::<1>::from_floats(vectors.as_slice(), &device).reshape([1, 10, 96]);
    let logits = model.forward(Inputs::new(image).with_vectors(Some(vectors)), &mut Trace::off());
    let expected: Vec<f32> = sigmoid(logits).into_data().iter::<f32>().collect();
    let apart = found.probability_model.values.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) < 1e-4);

    let other = predictor.predict(&picture(), "left lung").expect("a prediction");
    assert_ne!(other.probability_model.values, found.probability_model.values);
    let recorded = predictor.activations(&picture(), "left lung").expect("activations");
    assert!(recorded.iter().any(|tensor| tensor.name == "input.text" && tensor.shape == [1, 10, 96]));
    let error = predictor.predict(&picture(), "lower left lung").expect_err("unknown").to_string();
    assert!(error.contains("knows 2 sentences") && error.contains("\"all right lung\""), "{error}");
    assert!(predictor.encode("lower left lung").read.is_empty(), "nothing of it is read");
}

#[test]
fn a_model_that_knows_certain_sentences_is_tried_and_measured_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bundle) = with_vectors(folder.path()) else { return };
    let mut predictor = open(&bundle).expect("opens");
    assert_eq!(predictor.known_sentences(), ["all right lung", "left lung"]);
    let passes = measure_passes(&mut predictor, false).expect("no sentence is refused");
    assert_eq!(passes.len(), 5);
    // The CPU, treated as a card that is made ready and compared with the CPU.
    let card = OpenDevice { name: "card".into(), is_gpu: true, ..device::cpu() };
    let mut card = Predictor::open_on(&ModelSource::new(&bundle), card).expect("opens");
    card.warm_up(&mut |_| ControlFlow::Continue(())).expect("every pass runs");
    assert_eq!(same_mask(&mut predictor, &mut card), Ok(()));
}

#[test]
fn vectors_that_are_missing_or_of_another_shape_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bundle) = with_vectors(folder.path()) else { return };
    write_vectors(&bundle, 9, [&[0.0; 9 * 96]; 2]);
    let error = open(&bundle).err().expect("refused");
    assert!(error.contains(WORD_VECTORS_FILE) && error.contains("10 words of 96 values"), "{error}");
    std::fs::remove_file(bundle.join(WORD_VECTORS_FILE)).expect("removed");
    let error = open(&bundle).err().expect("refused");
    assert!(error.contains("there is no word_vectors.safetensors") && error.contains("text encoder"), "{error}");
}

fn architecture(folder: &Path, encoder: &str) -> PathBuf {
    let path = folder.join("architecture.json");
    let text = format!(
        r#"{{"network": "lvit", "base_channels": 8, "image_size": 64, "patches": 16, "text_tokens": 10,
        "text_size": 16{encoder}}}"#
    );
    std::fs::write(&path, text).expect("written");
    path
}

const ENCODER: &str = r#", "text_encoder": {"kind": "other", "token_limit": 25, "sizes": {"vocab_size": 300,
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 32}}"#;

#[test]
fn it_trains_with_an_encoder_of_its_own_and_its_bundle_reads_ten_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    for train_text in [true, false] {
        let out = out.join(train_text.to_string());
        let config = TrainConfig {
            phantoms: 10,
            out: out.clone(),
            architecture: Some(architecture(folder.path(), ENCODER)),
            train_text: Some(train_text),
            epochs: 2,
            min_epochs: 2,
            batch_size: 4,
            lr: 1e-3,
            min_lr: 1e-4,
            cosine_epochs: 1,
            restarts: true,
            loss: LossKind::Lvit,
            stage_losses: vec![0.1, 0.1, 0.1, 0.1],
            ..TrainConfig::default()
        };
        let best = train::run(&config, &device::cpu(), &Control::default(), &mut |_| ()).expect("a run");
        assert!(best.expect("an epoch").train_loss.is_finite());
        let text = std::fs::read_to_string(out.join("best/config.json")).expect("a configuration");
        assert!(text.contains("\"kind\": \"other\"") && !text.contains("\"input\""), "{text}");
        let mut predictor = open(&out.join("best")).expect("opens");
        let prompt = "one two three four five six seven eight nine ten eleven twelve";
        let tokens = predictor.encode(prompt);
        let starts = |pieces: &[String]| pieces.iter().filter(|piece| !piece.starts_with("##")).count();
        assert!(starts(&tokens.read) <= 10 && !tokens.dropped.is_empty(), "{tokens:?}");
        assert!(predictor.reading(prompt).cut().is_some());
        let [left, right] = ["left lung", "right lung"]
            .map(|prompt| predictor.predict(&picture(), prompt).expect("a prediction").probability_model.values);
        assert_ne!(left, right);
    }
}

#[test]
fn a_network_without_an_encoder_is_not_trained() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = TrainConfig {
        phantoms: 4,
        out: folder.path().join("run"),
        architecture: Some(architecture(folder.path(), "")),
        ..TrainConfig::default()
    };
    let error = train::run(&config, &device::cpu(), &Control::default(), &mut |_| ()).expect_err("refused");
    assert!(error.to_string().contains("give it a text encoder"), "{error}");
}

#[test]
fn the_form_of_the_input_is_kept_where_it_is_not_the_networks_own() {
    let registry = Registry::default();
    let text = r#"{"network": "lvit", "input": {"range": "z_score", "channels": "rgb"}}"#;
    let config = registry.parse(text).expect("a configuration");
    let written = config.to_json();
    assert!(
        written.contains("\"range\": \"z_score\"") && written.contains("\"resize\": \"as_himix\""),
        "{written}"
    );
    assert_eq!(registry.parse(&written).expect("read again").input, config.input);
    let own = registry.parse("{}").expect("HiMix");
    assert!(!own.to_json().contains("\"input\""));
    let error = registry.parse(r#"{"input": {"range": "percent"}}"#).expect_err("unknown").to_string();
    assert!(error.contains("percent") && error.contains("min_max"), "{error}");
}
