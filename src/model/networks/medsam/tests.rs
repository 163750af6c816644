//! The network against itself: the executor, keys and sizes.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Distribution, Tensor};

use super::{MedSam, MedSamConfig, Prepared};
use crate::model::key_table::KeySpec;
use crate::model::network::{Executor, Inputs};
use crate::model::weights::manifest;
use crate::model::{Model, Registry, Target, Trace};

/// A network with windows that do not fill the grid.
const SMALL: &str = r#"{
    "network": "medsam", "image_size": 48, "patch_size": 8,
    "image_encoder": { "embed_dim": 24, "depth": 2, "heads": 3, "mlp_ratio": 2, "window": 4, "global_blocks": [1],
        "out_channels": 16 },
    "prompt_encoder": { "embed_dim": 16, "mask_in_channels": 4 },
    "mask_decoder": { "dim": 16, "depth": 2, "heads": 2, "mlp_size": 32, "iou_hidden": 8 },
    "omitted_from_weights": [], "tied": []
}"#;

/// The small network with all values drawn, so that tables, norms and biases do something.
fn small(device: &Device) -> Box<dyn Model> {
    let network = Registry::default().parse(SMALL).expect("sizes").network;
    let mut random = fastrand::Rng::with_seed(5);
    network.build(device).expect("a network").map_parameters(&mut |path, slot| {
        let count = slot.shape().iter().product::<usize>();
        let middle = if path.contains("norm") && path.ends_with("weight") { 1.0 } else { 0.0 };
        slot.load((0..count).map(|_| middle + 0.6 * (random.f32() - 0.5)).collect());
    })
}

#[test]
fn the_executor_computes_what_the_network_computes_for_every_box() {
    let device = Device::flex();
    let model = small(&device);
    let image = Tensor::<4>::random([1, 3, 48, 48], Distribution::Uniform(0.0, 1.0), &device);
    let prepared =
        Prepared::new(*model.boxed().into_any().downcast::<MedSam>().expect("MedSAM"), &Target::single(&device));
    let features = prepared.encode_image(image.clone());
    let shared = prepared.share().expect("the weights are shared");
    let mut seen: Vec<Vec<f32>> = Vec::new();
    for corners in [[3.0, 5.0, 30.0, 40.0], [0.0, 0.0, 48.0, 48.0], [20.5, 1.0, 21.0, 47.0]] {
        let boxes = Tensor::<2>::from_data([corners], &device);
        let mut trace = Trace::on();
        let expected = model.forward(Inputs::new(image.clone()).with_boxes(Some(boxes)), &mut trace);
        let prompt = prepared.encode_box(corners);
        let ours = prepared.decode(&features, &prompt);
        let size = expected.clone().abs().max().into_scalar::<f32>();
        let apart = (ours.clone() - expected).abs().max().into_scalar::<f32>();
        assert!(apart < 1e-4 * size.max(1.0), "{corners:?}: {apart:e}");
        let low =
            trace.into_tensors().into_iter().find(|tensor| tensor.name == "low_res_logits").expect("recorded");
        let ours_low = prepared.low_resolution(&features, &prompt).reshape([-1]);
        assert!((ours_low - low.values).abs().max().into_scalar::<f32>() < 1e-4 * size.max(1.0));
        let values: Vec<f32> = ours.into_data().iter().collect();
        let other: Vec<f32> = shared
            .decode(&shared.encode_image(image.clone()), &shared.encode_box(corners))
            .into_data()
            .iter()
            .collect();
        assert_eq!(values, other, "another thread has the same bits");
        assert!(seen.iter().all(|earlier| *earlier != values), "another box gives another mask");
        seen.push(values);
    }
}

