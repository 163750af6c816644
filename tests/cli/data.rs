//! `himix data`.

use std::fs;

use crate::files::{folder, grey_png, put, shared};
use crate::program::himix;

#[test]
fn a_folder_is_looked_through() {
    let folder = folder();
    for name in ["sub-S1_a", "sub-S2_b", "c", "d"] {
        put(&folder, &format!("train/Images/{name}.png"), &grey_png(5, 4, 9, name.len() as u8));
        put(&folder, &format!("train/GTs/mask_{name}.png"), &grey_png(5, 4, 0, if name == "d" { 0 } else { 255 }));
    }
    put(&folder, "val/Images/sub-S1_z.png", &grey_png(5, 4, 9, 77));
    put(&folder, "val/GTs/sub-S1_z.png", &grey_png(5, 4, 0, 255));
    let table =
        "Image;Description\nsub-S1_a.png;one\nsub-S2_b.png;\ngone.png;two\nd.png;three\nd.png;four\nc.png;one\n";
    put(&folder, "prompt/train.csv", table.as_bytes());
    put(&folder, "prompt/val.csv", b"Image,Description\nsub-S1_z.png,one\n");
    let object = himix!["data", folder.path(), "--json"].json();
    assert_eq!(object["layout"], "splits");
    let train = &object["splits"][0];
    assert_eq!((&train["name"], &train["pairs"]), (&"train".into(), &4.into()));
    assert_eq!(train["sizes"], serde_json::json!([[5, 4], [5, 4]]));
    let problems: Vec<&str> =
        train["findings"].as_array().expect("a list").iter().filter_map(|f| f["problem"].as_str()).collect();
    for problem in ["missing_image", "empty_sentence", "duplicate_row", "empty_mask", "duplicate_image", "table"] {
        assert!(problems.contains(&problem), "{problem} is not in {problems:?}");
    }
    assert_eq!(object["shared_subjects"][0]["subject"], "sub-s1");
    let text = himix!["data", folder.path()].done().out;
    for part in [
        "train: 4 pairs",
        "1 row without its image, left out (line 4: gone.png)",
        "val: 1 pair,",
        "sub-s1 in train and val",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    fs::remove_dir_all(folder.path().join("val/GTs")).expect("removed");
    let text = himix!["data", folder.path()].done().out;
    assert!(text.contains("val: cannot be used") && text.contains("no masks"), "{text}");
    himix!["data", folder.path().join("nowhere")].failed(2, &["nowhere"]);
    himix!["data", folder.path().join("prompt")].failed(2, &["no images were found"]);
}

#[test]
fn the_shared_sets() {
    let Some(shared) = shared() else { return };
    let object = himix!["data", shared.join("data/kvasir"), "--json"].json();
    let names: Vec<&str> =
        object["splits"].as_array().expect("a list").iter().filter_map(|split| split["name"].as_str()).collect();
    assert_eq!(names[..3], ["train", "val", "test"]);
    assert_eq!(object["splits"][0]["pairs"], 798);
}
