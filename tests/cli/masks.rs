//! Masks through the commands: aligned by position, refused by name, with their kind and labels in the output.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Ran, run};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Runs `predict --json` for an image with a mask.
fn predict(image: &str, mask: &str, more: &[&str]) -> Ran {
    let fixed = ["predict", "--device", "cpu", "--json", "--prompt", "left lung", "--image"];
    let mut arguments: Vec<std::ffi::OsString> = fixed.map(Into::into).to_vec();
    arguments.extend([fixture(image).into(), "--mask".into(), fixture(mask).into()]);
    arguments.extend(more.iter().map(Into::into));
    run(arguments)
}

#[test]
fn a_mask_of_a_prone_series_lies_where_it_was_drawn() {
    let object = predict("pairing/prone/series", "pairing/prone/mask.nii", &["--slice", "2"]).json();
    assert_eq!(object["mask"]["found"]["kind"], "two_values");
    let foreground = |object: &Value| {
        let scores = &object["scores"];
        scores["true_positive"].as_u64().zip(scores["false_negative"].as_u64()).map(|(a, b)| a + b)
    };
    // In the second slice the fixture has 20 pixels with 111, 118 … 244; these are those divisible by 3.
    let wanted = (0..20_u64).filter(|pixel| (pixel * 7 + 100 + 11) % 3 == 0).count() as u64;
    assert_eq!(foreground(&object), Some(wanted));
    let other = predict("pairing/prone/series", "pairing/prone/mask_nibabel.nii", &["--slice", "2"]).json();
    assert_eq!(other["scores"], object["scores"], "the same mask in another order");
    assert_eq!(other["mask"]["alignment"]["pairing"], "reordered");
}

#[test]
fn another_grid_is_refused_and_can_be_agreed_to() {
    let line = predict("pairing/supine/series", "pairing/coronal/mask.nii", &[]);
    let line = line.failed(2, &["coronal/mask.nii", "is on another grid", "5×4×3 of 0.50×0.75×5.00 mm"]);
    assert!(line.err.contains("--mask-grid resample, or index"), "{}", line.err);
    let by_number =
        predict("pairing/supine/series", "pairing/coronal/mask.nii", &["--mask-grid", "index", "--slice", "1"]);
    assert_eq!(by_number.json()["mask"]["alignment"]["pairing"], "by_number");
    let resampled =
        predict("pairing/supine/series", "pairing/coronal/mask.nii", &["--mask-grid", "resample", "--slice", "1"]);
    assert_eq!(resampled.json()["mask"]["alignment"]["pairing"], "resampled");
}

#[test]
fn labels_are_listed_and_chosen() {
    let all = predict("masks/two_0_255.png", "masks/index.png", &[]).json();
    assert_eq!(all["mask"]["found"], serde_json::json!({ "kind": "labels", "count": 2 }));
    assert_eq!(all["mask"]["foreground"], serde_json::json!([1, 2]));
    let one = predict("masks/two_0_255.png", "masks/index.png", &["--labels", "1"]).json();
    assert_eq!(one["mask"]["foreground"], serde_json::json!([1]));
    let pixels = |object: &Value| {
        object["scores"]["true_positive"].as_u64().zip(object["scores"]["false_negative"].as_u64())
    };
    let (a, b) = pixels(&one).expect("scores");
    let of_one =
        all["mask"]["labels"].as_array().and_then(|labels| labels.iter().find(|label| label["value"] == 1));
    assert_eq!(Some(a + b), of_one.and_then(|label| label["pixels"].as_u64()));
    predict("masks/two_0_255.png", "masks/index.png", &["--labels", "7"])
        .failed(2, &["index.png", "no label 7", "0, 1, 2"]);
    predict("masks/two_0_255.png", "masks/index.png", &["--labels", "one"]).refused(&["whole numbers"]);
}

#[test]
fn nothing_and_everything_are_warned_of() {
    let ran = predict("masks/two_0_255.png", "masks/everything.png", &[]).done();
    assert!(ran.err.contains("foreground everywhere"), "{}", ran.err);
    let ran = predict("masks/two_0_255.png", "masks/nothing.png", &[]).done();
    assert!(ran.err.contains("no foreground at all"), "{}", ran.err);
    assert_eq!(predict("masks/two_0_255.png", "masks/nothing.png", &[]).json()["mask"]["warning"], "nothing");
}