#[test]
fn the_prompt_encoder_is_not_trained_and_the_rest_is() {
    let device = Device::flex().autodiff();
    let model = small(&device);
    let boxes = Tensor::<2>::from_data([[3.0, 5.0, 30.0, 40.0]], &device);
    let image = Tensor::<4>::random([1, 3, 48, 48], Distribution::Uniform(0.0, 1.0), &device);
    let logits = model.forward(Inputs::new(image).with_boxes(Some(boxes)), &mut Trace::off());
    let mut gradients = logits.powi_scalar(2).mean().backward();
    let mut without = BTreeSet::new();
    model.visit_parameters(&mut |path, parameter| {
        let has = parameter.take_gradient(&mut gradients).is_some();
        if path.starts_with("prompt_encoder.") {
            assert!(!has && !parameter.is_trained(), "{path}");
        } else if !has {
            without.insert(path.to_owned());
        }
    });
    let is_unused = |path: &String| {
        path.contains("iou_prediction_head") || (1..4).any(|index| path.contains(&format!("_mlps.{index}.")))
    };
    assert!(without.iter().all(is_unused), "{without:?}");
}

#[test]
fn the_full_size_has_the_authors_number_of_values() {
    let network = MedSamConfig::default();
    let all = manifest::all(&network).expect("the keys");
    // The matrix of the positions is drawn once and is no parameter.
    let is_parameter = |spec: &&KeySpec| !spec.name.contains("gaussian_matrix");
    let parameters: Vec<KeySpec> = all.iter().filter(is_parameter).cloned().collect();
    assert_eq!((all.len(), parameters.len(), manifest::numbers(&parameters)), (314, 313, 93_735_472));
    let of =
        |part: &str| parameters.iter().filter(|spec| spec.name.starts_with(part)).cloned().collect::<Vec<_>>();
    let counts = ["image_encoder.", "mask_decoder.", "prompt_encoder."].map(|part| manifest::numbers(&of(part)));
    assert_eq!(counts, [89_670_912, 4_058_340, 6_220]);
    let names: BTreeMap<&str, &[usize]> =
        all.iter().map(|spec| (spec.name.as_str(), spec.shape.as_slice())).collect();
    assert_eq!(names.len(), all.len(), "every key is there once");
    assert_eq!(names["image_encoder.blocks.2.attn.rel_pos_h"], [127, 64]);
    assert_eq!(names["image_encoder.blocks.3.attn.rel_pos_w"], [27, 64]);
    assert_eq!(names["mask_decoder.output_upscaling.3.weight"], [64, 32, 2, 2]);
}

#[test]
fn sizes_are_checked_and_written_again() {
    let registry = Registry::default();
    let config = registry.parse(SMALL).expect("sizes");
    assert!(config.network.takes_box() && config.network.text().is_none());
    let written = config.to_json();
    assert!(written.contains("\"network\": \"medsam\"") && !written.contains("tied"), "{written}");
    assert_eq!(registry.parse(&written).expect("read again").to_json(), written);
    for (broken, word) in [
        (r#"{"image_size": 100}"#, "a multiple of patch_size (16)"),
        (r#"{"image_encoder": {"heads": 7}}"#, "heads must divide"),
        (r#"{"image_encoder": {"global_blocks": [12]}}"#, "names block 12"),
        (r#"{"prompt_encoder": {"embed_dim": 128}}"#, "must be the same"),
        (r#"{"mask_decoder": {"masks": 0}}"#, "masks is 0"),
        (r#"{"image_encoder": {"layer_norm_eps": 0.0}}"#, "must be positive"),
        (r#"{"image_encoder": {"width": 3}}"#, "unknown field `width`"),
    ] {
        let text = broken.replacen('{', r#"{"network": "medsam", "#, 1);
        let error = registry.parse(&text).expect_err(broken).to_string();
        assert!(error.contains(word), "{broken}: {error}");
    }
}

#[test]
fn the_names_of_hugging_face_are_recognised() {
    use crate::model::key_table::KeyTable;
    let config = MedSamConfig::default();
    let reason = config.other_layout(&["vision_encoder.layers.0.attn.qkv.weight"]).expect("recognised");
    assert!(reason.contains("medsam_vit_b.pth"), "{reason}");
    assert!(config.other_layout(&["image_encoder.blocks.0.attn.qkv.weight"]).is_none());
}
