//! `himix refine` and `himix search`.

use serde_json::Value;

use crate::files::{folder, put};
use crate::model::{bundle, grey, put_picture};
use crate::program::himix;

#[test]
fn a_prompt_is_refined_until_it_stands_still_or_repeats() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 96, 64);
    let rows: Vec<Vec<u8>> = (0..64).map(|y| vec![if y < 32 { 255 } else { 0 }; 96]).collect();
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    let mask = put(&folder, "mask.png", &crate::files::png(96, 64, 8, 0, &[], &rows));
    let out = folder.path().join("steps");
    let object = himix![
        "refine",
        "--device",
        "cpu",
        "--model",
        bundle(),
        "--image",
        &image,
        "--mask",
        &mask,
        "--prompt",
        "left lung",
        "--kind",
        "xray",
        "--steps",
        "5",
        "--out",
        &out,
        "--json"
    ]
    .json();
    let steps = object["steps"].as_array().expect("steps");
    assert!((1..=5).contains(&steps.len()));
    assert_eq!(steps[0]["prompt"], "left lung");
    for pair in steps.windows(2) {
        assert_eq!(pair[0]["description"], pair[1]["prompt"], "each description is the next prompt");
    }
    for (index, step) in steps.iter().enumerate() {
        let values = grey(&out.join(format!("step_{}.png", index + 1)));
        let share = values.iter().filter(|value| **value == 255).count() as f64 / values.len() as f64;
        assert!((step["area"].as_f64().expect("an area") - share).abs() < 1e-12);
        assert!(step["dice"].as_f64().is_some_and(|dice| (0.0..=1.0).contains(&dice)), "{step}");
        assert_eq!(step["presence"], Value::Null);
    }
    assert_eq!(object["proposal"], steps[steps.len() - 1]["description"]);
    let end = object["end"].as_str().expect("an end");
    assert!(["stands-still", "repeats", "steps-exhausted", "empty-mask"].contains(&end), "{end}");
    assert_eq!(end == "repeats", object["cycle"].is_object());
    let text =
        himix!["refine", "--device", "cpu", "--model", bundle(), "--image", &image, "--steps", "2"].done().out;
    assert!(text.starts_with("1  \"\"") && text.contains("Proposal of the rule"), "{text}");

    himix!["refine", "--image", &image, "--steps", "0"].refused(&["--steps"]);
    himix!["refine", "--image", folder.path().join("none.png")].refused(&["none.png"]);
}

#[test]
fn sentences_are_ranked_for_an_image_without_a_prompt() {
    let folder = folder();
    let image = put_picture(&folder, "frame.png", 96, 64);
    for (kind, part) in [("xray", "pulmonary infection"), ("endoscopy", "polyp")] {
        let object = himix![
            "search",
            "--device",
            "cpu",
            "--model",
            bundle(),
            "--image",
            &image,
            "--kind",
            kind,
            "--top",
            "0",
            "--json"
        ]
        .json();
        let hits = object["sentences"].as_array().expect("sentences");
        assert!((24..=96).contains(&hits.len()), "{}", hits.len());
        assert_eq!((&object["kind"], &object["tried"]), (&kind.into(), &hits.len().into()));
        assert_eq!(object["proposal"], hits[0]["prompt"]);
        let number = |hit: &Value, key: &str| hit[key].as_f64().expect("a number");
        assert!(hits.is_sorted_by(|a, b| number(a, "score") >= number(b, "score")));
        for hit in hits {
            assert!(hit["prompt"].as_str().is_some_and(|prompt| prompt.contains(part)), "{hit}");
            let product = number(hit, "agreement") * number(hit, "sureness");
            assert!((number(hit, "score") - product).abs() < 1e-12, "{hit}");
        }
    }
    let text = himix![
        "search",
        "--device",
        "cpu",
        "--model",
        bundle(),
        "--image",
        &image,
        "--kind",
        "xray",
        "--top",
        "3"
    ]
    .done()
    .out;
    assert_eq!(text.matches("agreement").count(), 3, "{text}");
    himix!["search", "--image", &image, "--kind", "mri"].refused(&["mri"]);
}
