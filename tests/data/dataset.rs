//! Data sets in the authors' layout, made here and from the shared folder.

use std::fs;

use himix::data::{DataError, Dataset};

use super::fixtures::{folder, put};
use crate::common::shared;

fn refusal(files: &[(&str, &str)], split: &str) -> String {
    let folder = folder();
    for (name, content) in files {
        put(&folder, name, content.as_bytes());
    }
    let line = Dataset::open(folder.path(), split).expect_err("refused").to_string();
    assert!(!line.contains('\n') && line.contains(split), "{line:?}");
    line
}

#[test]
fn rows_find_their_files_under_every_spelling() {
    let folder = folder();
    // A byte order mark, headers in another order and case, an unused column.
    let table = "\u{feff}description,IMAGE,Note\n\"one, two\",a.png,x\nthree,b.jpg,\n,mask_c.png,\nfour,d.jpg,\n";
    put(&folder, "prompt/train.csv", table.as_bytes());
    for image in ["a.png", "b.jpg", "c.png", "d.jpg"] {
        put(&folder, &format!("train/Images/{image}"), b"");
    }
    for mask in ["GTs/mask_a.png", "GTs/b.png", "GTs_binary/b.png", "GTs/mask_c.png", "GTs_binary/d.png"] {
        put(&folder, &format!("train/{mask}"), b"");
    }
    let dataset = Dataset::open(folder.path(), "train").expect("a data set");
    let base = folder.path().join("train");
    let found: Vec<_> = dataset
        .samples
        .iter()
        .map(|sample| {
            assert_eq!(sample.image, base.join("Images").join(&sample.name));
            let mask = sample.masks[0].strip_prefix(&base).expect("below the split");
            (sample.name.as_str(), mask.to_str().expect("plain"), sample.prompt.as_str())
        })
        .collect();
    let expected = [
        ("a.png", "GTs/mask_a.png", "one, two"),
        ("b.jpg", "GTs/b.png", "three"),
        ("c.png", "GTs/mask_c.png", ""),
        ("d.jpg", "GTs_binary/d.png", "four"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn tables_that_do_not_do() {
    let line = refusal(&[("prompt/train.csv", "Picture,Description\na.png,x\n")], "train");
    assert!(line.contains("Image, Description") && line.contains("Picture, Description"), "{line}");
    let line = refusal(&[("prompt/train.csv", "Image,Note\na.png,x\n")], "train");
    assert!(line.contains("Image, Note"), "{line}");
    assert!(refusal(&[("prompt/train.csv", "")], "train").contains("none"));
    assert!(refusal(&[("prompt/train.csv", "Image,Description\n")], "train").contains("no rows"));
    assert!(refusal(&[("prompt/train.csv", "Image,Description\na.png,x,y,z\n")], "train").contains("line 2"));
    let line = refusal(&[("prompt/val.csv", ""), ("prompt/train.csv", ""), ("prompt/notes.md", "")], "test");
    assert!(line.contains("the folder has train, val") && !line.contains("notes"), "{line}");
}

#[test]
fn missing_files_are_named_and_counted() {
    let files = [
        ("prompt/train.csv", "Image,Description\na.png,x\nb.png,y\nc.png,z\n"),
        ("train/Images/d.png", ""),
        ("train/GTs/d.png", ""),
    ];
    let line = refusal(&files, "train");
    assert!(line.contains("a.png") && line.contains("line 2") && line.contains("3 of 3"), "{line}");
    let folder = folder();
    put(&folder, "prompt/train.csv", b"Image,Description\n,x\n");
    fs::create_dir_all(folder.path().join("train/Images")).expect("a folder");
    let nameless = Dataset::open(folder.path(), "train").expect_err("no image in the row");
    assert!(matches!(nameless, DataError::MissingFiles { missing: 1, rows: 1, .. }), "{nameless}");
}

#[test]
fn the_shared_sets_open() {
    let Some(data) = shared("data") else { return };
    let sets = [
        ("qata", "train", 1400),
        ("qata", "val", 300),
        ("qata", "test", 70),
        ("kvasir", "test", 50),
        ("kvasir", "fullres", 5),
    ];
    for (set, split, count) in sets {
        let dataset = Dataset::open(&data.join(set), split).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dataset.samples.len(), count, "{set} {split}");
        assert!(dataset.samples.iter().all(|sample| !sample.prompt.is_empty()));
        assert!(dataset.samples.iter().all(|sample| sample.masks[0].parent().is_some_and(|f| f.ends_with("GTs"))));
    }
}
