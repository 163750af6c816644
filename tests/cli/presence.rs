//! `himix presence`, and what `himix predict` says of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::folder;
use crate::model::{bundle, picture, put_picture};
use crate::program::{Ran, himix};

/// Copies the small model, so that a calibration can be written beside it.
pub fn copied(root: &Path) -> PathBuf {
    let copy = root.join("model");
    fs::create_dir_all(&copy).expect("a folder");
    for name in ["config.json", "vocab.txt", "model.safetensors"] {
        fs::copy(bundle().join(name), copy.join(name)).expect("a copy");
    }
    copy
}

fn calibrate(model: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> =
        ["presence", "calibrate", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.push(model.into());
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn presence(model: &Path, image: &Path, prompt: &str) -> (Value, String) {
    let ran =
        himix!["predict", "--device", "cpu", "--model", model, "--image", image, "--prompt", prompt, "--json"]
            .done();
    let object: Value = serde_json::from_str(&ran.out).expect("JSON");
    (object["presence"].clone(), ran.err)
}

#[test]
fn a_calibrated_model_says_how_likely_a_finding_is() {
    let folder = folder();
    let (model, image) = (copied(folder.path()), put_picture(&folder, "chest.png", 64, 64));
    assert_eq!(presence(&model, &image, "left lung").0, Value::Null, "not calibrated yet");
    let object = calibrate(&model, &["--phantoms", "4", "--seed", "3", "--json"]).json();
    let groups = object["groups"].as_array().expect("groups");
    let names: Vec<&str> = groups.iter().filter_map(|group| group["name"].as_str()).collect();
    assert_eq!(names, ["phantom CT slices", "phantom X-rays", "phantom endoscopy frames"]);
    for group in groups {
        assert_eq!((&group["with_lesion"], &group["without_lesion"]), (&4.into(), &4.into()));
        assert!(group["auroc"].as_f64().is_some_and(|area| (0.0..=1.0).contains(&area)), "{group}");
    }
    let words = object["calibrated_on"].as_str().expect("words");
    assert!(words.contains("8 phantoms of every kind (seed 3)"), "{words}");
    let stored: Value =
        serde_json::from_slice(&fs::read(model.join("presence.json")).expect("a file")).expect("JSON");
    assert_eq!(stored["weights"], object["weights"]);

    let (found, _) = presence(&model, &image, "left lung");
    assert!(found.as_f64().is_some_and(|value| (0.0..=1.0).contains(&value)), "{found}");
    assert_eq!(presence(&model, &image, "No pulmonary infection.").0, Value::Null, "nothing is named");
    let text =
        himix!["predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", "left lung"].done();
    assert!(text.out.contains("as calibrated"), "{}", text.out);

    let scored = himix![
        "presence",
        "evaluate",
        "--device",
        "cpu",
        "--model",
        &model,
        "--phantoms",
        "2",
        "--seed",
        "4",
        "--json"
    ]
    .json();
    assert_eq!(scored["groups"].as_array().map(Vec::len), Some(3));
    // Reading a number from text may change its last digit.
    for name in ["maximum", "top_percent", "area", "inside"] {
        let [was, is] = [&object, &scored].map(|object| object["weights"][name].as_f64().expect("a weight"));
        assert!((was - is).abs() < 1e-9, "{name}: {was} {is}");
    }
}

/// The seed is another than that of the calibration.
#[test]
fn the_bundled_model_tells_phantoms_with_and_without_lesion_apart() {
    let object =
        himix!["presence", "evaluate", "--device", "cpu", "--phantoms", "20", "--seed", "7", "--json"].json();
    let groups = object["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 3);
    for group in groups {
        assert!(group["auroc"].as_f64().is_some_and(|area| area >= 0.9), "{group}");
    }
}

#[test]
fn pairs_and_images_without_lesion_calibrate_a_model() {
    let folder = folder();
    let root = folder.path().join("data");
    for part in ["prompt", "val/Images", "val/GTs"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let normal = folder.path().join("normal");
    fs::create_dir(&normal).expect("a folder");
    for index in 0..6 {
        picture(64, 64).save(root.join(format!("val/Images/{index}.png"))).expect("a picture");
        let mask = image::GrayImage::from_fn(64, 64, |x, _| image::Luma([if x < 20 { 255 } else { 0 }]));
        mask.save(root.join(format!("val/GTs/mask_{index}.png"))).expect("a mask");
        picture(64, 64).save(normal.join(format!("{index}.png"))).expect("a picture");
    }
    let rows: String = (0..6).map(|index| format!("{index}.png,\"left lung\"\n")).collect();
    fs::write(root.join("prompt/val.csv"), format!("Image,Description\n{rows}")).expect("a table");
    let (data, normal) = (root.to_string_lossy().into_owned(), normal.to_string_lossy().into_owned());

    let model = copied(folder.path());
    calibrate(&model, &["--data", &data]).refused(&["without lesion", "--normal"]);
    calibrate(&model, &["--normal", &normal]).refused(&["no prompt", "lesions"]);
    calibrate(&model, &[]).refused(&["--data", "--phantoms"]);
    assert!(!model.join("presence.json").exists());
    let out = folder.path().join("elsewhere.json");
    let out = out.to_string_lossy();
    let object =
        calibrate(&model, &["--data", &data, "--normal", &normal, "--limit", "4", "--out", &out, "--json"]).json();
    let group = &object["groups"][0];
    assert_eq!((&group["with_lesion"], &group["without_lesion"]), (&4.into(), &6.into()));
    assert!(group["auroc"].is_number(), "{group}");
    assert!(Path::new(out.as_ref()).is_file() && !model.join("presence.json").exists());
}

#[test]
fn a_damaged_calibration_is_named_and_the_masks_are_made_all_the_same() {
    let folder = folder();
    let (model, image) = (copied(folder.path()), put_picture(&folder, "chest.png", 64, 64));
    for damaged in ["", "{\"weights\": 1}", "not JSON", "\u{0}\u{1}"] {
        fs::write(model.join("presence.json"), damaged).expect("a file");
        let (found, notes) = presence(&model, &image, "left lung");
        assert_eq!(found, Value::Null);
        assert!(notes.contains("presence.json") && notes.contains("calibrate again"), "{notes}");
        himix!["presence", "evaluate", "--device", "cpu", "--model", &model, "--phantoms", "1"]
            .refused(&["not calibrated", "himix presence calibrate"]);
    }
    calibrate(Path::new("bundled"), &["--phantoms", "1"]).refused(&["--out"]);
}
