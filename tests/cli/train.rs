//! `himix train`.

use std::fs;
use std::path::Path;

use crate::files::folder;
use crate::model::{bundle, config, picture};
use crate::program::himix;

/// Pictures of bright squares in the left or right half, each with a sentence that says where.
fn data_set(root: &Path) {
    for (split, count) in [("train", 8u32), ("val", 4)] {
        for part in ["prompt".to_owned(), format!("{split}/Images"), format!("{split}/GTs")] {
            fs::create_dir_all(root.join(part)).expect("a folder");
        }
        let mut table = "Image,Description\n".to_owned();
        for index in 0..count {
            let left = 8 + 30 * (index % 2);
            let inside = |x: u32, y: u32| (left..left + 18).contains(&x) && (10 + index..30 + index).contains(&y);
            let grey = picture(64, 48);
            let image = image::GrayImage::from_fn(64, 48, |x, y| {
                image::Luma([if inside(x, y) { 255 } else { grey.get_pixel(x, y).0[0] / 3 }])
            });
            let mask = image::GrayImage::from_fn(64, 48, |x, y| image::Luma([u8::from(inside(x, y)) * 255]));
            image.save(root.join(format!("{split}/Images/{index}.png"))).expect("a picture");
            mask.save(root.join(format!("{split}/GTs/mask_{index}.png"))).expect("a mask");
            table +=
                &format!("{index}.png,\"one area, {} lung.\"\n", if index % 2 == 0 { "left" } else { "right" });
        }
        fs::write(root.join(format!("prompt/{split}.csv")), table).expect("a table");
    }
}

/// The number after `name` on each line of an epoch.
fn numbers(out: &str, name: &str) -> Vec<f64> {
    let lines = out.lines().filter(|line| line.starts_with("epoch"));
    lines
        .map(|line| {
            let rest = line.split(&format!("  {name} ")).nth(1).expect("the number's name");
            rest.split_whitespace().next().expect("a number").parse().expect("a number")
        })
        .collect()
}

#[test]
fn a_run_learns_and_leaves_a_bundle() {
    let folder = folder();
    data_set(folder.path());
    let architecture = folder.path().join("architecture.json");
    fs::write(&architecture, config().to_string()).expect("a configuration");
    let settings = folder.path().join("run.toml");
    let text = format!("architecture = {architecture:?}\nepochs = 9\nbatch_size = 4\nlr = 1e-3\n");
    fs::write(&settings, text).expect("settings");
    let out = folder.path().join("bundle");
    let run = || {
        himix![
            "train",
            "--data",
            folder.path(),
            "--out",
            &out,
            "--config",
            &settings,
            "--set",
            "epochs=3",
            "--device",
            "cpu"
        ]
        .done()
        .out
    };
    let said = run();
    assert!(said.contains("8 pairs to train on, 4 to validate on"), "{said}");
    assert!(said.contains("pooled") && said.contains("per image"), "{said}");
    let losses = numbers(&said, "loss");
    assert_eq!(losses.len(), 3, "--set goes before the file: {said}");
    assert!(losses[2] < losses[0], "{losses:?}");

    // The bundle predicts, sees images the way they are, and says what it was trained on.
    let image = folder.path().join("val/Images/0.png");
    let object = himix![
        "predict",
        "--model",
        &out,
        "--image",
        &image,
        "--prompt",
        "left lung",
        "--device",
        "cpu",
        "--json"
    ];
    assert_eq!(object.json()["tokens"]["read"], serde_json::json!(["left", "lung"]));
    let kept: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("config.json")).expect("read")).expect("JSON");
    assert_eq!(kept["axes"], "yx");
    assert_eq!(kept["provenance"]["trained"], true);

    // The same seed makes the same run.
    assert_eq!(numbers(&run(), "validation loss"), numbers(&said, "validation loss"));

    // A run may go on from a bundle.
    let on = folder.path().join("on");
    let start = format!("start={}", out.display());
    let more = himix![
        "train",
        "--data",
        folder.path(),
        "--out",
        &on,
        "--set",
        &start,
        "--set",
        "epochs=1",
        "--set",
        "train_text=true",
        "--set",
        "batch_size=4",
        "--device",
        "cpu"
    ]
    .done()
    .out;
    assert!(numbers(&more, "loss")[0] < losses[0], "{more}");
}

#[test]
fn settings_and_data_that_do_not_do() {
    let folder = folder();
    data_set(folder.path());
    let out = folder.path().join("out");
    let train = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["train", "--device", "cpu", "--data"].map(Into::into).to_vec();
        arguments.extend([folder.path().into(), "--out".into(), out.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    train(&["--set", "epoch=3"]).failed(2, &["epoch", "epochs"]);
    train(&["--set", "epochs"]).failed(2, &["KEY=VALUE"]);
    train(&["--set", "batch_size=0"]).failed(2, &["batch_size"]);
    train(&["--set", "train_split=nowhere"]).failed(2, &["nowhere.csv"]);
    train(&["--config", "no-such.toml"]).failed(2, &["no-such.toml"]);
    himix!["train", "--out", &out].failed(2, &["--data"]);
    let small = image::GrayImage::new(20, 20);
    small.save(folder.path().join("train/GTs/mask_3.png")).expect("a mask");
    let start = format!("start={}", bundle().display());
    train(&["--set", &start]).failed(2, &["mask_3.png", "20", "64"]);
}
