//! `himix threshold`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::folder;
use crate::model::picture;
use crate::presence::copied;
use crate::program::{himix, run};

/// Writes `count` pairs of the same picture with masks of different sizes.
fn data_set(root: &Path, count: u32) {
    for part in ["prompt", "val/Images", "val/GTs"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for index in 0..count {
        picture(60, 48).save(root.join(format!("val/Images/{index}.png"))).expect("a picture");
        let mask =
            image::GrayImage::from_fn(60, 48, |x, y| image::Luma([if x + 2 * y > 50 + index { 255 } else { 0 }]));
        mask.save(root.join(format!("val/GTs/mask_{index}.png"))).expect("a mask");
        table += &format!("{index}.png,\"left lung\"\n");
    }
    fs::write(root.join("prompt/val.csv"), table).expect("a table");
}

fn arguments(model: &Path, data: &Path, more: &[&str]) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> =
        ["threshold", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.extend([model.into(), "--data".into(), data.into()]);
    arguments.extend(more.iter().map(Into::into));
    arguments
}

#[test]
fn a_threshold_is_chosen_by_the_scores_of_evaluate_and_kept_beside_the_model() {
    let folder = folder();
    let data = folder.path().join("set");
    data_set(&data, 20);
    let model = copied(folder.path());
    let found = run(arguments(&model, &data, &["--json"])).json();
    assert!(found["written"].is_null() && !model.join("thresholds.json").exists(), "{found}");
    let kinds = found["kinds"].as_array().expect("kinds");
    let kind = &kinds[0];
    assert!(kinds.len() == 1 && kind["images"] == 20, "all pictures look alike: {found}");
    let number = |key: &str| kind[key].as_f64().expect("a number");
    let dice = |threshold: f64| {
        let scores = himix![
            "evaluate",
            "--device",
            "cpu",
            "--model",
            &model,
            "--data",
            &data,
            "--split",
            "val",
            "--threshold",
            format!("{threshold}"),
            "--json",
        ]
        .json();
        scores["per_image"]["dice"]["mean"].as_f64().expect("a score")
    };
    let threshold = number("threshold");
    assert!((dice(threshold) - number("dice_per_image")).abs() < 1e-9, "{found}");
    assert!((dice(0.5) - number("dice_per_image_at_half")).abs() < 1e-9, "{found}");
    assert!(number("dice_per_image") >= number("dice_per_image_at_half"));
    for other in [0.1, 0.3, 0.7, 0.9] {
        assert!(dice(other) <= number("dice_per_image") + 1e-9, "{other}: {found}");
    }

    let text = run(arguments(&model, &data, &["--write"])).done().out;
    assert!(text.contains("thresholds.json written"), "{text}");
    let kept: Value =
        serde_json::from_slice(&fs::read(model.join("thresholds.json")).expect("a file")).expect("JSON");
    let name = kind["kind"].as_str().expect("a kind");
    assert!((kept["kinds"][name]["threshold"].as_f64().expect("a number") - threshold).abs() < 1e-6, "{kept}");
    assert!(kept["description"].as_str().is_some_and(|text| text.contains("set, split val")), "{kept}");

    // A damaged file is named and does not stop a prediction.
    fs::write(model.join("thresholds.json"), "[]").expect("written");
    let image = data.join("val/Images/0.png");
    let ran =
        himix!["predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", "lung"].done();
    assert!(ran.err.contains("thresholds.json") && ran.err.contains("himix threshold"), "{}", ran.err);
}

#[test]
fn few_images_are_no_ground_for_a_threshold() {
    let folder = folder();
    let data = folder.path().join("set");
    data_set(&data, 3);
    let model = copied(folder.path());
    run(arguments(&model, &data, &["--write"])).refused(&["no kind of image has enough images"]);
    assert!(!model.join("thresholds.json").exists());
    run(arguments(Path::new("bundled"), &data, &["--write"])).refused(&["leave out --write"]);
}
