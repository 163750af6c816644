//! `himix data`.

use std::fs;

use crate::common::shared;
use crate::files::{folder, grey_png, put};
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
    let table = "Image;Description\nsub-S1_a.png;one\nsub-S2_b.png;\ngone.png;two\nd.png;three\nd.png;three\nd.png;four\nc.png;one\n";
    put(&folder, "prompt/train.csv", table.as_bytes());
    put(&folder, "prompt/val.csv", b"Image,Description\nsub-S1_z.png,one\n");
    let object = himix!["data", folder.path(), "--json"].json();
    assert_eq!(object["layout"], "splits");
    let train = &object["splits"][0];
    assert_eq!((&train["name"], &train["pairs"]), (&"train".into(), &4.into()));
    assert_eq!(train["sizes"], serde_json::json!([[5, 4], [5, 4]]));
    let problems: Vec<&str> =
        train["findings"].as_array().expect("a list").iter().filter_map(|f| f["problem"].as_str()).collect();
    for problem in [
        "missing_image",
        "empty_sentence",
        "duplicate_row",
        "several_prompts",
        "empty_mask",
        "duplicate_image",
        "table",
    ] {
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
fn a_split_without_a_pair_that_can_be_used() {
    let folder = folder();
    for name in ["a", "b"] {
        put(&folder, &format!("train/Images/{name}.png"), &grey_png(5, 4, 9, 1));
        put(&folder, &format!("train/GTs/{name}.png"), &grey_png(4, 5, 0, 255));
    }
    let text = himix!["data", folder.path()].done().out;
    assert!(text.contains("train: no usable pair") && text.contains("2 masks of another size"), "{text}");
    assert!(!text.contains("184467"), "{text}");
    let object = himix!["data", folder.path(), "--json"].json();
    assert_eq!(
        (&object["splits"][0]["sizes"], &object["splits"][0]["pairs"]),
        (&serde_json::Value::Null, &0.into())
    );
}

#[test]
fn how_pairs_are_read_is_said() {
    let folder = folder();
    let fixture = |name: &str| {
        let made = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sets");
        fs::read(made.join(name)).expect("a fixture")
    };
    put(&folder, "train/Images/a.jpg", &fixture("turned.jpg"));
    put(&folder, "train/GTs/a_mask.png", &fixture("mask_stored.png"));
    put(&folder, "train/GTs/a_mask_1.png", &fixture("mask_stored.png"));
    let text = himix!["data", folder.path(), "--as-stored"].done().out;
    for part in [
        "read with: images as stored",
        "train: 1 pair",
        "24x16 pixels",
        "1 image has an EXIF orientation, left as stored",
        "1 image with several masks (a.jpg: 2)",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    put(&folder, "himix-data.toml", b"orientation = \"as_stored\"\nmask_rule = \"exactly_255\"\n");
    let object = himix!["data", folder.path(), "--json"].json();
    assert_eq!(object["reading"]["orientation"], "as_stored");
    assert_eq!(object["reading"]["mask_rule"], "exactly_255");
    assert_eq!(object["splits"][0]["turned"], 1);
    let object = himix!["data", folder.path(), "--mask-rule", "half", "--json"].json();
    assert_eq!((&object["reading"]["mask_rule"], &object["splits"][0]["pairs"]), (&"half".into(), &1.into()));
    put(&folder, "himix-data.toml", b"orientation = \"left\"\n");
    himix!["data", folder.path()].failed(2, &["himix-data.toml", "line 1"]);
}

#[test]
fn the_shared_sets() {
    let Some(kvasir) = shared("data/kvasir") else { return };
    let object = himix!["data", kvasir, "--json"].json();
    let names: Vec<&str> =
        object["splits"].as_array().expect("a list").iter().filter_map(|split| split["name"].as_str()).collect();
    assert_eq!(names[..3], ["train", "val", "test"]);
    assert_eq!(object["splits"][0]["pairs"], 798);
}

#[test]
fn a_part_of_a_data_set_is_that_part_and_a_split_that_is_made_up_is_said_to_be() {
    let folder = folder();
    for name in ["a", "b"] {
        put(&folder, &format!("set/test/Images/{name}.png"), &grey_png(5, 4, 9, name.len() as u8));
        put(&folder, &format!("set/test/GTs/mask_{name}.png"), &grey_png(5, 4, 0, 255));
        put(&folder, &format!("pool/images/{name}.png"), &grey_png(5, 4, 9, 7));
        put(&folder, &format!("pool/masks/{name}.png"), &grey_png(5, 4, 0, 255));
    }
    put(&folder, "set/prompt/test.csv", b"Image,Description\na.png,one\nb.png,two\n");
    let root = folder.path().join("set");
    for part in ["set/test", "set/test/Images"] {
        let object = himix!["data", folder.path().join(part), "--json"].json();
        assert_eq!(object["splits"].as_array().map(Vec::len), Some(1), "{part}");
        assert_eq!((&object["splits"][0]["name"], &object["splits"][0]["prompts"]), (&"test".into(), &2.into()));
        let text = himix!["data", folder.path().join(part)].done().out;
        assert!(text.contains(&format!("part of the data set {}", root.display())), "{text}");
    }
    let text = himix!["data", &root].done().out;
    assert!(!text.contains("part of") && !text.contains("hash"), "{text}");
    let text = himix!["data", folder.path().join("pool")].done().out;
    assert!(text.contains("it names no splits"), "{text}");
}
