//! `himix prompt describe`.

use serde_json::json;

use crate::files::{folder, png, put};
use crate::program::himix;

/// A grey image of 100 × 100 pixels with value 255 in the rectangle `[left, top, right, bottom]`.
fn picture([left, top, right, bottom]: [usize; 4]) -> Vec<u8> {
    let row = |y: usize| -> Vec<u8> {
        let is_inside = |x: usize| (top..bottom).contains(&y) && (left..right).contains(&x);
        (0..100).map(|x| if is_inside(x) { 255 } else { 0 }).collect()
    };
    let rows: Vec<Vec<u8>> = (0..100).map(row).collect();
    png(100, 100, 8, 0, &[], &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn a_mask_is_described() {
    let folder = folder();
    let image = put(&folder, "image.png", &picture([0, 0, 100, 100]));
    let mask = put(&folder, "mask.png", &picture([15, 55, 35, 70]));
    let said = "Unilateral pulmonary infection, one infected area, lower left lung.";
    let text = himix!["prompt", "describe", "--image", &image, "--mask", &mask, "--kind", "xray"].done().out;
    assert_eq!(text.trim_end(), said);
    let object =
        himix!["prompt", "describe", "--image", &image, "--mask", &mask, "--kind", "xray", "--json"].json();
    assert_eq!((&object["prompt"], &object["kind"]), (&json!(said), &json!("xray")));
    assert_eq!((&object["laterality"], &object["areas"]), (&json!("unilateral"), &json!(1)));
    assert_eq!(
        (&object["findings"][0]["side"], &object["findings"][0]["zones"]),
        (&json!("left"), &json!(["lower"]))
    );
    let polyp = himix!["prompt", "describe", "--image", &image, "--mask", &mask, "--kind", "endoscopy"].done().out;
    assert!(polyp.starts_with("one small") && polyp.contains("located in left of the image"), "{polyp}");

    himix!["prompt", "describe", "--image", &image].refused(&["--mask"]);
    himix!["prompt", "describe", "--image", &image, "--mask", &mask, "--kind", "mri"].refused(&["mri"]);
    let other = put(&folder, "other.png", &png(2, 2, 8, 0, &[], &[&[0, 255], &[0, 255]]));
    himix!["prompt", "describe", "--image", &image, "--mask", &other].refused(&["2", "100"]);
}
