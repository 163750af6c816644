//! The objects of `himix prompt`, with what scripts depend on.

use serde_json::json;

use crate::files::{folder, put};
use crate::program::himix;

const PROMPT: &str = "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung.";

#[test]
fn parse_prints_the_object_that_scripts_depend_on() {
    let object = himix!["prompt", "parse", PROMPT, "--json"].json();
    let expected = json!({
        "grammar": "lungs",
        "laterality": "bilateral",
        "areas": 2,
        "findings": [
            { "side": "left", "zones": ["upper"], "bytes": [51, 66] },
            { "side": "right", "zones": ["all"], "bytes": [71, 85] },
        ],
        "not_understood": [],
        "warnings": [],
    });
    assert_eq!(object, expected);
}

#[test]
fn several_texts_and_files_give_an_array() {
    let folder = folder();
    let file = put(&folder, "prompts.txt", format!("{PROMPT}\r\n\nasdf\n").as_bytes());
    let objects = himix!["prompt", "parse", "--file", &file, "--json"].json();
    assert_eq!(objects.as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&objects[1]["warnings"][0]["rule"], &objects[2]["not_understood"]),
        (&json!("empty"), &json!(["asdf"]))
    );
    let objects = himix!["prompt", "mirror", PROMPT, "left lung", "--json"].json();
    assert_eq!(objects[1]["prompt"], "right lung");
    himix!["prompt", "parse", "--file", "no-such-file.txt"].refused(&["no-such-file.txt"]);
    himix!["prompt", "parse"].refused(&[]);
}

#[test]
fn a_report_of_a_prompt_is_condensed_to_it_again() {
    for style in ["paper", "concise", "narrative", "detailed", "telegraphic"] {
        let report = himix!["prompt", "augment", PROMPT, "--style", style, "--seed", "7", "--json"].json();
        let text = report["text"].as_str().expect("a report").to_owned();
        let found = himix!["prompt", "distil", &text, "--left", "image", "--json"].json();
        assert_eq!(found["prompt"], PROMPT, "{text}");
    }
    let found =
        himix!["prompt", "distil", "Opacity in the left lower lobe.", "--left", "patient", "--json"].json();
    assert_eq!(found["prompt"], "Unilateral pulmonary infection, lower right lung.");
    let silent = himix!["prompt", "distil", "Opacity in the left lower lobe."].done();
    assert!(silent.err.contains("--left patient"), "{}", silent.err);
    assert!(silent.out.starts_with("Unilateral pulmonary infection, lower left lung."), "{}", silent.out);
}

#[test]
fn check_names_its_rules() {
    let object =
        himix!["prompt", "check", "Bilateral pulmonary infection, one infected area, all left lung.", "--json"]
            .json();
    assert_eq!(object["warnings"][0]["rule"], "contradiction");
    assert!(himix!["prompt", "check", PROMPT].done().out.contains("no warning"));
    let folder = folder();
    let vocabulary = put(&folder, "vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nleft\nlung\nupper\n");
    let arguments =
        himix!["prompt", "check", "upper left lung xyz", "--vocabulary", &vocabulary, "--tokens", "5", "--json"];
    let object = arguments.json();
    let rules: Vec<&str> = object["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter_map(|warning| warning["rule"].as_str())
        .collect();
    assert_eq!(rules, ["not-understood", "too-long", "unknown-words"]);
    assert_eq!((&object["words"], &object["words_understood"]), (&json!(4), &json!(3)));
}
