//! Models that are prompted by a box, from the command line.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::shared;
use crate::files::folder;
use crate::model::{bundle, put_picture};
use crate::program::himix;

/// A small MedSAM with weights by rule.
fn medsam() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-medsam");
        std::fs::create_dir_all(&folder).expect("a folder");
        let config = folder.join("config.json");
        std::fs::write(&config, SIZES).expect("a configuration");
        let weights = folder.join("model.safetensors");
        himix!["export", "--model", "rule", "--config", &config, "--out", weights].done();
        folder
    })
}

const SIZES: &str = r#"{
    "network": "medsam", "image_size": 64, "patch_size": 8,
    "image_encoder": { "embed_dim": 16, "depth": 1, "heads": 2, "mlp_ratio": 2, "window": 4, "global_blocks": [],
        "out_channels": 16 },
    "prompt_encoder": { "embed_dim": 16, "mask_in_channels": 4 },
    "mask_decoder": { "dim": 16, "depth": 1, "heads": 2, "mlp_size": 16, "iou_hidden": 8 }
}"#;

#[test]
fn a_box_gives_a_mask_and_another_box_another() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 40, 30);
    let run = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            vec!["predict".into(), "--json".into(), "--device".into(), "cpu".into(), "--model".into()];
        arguments.extend([medsam().into(), "--image".into(), image.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let object = run(&["--box", "2,3,20,25"]).done().json();
    assert_eq!(object["prompt"], "box 2, 3, 20, 25");
    assert_eq!(object["warnings"], serde_json::json!([]), "a box is no sentence without a finding");
    // What lies outside of the image is clipped; two boxes give two masks.
    let objects = run(&["--box", "2,3,20,25", "--box", "-5,3,400,25"]).done().json();
    assert_eq!(objects.as_array().map(Vec::len), Some(2));
    assert_eq!(objects[0]["foreground_fraction"], object["foreground_fraction"]);
    run(&["--box", "2,3,20"]).refused(&["four numbers"]);
    run(&["--box", "20,3,20,9"]).refused(&["has no area"]);
    run(&["--box", "40,3,90,9"]).refused(&["outside the image of 40 × 30 pixels"]);
    run(&["--prompt", "left lung"]).refused(&["takes a box and not a text"]);
    run(&[]).refused(&["--box"]);
}

#[test]
fn an_evaluation_gives_the_boxes_of_the_truth_only_when_asked() {
    let folder = folder();
    let data = folder.path().join("data");
    crate::evaluate::data_set(&data);
    let split = "test";
    let run = |model: &Path, more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            vec!["evaluate".into(), "--device".into(), "cpu".into(), "--model".into(), model.into()];
        arguments.extend(["--data".into(), data.clone().into(), "--split".into(), split.into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    run(medsam(), &[]).refused(&["takes a box and not a text", "--box-from-truth MARGIN"]);
    run(medsam(), &["--box-from-truth", "4", "--obedience"])
        .refused(&["takes a box and not a text", "no words to obey"]);
    let text = run(medsam(), &["--box-from-truth", "4"]).done().out;
    assert!(text.contains("the place of the answer was given") && text.contains("margin of 4 pixels"), "{text}");
    let object = run(medsam(), &["--box-from-truth", "4", "--json"]).done().json();
    assert_eq!(object["box_from_truth"]["margin_pixels"], 4.0);
    // Whoever compares the predictions is told, and a comparison of the model itself says how it can take part.
    let kept = folder.path().join("kept");
    run(medsam(), &["--box-from-truth", "4", "--predictions", &kept.to_string_lossy()]).done();
    let compare = |option: &str, name: &str, of: &Path| {
        let entrant = format!("{name}={}", of.display());
        himix![
            "compare",
            "--data",
            &data,
            "--split",
            split,
            "--device",
            "cpu",
            "--model",
            bundle(),
            option,
            entrant,
            "--out",
            folder.path().join(name)
        ]
    };
    let text = compare("--predictions", "boxed", &kept).done().out;
    assert!(text.contains("The place of the answer was given") && text.contains("margin of 4 pixels"), "{text}");
    let text = compare("--model", "sam", medsam()).done().out;
    assert!(
        text.contains("sam takes no part: it is prompted by a box") && text.contains("--predictions DIR"),
        "{text}"
    );
    // An image whose truth is empty has no box. It is left out for all networks that are compared.
    let empty = data.join("test/GTs/mask_1.png");
    let size = image::open(&empty).expect("a mask");
    image::GrayImage::new(size.width(), size.height()).save(&empty).expect("written");
    let said = run(medsam(), &["--box-from-truth", "4", "--predictions", &kept.to_string_lossy()]).done();
    assert!(said.err.contains("left out: 1.png: the ground truth is empty"), "{}", said.err);
    let manifest = std::fs::read(kept.join("predictions.json")).expect("a description");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["left_out"][0]["image"], "1.png");
    let said = compare("--predictions", "partly", &kept).done();
    assert!(said.err.contains("left out: 1.png: the predictions of partly leave it out"), "{}", said.err);
    assert!(
        said.out.contains("partly: It leaves 1 image out, which is left out for all networks."),
        "{}",
        said.out
    );
    run(medsam(), &["--box-from-truth", "-1"]).refused(&["from 0"]);
    run(bundle(), &["--box-from-truth", "4"]).refused(&["takes no box"]);
}

#[test]
fn a_batch_takes_the_boxes_of_the_truth_only_when_asked() {
    let folder = folder();
    let data = folder.path().join("data");
    crate::evaluate::data_set(&data);
    let batch = |model: &Path, out: &str, more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> = vec![
            "batch".into(),
            data.clone().into(),
            "--device".into(),
            "cpu".into(),
            "--model".into(),
            model.into(),
        ];
        arguments.extend(["--out".into(), folder.path().join(out).into(), "--json".into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let object = batch(medsam(), "asked", &["--box-from-truth", "3"]).done().json();
    assert_eq!((&object["done"], &object["failed"]), (&3.into(), &0.into()), "{object}");
    assert_eq!(object["box_from_truth"]["margin_pixels"], 3.0);
    // The sentences of the data set are no boxes.
    let ran = batch(medsam(), "not-asked", &[]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("takes a box and not a text"), "{}", ran.err);
    batch(bundle(), "text", &["--box-from-truth", "3"]).refused(&["takes no box"]);
}

#[test]
fn the_reference_of_medsam_passes_and_another_is_refused() {
    let Some(golden) = shared("golden/baselines/medsam") else { return };
    let verify = |reference: PathBuf| {
        let (weights, config) = (golden.join("weights.safetensors"), golden.join("config.json"));
        let arguments: Vec<std::ffi::OsString> = vec![
            "verify".into(),
            "--device".into(),
            "cpu".into(),
            "--model".into(),
            weights.into(),
            "--config".into(),
            config.into(),
            "--reference".into(),
            reference.into(),
        ];
        crate::program::run(arguments)
    };
    let ran = verify(golden.join("activations.safetensors")).done();
    for name in ["patches", "block0.attention_windows", "prompt.sparse", "low_res_logits", "logits, as predict"] {
        assert!(ran.out.lines().any(|line| line.starts_with(name)), "{name} in {}", ran.out);
    }
    if let Some(other) = shared("golden/mini/activations.safetensors") {
        verify(other).refused(&["the reference of this architecture"]);
    }
}

#[test]
fn exported_weights_come_back_with_the_same_bits() {
    let Some(golden) = shared("golden/baselines/medsam") else { return };
    let folder = folder();
    let out = folder.path().join("exported.safetensors");
    let weights = golden.join("weights.safetensors");
    himix!["export", "--model", &weights, "--config", golden.join("config.json"), "--out", &out].done();
    assert!(crate::model::read_tensors(&out) == crate::model::read_tensors(&weights));
}
