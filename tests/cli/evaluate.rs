//! `himix evaluate`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::folder;
use crate::model::{bundle, picture};
use crate::program::{Ran, himix};

const PROMPTS: [&str; 3] = ["left lung", "two areas, right lung", "upper left lung"];

/// Three images and masks in the authors' layout; the third mask is of half the image's size.
fn data_set(root: &Path) {
    for part in ["prompt", "test/Images", "test/GTs"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for (index, prompt) in PROMPTS.iter().enumerate() {
        let (width, height) = (60 + 10 * index as u32, 48);
        picture(width, height).save(root.join(format!("test/Images/{index}.png"))).expect("a picture");
        let scale = if index == 2 { 2 } else { 1 };
        let mask = image::GrayImage::from_fn(width / scale, height / scale, |x, y| {
            image::Luma([if (x + 2 * y) * scale > 50 + 10 * index as u32 { 255 } else { 0 }])
        });
        mask.save(root.join(format!("test/GTs/mask_{index}.png"))).expect("a mask");
        table += &format!("{index}.png,\"{prompt}\"\n");
    }
    fs::write(root.join("prompt/test.csv"), table).expect("a table");
}

fn evaluate(root: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> =
        ["evaluate", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.extend([bundle().into(), "--data".into(), root.into(), "--split".into(), "test".into()]);
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn close(value: &Value, expected: f64) -> bool {
    (value.as_f64().expect("a number") - expected).abs() < 1e-9
}

#[test]
fn both_conventions_agree_with_single_predictions() {
    let folder = folder();
    data_set(folder.path());
    let table = folder.path().join("scores.csv");
    let object = evaluate(folder.path(), &["--json", "--csv", &table.to_string_lossy()]).json();
    let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["count", "threshold", "pooled", "per_image"]);
    assert_eq!((&object["count"], &object["threshold"]), (&3.into(), &0.5.into()));

    let mut rows = csv::Reader::from_path(&table).expect("the table");
    let header = rows.headers().expect("a header").clone();
    assert_eq!(header.iter().collect::<Vec<_>>()[..4], ["image", "prompt", "dice_per_image", "iou_per_image"]);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    let counts: Vec<[f64; 3]> =
        rows.iter().map(|row| [4, 5, 6].map(|column| row[column].parse().expect("a count"))).collect();
    for (index, prompt) in PROMPTS.iter().enumerate().take(2) {
        assert_eq!((&rows[index][0], &rows[index][1]), (format!("{index}.png").as_str(), *prompt));
        let path = |kind: &str, name: String| folder.path().join("test").join(kind).join(name);
        let alone = himix![
            "predict",
            "--model",
            bundle(),
            "--image",
            path("Images", format!("{index}.png")),
            "--mask",
            path("GTs", format!("mask_{index}.png")),
            "--prompt",
            *prompt,
            "--device",
            "cpu",
            "--json",
        ]
        .json();
        for (key, count) in ["true_positive", "false_positive", "false_negative"].iter().zip(counts[index]) {
            assert!(close(&alone["scores"][*key], count), "{key} of image {index}");
        }
    }
    assert_eq!(counts[2].iter().filter(|count| **count > 40.0 * 24.0).count(), 0, "counted on the mask's grid");

    let dice = |[hit, extra, missed]: [f64; 3]| 2.0 * hit / (2.0 * hit + extra + missed);
    let iou = |[hit, extra, missed]: [f64; 3]| hit / (hit + extra + missed);
    let sum = counts.iter().fold([0.0; 3], |sum, one| [0, 1, 2].map(|i| sum[i] + one[i]));
    assert!(close(&object["pooled"]["dice"], dice(sum)) && close(&object["pooled"]["iou"], iou(sum)));
    for (key, score) in [("dice", &dice as &dyn Fn([f64; 3]) -> f64), ("iou", &iou)] {
        let scores: Vec<f64> = counts.iter().map(|one| score(*one)).collect();
        let mean = scores.iter().sum::<f64>() / 3.0;
        let std = (scores.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
        assert!(std > 0.0, "the images differ");
        assert!(close(&object["per_image"][key]["mean"], mean) && close(&object["per_image"][key]["std"], std));
    }
    assert!(!close(&object["pooled"]["dice"], object["per_image"]["dice"]["mean"].as_f64().expect("a mean")));

    let text = evaluate(folder.path(), &[]).done().out;
    assert!(text.contains("pooled") && text.contains("per image") && text.contains("3 images"), "{text}");
}

#[test]
fn shuffled_prompts_are_those_of_other_images() {
    let folder = folder();
    data_set(folder.path());
    let table = folder.path().join("scores.csv");
    let call = || {
        evaluate(folder.path(), &["--json", "--shuffle-prompts", "1", "--csv", &table.to_string_lossy()]).json()
    };
    let object = call();
    assert_eq!(object["shuffled"], serde_json::json!({ "seed": 1, "same_sentence": 0 }));
    let rows = csv::Reader::from_path(&table).expect("the table").into_records();
    let mut dealt: Vec<String> = rows.map(|row| row.expect("a row")[1].to_owned()).collect();
    assert!(dealt.iter().zip(PROMPTS).all(|(dealt, own)| dealt != own), "{dealt:?}");
    dealt.sort();
    let mut all = PROMPTS.to_vec();
    all.sort_unstable();
    assert_eq!(dealt, all);
    assert_eq!(call(), object, "the same seed deals the same");
    assert!(evaluate(folder.path(), &["--shuffle-prompts", "1"]).done().out.contains("shuffled"));
}

#[test]
fn the_mask_rule_decides_what_is_foreground() {
    let folder = folder();
    data_set(folder.path());
    let path = folder.path().join("test/GTs/mask_0.png");
    let mut mask = image::open(&path).expect("a mask").into_luma8();
    mask.iter_mut().for_each(|value| *value = if *value == 255 { 250 } else { 3 });
    mask.save(&path).expect("a mask");
    let pooled =
        |rule: &str| evaluate(folder.path(), &["--json", "--mask-rule", rule]).json()["pooled"]["dice"].clone();
    assert_ne!(pooled("half"), pooled("exactly-255"));
    evaluate(folder.path(), &["--mask-rule", "some"]).refused(&["--mask-rule"]);
}

#[test]
fn bad_data_sets_are_refused() {
    let folder = folder();
    data_set(folder.path());
    let put_table = |text: &str| fs::write(folder.path().join("prompt/test.csv"), text).expect("a table");
    put_table("File,Text\n0.png,lung\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "Image, Description", "File, Text"]);
    put_table("Image,Description\n0.png,lung\ngone.png,lung\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "line 3", "gone.png", "1 of 2"]);
    put_table("Image,Description\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "no rows"]);
    fs::remove_file(folder.path().join("prompt/test.csv")).expect("removed");
    evaluate(folder.path(), &[]).refused(&["test.csv", "no such split"]);
    data_set(folder.path());
    fs::write(folder.path().join("test/Images/1.png"), "no picture").expect("written");
    evaluate(folder.path(), &[]).refused(&["1.png", "not an image"]);
    data_set(folder.path());
    let blocked = folder.path().join("nowhere/scores.csv");
    evaluate(folder.path(), &["--csv", &blocked.to_string_lossy()]).failed(1, &["scores.csv"]);
}
