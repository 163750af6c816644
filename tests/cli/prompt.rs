//! `himix prompt`.

use std::fs;

use serde_json::{Value, json};

use crate::common;
use crate::files::folder;
use crate::program::himix;

const BILATERAL: &str = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";

#[test]
fn parse_prints_the_keys_that_scripts_depend_on() {
    let object = himix!["prompt", "parse", BILATERAL, "--json"].json();
    assert_eq!((&object["laterality"], &object["areas"]), (&json!("bilateral"), &json!(2)));
    let findings = object["findings"].as_array().expect("a list");
    let sides: Vec<&Value> = findings.iter().map(|finding| &finding["side"]).collect();
    assert_eq!(sides, [&json!("left"), &json!("right")]);
    assert_eq!((&findings[0]["zones"], &findings[1]["zones"]), (&json!(["upper"]), &json!(["lower"])));
    for finding in findings {
        let [from, to] = [0, 1].map(|at| finding["bytes"][at].as_u64().expect("a number") as usize);
        let side = finding["side"].as_str().expect("a side");
        assert!(BILATERAL[from..to].contains(side), "{}", &BILATERAL[from..to]);
    }
    assert_eq!((&object["not_understood"], &object["warnings"]), (&json!([]), &json!([])));

    let all = "Unilateral pulmonary infection, one infected area, all left lung.";
    let polyp =
        "one small pink round polyp which is a small lump in the lining of colon located in center of the image";
    let objects = himix!["prompt", "parse", all, polyp, "--json"].json();
    assert_eq!(objects[0]["findings"][0]["zones"], json!(["all"]));
    assert_eq!(objects[0]["laterality"], "unilateral");
    let finding = &objects[1]["findings"][0];
    assert_eq!((&finding["number"], &finding["size"]), (&json!(1), &json!("small")));
    assert_eq!(objects[1]["laterality"], Value::Null);

    let odd = "Bilateral pulmonary infection, one infected area, upper left lung. Zebra.";
    let object = himix!["prompt", "parse", odd, "--json"].json();
    assert!(object["not_understood"].to_string().contains("Zebra"), "{object:#}");
    let warning = &object["warnings"][0];
    assert!(warning["rule"].is_string() && warning["message"].is_string(), "{object:#}");
    assert!(himix!["prompt", "parse", odd].done().out.contains("not understood: Zebra"));
}

#[test]
fn mirror_exchanges_the_sides() {
    let mirrored = "Bilateral pulmonary infection, two infected areas, upper right lung and lower left lung.";
    assert_eq!(himix!["prompt", "mirror", BILATERAL].done().out, format!("{mirrored}\n"));
    let object = himix!["prompt", "mirror", BILATERAL, "--json"].json();
    assert_eq!((&object["prompt"], &object["findings"][0]["side"]), (&json!(mirrored), &json!("right")));
}

#[test]
fn a_report_of_a_prompt_is_condensed_to_the_same_prompt() {
    let folder = folder();
    for style in ["paper", "detailed"] {
        let report = himix!["prompt", "augment", BILATERAL, "--style", style, "--seed", "3", "--json"].json();
        let text = report["text"].as_str().expect("a report");
        assert!(text.len() > BILATERAL.len(), "{text}");
        let again = himix!["prompt", "augment", BILATERAL, "--style", style, "--seed", "3"].done().out;
        assert_eq!(again.trim_end(), text.trim_end(), "the seed decides");
        // The style of the paper has one wording.
        let mut others = (4..12).map(|seed| {
            himix!["prompt", "augment", BILATERAL, "--style", style, "--seed", seed.to_string()].done().out
        });
        let has_variety = others.any(|other| other.trim_end() != text.trim_end());
        assert!(has_variety || style == "paper", "{style}: one wording for all seeds");
        let distilled = himix!["prompt", "distil", "--left", "image", text, "--json"].json();
        assert_eq!(distilled["prompt"], BILATERAL, "{text}\n{distilled:#}");
        assert_eq!(distilled["findings"].as_array().map(Vec::len), Some(2));
        assert!(distilled["sources"].as_array().is_some_and(|sources| !sources.is_empty()));
    }
    himix!["prompt", "augment", BILATERAL, "--style", "poem"].failed(2, &["poem"]);

    let prompts = folder.path().join("prompts.txt");
    fs::write(&prompts, format!("{BILATERAL}\nasdf\n")).expect("written");
    let objects = himix!["prompt", "augment", "--file", &prompts, "--json"].json();
    assert_eq!(objects.as_array().map(Vec::len), Some(2));
    assert_eq!(objects[1]["text"], Value::Null, "nothing is invented");
    himix!["prompt", "parse", "--file", folder.path().join("none.txt")].failed(2, &["none.txt"]);
    himix!["prompt", "parse"].failed(2, &["TEXT"]);
}

#[test]
fn the_sides_of_a_report_are_those_that_the_user_says() {
    let report = "Consolidation in the right lower zone. No pleural effusion. The left lung is clear.";
    let side = |left: &str| {
        let object = himix!["prompt", "distil", "--left", left, report, "--json"].json();
        assert_eq!(object["findings"].as_array().map(Vec::len), Some(1), "{object:#}");
        object["findings"][0]["side"].as_str().expect("a side").to_owned()
    };
    // The right of the patient is the left of the image.
    assert_eq!((side("patient"), side("image")), ("left".into(), "right".into()));
    let unsaid = himix!["prompt", "distil", report].done();
    assert!(unsaid.err.contains("--left patient"), "{}", unsaid.err);
}

#[test]
fn check_warns_and_offers_the_mend() {
    let wrong = "Unilateral pulmonary infection, one infected area, upper left lung and lower right lung.";
    let object = himix!["prompt", "check", wrong, "--json"].json();
    let warnings = object["warnings"].as_array().expect("a list");
    let mended = warnings.iter().find_map(|warning| warning["mended"].as_str()).expect("a mend");
    let object = himix!["prompt", "check", mended, "--json"].json();
    assert_eq!(object["warnings"], json!([]), "{mended}");
    assert!(himix!["prompt", "check", BILATERAL].done().out.contains("no warning"));

    let Some(vocabulary) = common::shared("golden/vocab.txt") else { return };
    let text = format!("{BILATERAL} {BILATERAL}");
    let report = himix!["prompt", "check", "--vocabulary", &vocabulary, "--tokens", "24", &text].done().out;
    assert!(report.contains("token"), "{report}");
    himix!["prompt", "check", "--vocabulary", "/nowhere/vocab.txt", &text].failed(2, &["vocab.txt"]);
}
