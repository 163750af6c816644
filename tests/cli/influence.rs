//! `himix influence`.

use std::fs;

use serde_json::{Value, json};

use crate::files::folder;
use crate::model::{bundle, put_picture};
use crate::program::{Ran, himix};

const PROMPT: &str = "infection, one area, upper left lung and lower right lung.";

fn ran(folder: &tempfile::TempDir, method: &str, more: &[&str]) -> Ran {
    let image = folder.path().join("chest.png");
    let mut arguments: Vec<std::ffi::OsString> =
        ["influence", "--device", "cpu", "--method", method, "--model"].map(Into::into).to_vec();
    arguments.push(bundle().into());
    arguments.extend(["--image".into(), image.into()]);
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn numbers(value: &Value, key: &str) -> Vec<f64> {
    let list = value.as_array().expect("a list").iter();
    list.map(|entry| entry[key].as_f64().expect("a number")).collect()
}

/// An image of 80 × 60 pixels with a ground truth.
fn case() -> (tempfile::TempDir, String) {
    let folder = folder();
    put_picture(&folder, "chest.png", 80, 60);
    let truth = image::GrayImage::from_fn(80, 60, |x, y| image::Luma([if x + y < 60 { 255 } else { 0 }]));
    let path = folder.path().join("truth.png");
    truth.save(&path).expect("a mask");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn words_phrases_and_exchanges_are_listed() {
    let (folder, truth) = case();
    let table = folder.path().join("words.csv").display().to_string();
    for method in ["leave-one-out", "mask-token"] {
        let more = ["--prompt", PROMPT, "--mask", &truth, "--json", "--out", &table];
        let object = ran(&folder, method, &more).json();
        let texts = |key: &str| -> Vec<String> {
            let list = object[key].as_array().expect("a list").iter();
            list.map(|entry| entry["text"].as_str().expect("a text").to_owned()).collect()
        };
        let words = ["infection", "one", "area", "upper", "left", "lung", "and", "lower", "right", "lung"];
        assert_eq!(texts("words"), words);
        assert_eq!(object["phrases"].as_array().map(Vec::len), Some(texts("phrases").len()));
        let exchanges = ["two for one", "lower for upper", "right for left", "upper for lower", "left for right"];
        assert_eq!(texts("exchanges"), exchanges);
        assert_eq!((&object["method"], &object["threshold"]), (&json!(method), &json!(0.5)));
        let left = &object["words"][4];
        let expected = match method {
            "mask-token" => PROMPT.replace("left", "[MASK]"),
            _ => PROMPT.replace("left ", ""),
        };
        assert_eq!((&left["prompt"], &left["bytes"]), (&json!(expected), &json!([27, 31])));
        assert_eq!(&PROMPT[27..31], "left");
        assert!(numbers(&object["words"], "probability_change").iter().any(|change| *change > 0.0));
        for entry in object["words"].as_array().expect("a list") {
            let number = |key: &str| entry[key].as_f64().expect("a number");
            assert!(number("area_change").abs() <= number("changed_pixels") + 1e-12, "{entry}");
            assert!((0.0..=1.0).contains(&number("changed_pixels")) && number("dice_change").abs() <= 1.0);
        }
        // A word and a phrase with the same text have the same numbers, and the table has a row for each.
        let rows = fs::read_to_string(&table).expect("the table");
        assert!(rows.starts_with("unit,text,from_byte,to_byte,kind,method,prompt,changed_pixels,"), "{rows}");
        let count = words.len() + texts("phrases").len() + exchanges.len();
        assert_eq!(rows.lines().count(), count + 1);
    }
    // What predict makes of the changed prompt is what the study counts.
    let object =
        ran(&folder, "leave-one-out", &["--prompt", "upper left lung", "--mask", &truth, "--json"]).json();
    let dice = |prompt: &str| {
        let image = folder.path().join("chest.png");
        himix![
            "predict",
            "--model",
            bundle(),
            "--device",
            "cpu",
            "--image",
            image,
            "--mask",
            &truth,
            "--prompt",
            prompt,
            "--json"
        ]
        .json()["scores"]["dice"]
            .as_f64()
            .expect("a score")
    };
    let (whole, without) = (dice("upper left lung"), dice("left lung"));
    assert_eq!(object["dice"], json!(whole));
    let change = object["words"][0]["dice_change"].as_f64().expect("a change");
    assert!((change - (without - whole)).abs() < 1e-12, "{change} {without} {whole}");

    let text = ran(&folder, "mask-token", &["--prompt", PROMPT]).done().out;
    assert!(text.contains("by [MASK]") && text.contains("exchange  right for left"), "{text}");
}

#[test]
fn shapley_values_sum_to_the_effect_of_the_text() {
    let (folder, truth) = case();
    let table = folder.path().join("phrases.csv").display().to_string();
    let more = ["--prompt", PROMPT, "--mask", &truth, "--json", "--csv", &table];
    let object = ran(&folder, "shapley", &more).json();
    let count = object["phrases"].as_array().expect("phrases").len();
    assert!((2..=8).contains(&count));
    assert!(object["predictions"].as_u64().is_some_and(|predictions| predictions <= 1 << count));
    assert_eq!(object["whole"]["overlap"], json!(1.0));
    for measure in ["area", "overlap", "dice"] {
        let sum: f64 = numbers(&object["phrases"], measure).iter().sum();
        let end = |key: &str| object[key][measure].as_f64().expect("a number");
        assert!((sum - (end("whole") - end("none"))).abs() < 1e-9, "{measure}: {sum}");
    }
    assert_eq!(fs::read_to_string(&table).expect("the table").lines().count(), count + 1);

    let many = "two small pink round polyp which is a projecting growth of tissue located in top, left, center of the image";
    let text = ran(&folder, "shapley", &["--prompt", many]).done();
    assert!(text.err.contains("were joined, so that 8 are examined"), "{}", text.err);
    assert!(text.out.contains("Shapley values"), "{}", text.out);
}

#[test]
fn what_cannot_be_examined_is_refused() {
    let (folder, _) = case();
    ran(&folder, "shapley", &["--prompt", " ,."]).refused(&["no words"]);
    ran(&folder, "guess", &["--prompt", "left"]).refused(&["guess"]);
    ran(&folder, "leave-one-out", &[]).refused(&["--prompt"]);
    ran(&folder, "leave-one-out", &["--prompt", "left", "--mask", "nowhere.png"]).refused(&["nowhere.png"]);
    // A long text in another script is examined as far as the model reads it.
    let long = "левое лёгкое \u{1F600}\n".repeat(200);
    let ran = ran(&folder, "leave-one-out", &["--prompt", &long, "--json"]);
    let object = ran.json();
    assert_eq!(object["words"].as_array().map(Vec::len), Some(22));
    assert_eq!(object["unexamined_words"], json!(378));
}
